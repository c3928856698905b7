// Where one record ends and the next begins in a stream of bytes: lines, length-delimited
// messages, JSON values, CSV rows. A framer keeps its place between pieces of the stream, never
// copies, and answers every byte that is not white space with a record, if need be a defective
// one. One per stream and thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "schemas/limits.h"
#include "schemas/reject_reason.h"

namespace gauger::ingest {

enum class Framing : uint8_t {
  lines,           // one record per line; blank lines are passed over
  delimited,       // each record after its length as a varint (protobuf's writeDelimitedTo)
  json_values,     // JSON values one after another, also pretty-printed; the elements of a
                   // top-level array are records
  json_documents,  // the same, but a top-level array is one record
  csv,             // rows of RFC 4180; the first one names the columns
};

struct Frame {
  std::string_view bytes;
  // none, or why these bytes are not the whole of a record and must not be decoded.
  RejectReason defect = RejectReason::none;
};

// The sentence for a record that was refused with that defect.
std::string_view defect_sentence(RejectReason defect);

// The name under which a CSV row's column line travels beside it (ingest/decoder.h).
inline constexpr std::string_view csv_columns_header = "gauger-csv-columns";

class Framer {
 public:
  explicit Framer(Framing framing) : framing_(framing) {}

  // Takes the next record off the front of `input`. False: there is none yet, and what is left
  // of `input` (possibly nothing) must lead the next call's input, followed by new bytes.
  // `last`: no bytes follow; then false means the end.
  bool take(std::string_view& input, bool last, Frame& frame);

  // Takes as many records as it can at once, up to `frames.size()`: those that need no care, of at
  // most plain_bytes_max, which are nearly all of a long file's. Returns how many; where that is 0,
  // `take` goes on.
  size_t take_plain(std::string_view& input, std::span<std::string_view> frames);

  static constexpr size_t plain_bytes_max = (size_t{1} << 14U) - 1;

  // Whatever lies before it, an input of this size makes progress.
  static constexpr size_t input_bytes_min = limits::record_bytes_max + 16;

  // CSV: the line of column names, empty until it was read.
  const std::string& csv_columns() const { return csv_columns_; }

 private:
  // Where a scan stands inside a JSON value or a CSV row.
  struct Scan {
    size_t depth = 0;
    bool in_string = false;
    bool escaped = false;
  };

  static size_t take_plain_lines(std::string_view& input, std::span<std::string_view> frames);
  static size_t take_plain_delimited(std::string_view& input, std::span<std::string_view> frames);
  bool take_line(std::string_view& input, bool last, Frame& frame);
  bool take_delimited(std::string_view& input, bool last, Frame& frame);
  bool take_json_value(std::string_view& input, bool last, Frame& frame);
  bool take_csv_row(std::string_view& input, bool last, Frame& frame);

  bool skip_byte_order_mark(std::string_view& input, bool last);
  bool skip_line(std::string_view& input);
  bool skip_json_value(std::string_view& input);
  bool skip_between_json_values(std::string_view& input, bool last, Frame& frame, bool& found);
  bool take_json_token(std::string_view& input, bool last, Frame& frame);

  Framing framing_;
  bool at_start_ = true;
  bool skipping_ = false;    // the rest of a record that was too large
  uint64_t skip_bytes_ = 0;  // the same, where its length is known
  bool lost_ = false;        // delimited: no length can be trusted any more
  bool in_array_ = false;    // inside a top-level JSON array
  Scan scan_;                // of the JSON value being skipped
  std::string csv_columns_;
};

}  // namespace gauger::ingest
