// Framing does not depend on how bytes arrive, and loses none that are not white space or
// punctuation between records.
#include "ingest/framing.h"

#include <array>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

using Frames = std::vector<std::pair<std::string, RejectReason>>;

// `plain`: as many at once as there are without a defect.
Frames frames_of(Framing framing, std::string_view stream, size_t piece, bool plain) {
  Framer framer(framing);
  Frames frames;
  std::string_view input = stream.substr(0, 0);
  for (size_t end = 0; end < stream.size() + piece; end += piece) {
    // The input grows in place; what the framer has left stays in front.
    const auto until = std::min(end + piece, stream.size());
    const auto begin = static_cast<size_t>(input.data() - stream.data());
    input = stream.substr(begin, until - begin);
    for (bool more = true; more;) {
      std::array<std::string_view, 3> several;
      const auto count = plain ? framer.take_plain(input, several) : 0;
      for (size_t i = 0; i < count; ++i) frames.emplace_back(several[i], RejectReason::none);
      Frame frame;
      more = framer.take(input, until == stream.size(), frame);
      if (more) frames.emplace_back(frame.bytes, frame.defect);
    }
  }
  require(input.empty(), "bytes are left behind at the end");
  return frames;
}

}  // namespace

// The first byte chooses the framing and the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr std::array<Framing, 5> framings = {Framing::lines, Framing::delimited,
                                               Framing::json_values, Framing::csv,
                                               Framing::json_documents};
  const auto framing = framings[data[0] % framings.size()];
  const auto piece = size_t{1} + data[0] / framings.size();
  const auto stream = view(data + 1, size - 1);
  const auto whole = frames_of(framing, stream, stream.size() + 1, false);
  const auto pieces = frames_of(framing, stream, piece, false);
  require(frames_of(framing, stream, piece, true) == pieces, "taken at once, records differ");
  // Once a length is nonsense, how much of what follows is shown depends on the pieces.
  const auto lost = framing == Framing::delimited && !whole.empty() &&
                    whole.back().second == RejectReason::undecodable;
  require(whole.size() == pieces.size(), "the pieces hold another number of records");
  for (size_t i = 0; i + (lost ? 1 : 0) < whole.size(); ++i)
    require(whole[i] == pieces[i], "the pieces hold other records");
  return 0;
}
