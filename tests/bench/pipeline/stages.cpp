// The stages of the event path one behind the other on one thread: each row does what the row
// before it does and one thing more, so their difference is what that costs. The ledger's own
// threads do the same work side by side.
#include "ingest/decoder.h"
#include "ingest/file_source.h"
#include "ingest/json_decoder.h"
#include "ingest/wire_decoder.h"
#include "ledger/apply.h"
#include "ledger/fold.h"
#include "ledger/memory_store.h"
#include "schemas/limits.h"
#include "tests/bench/pipeline/measure.h"

namespace gauger::bench {
namespace {

enum class Stage { read, decode, add, dedup, fold, encode };
constexpr std::pair<Stage, const char*> stages[] = {
    {Stage::read, "bare read"}, {Stage::decode, "+ decode"}, {Stage::add, "+ intern, hash"},
    {Stage::dedup, "+ dedup"},  {Stage::fold, "+ fold"},     {Stage::encode, "+ encode"}};

// Journal blocks are dropped once they are encoded; identities stay, for duplicates.
class Pipeline {
 public:
  Pipeline(const std::string& path, Stage last)
      : last_(last), history_(store_, 64U << 20), batch_(state_.config, state_.dictionary) {
    ingest::FileSource::Config config;
    config.paths = {path};
    source_ = must(ingest::FileSource::open(std::move(config)));
    json_ = path.find(".pb") == std::string::npos ? ingest::make_json_decoder() : nullptr;
  }

  size_t run(size_t events_max) {
    ingest::RecordBatch records;
    size_t events = 0;
    while (!records.at_end && events < events_max) {
      records.clear();
      must(source_->poll(records, limits::batch_events_max, limits::batch_bytes_max, {}));
      events += records.records.size();
      if (last_ != Stage::read && !records.records.empty()) take(records);
    }
    return events;
  }

 private:
  class Sink final : public ingest::EventSink {
   public:
    explicit Sink(Pipeline& pipeline) : pipeline_(pipeline) {}
    void accept(const UsageEvent& event) override { pipeline_.accept(event); }
    void reject(RejectReason, std::string_view, std::string_view) override {}

   private:
    Pipeline& pipeline_;
  };

  void accept(const UsageEvent& event) {
    if (last_ != Stage::decode) batch_.add(event, offset_, record_);
  }

  void take(const ingest::RecordBatch& records) {
    batch_.begin(state_.head, Instant{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}});
    batch_.begin_segment({"default", "file:bench", 0, true}, records.records.front().offset);
    Sink sink(*this);
    for (const auto& record : records.records) {
      offset_ = record.offset;
      record_ = record.bytes;
      if (json_)
        json_->decode(record.bytes, {}, sink);
      else if (ingest::decode_wire(record.bytes, event_, scratch_) == RejectReason::none)
        accept(event_);
    }
    batch_.end_segment(offset_ + 1, 0, 0);
    scratch_.clear();
    if (last_ < Stage::dedup) return;
    auto commit = must(ledger::apply(batch_, state_, history_));
    if (last_ >= Stage::fold) {
      const auto change = ledger::fold(*commit.block, state_.config.grain);
      cells_ += change.cells.size();
    }
    if (last_ < Stage::encode) return;
    seal(commit, hash_);
    hash_ = commit.head.hash;
    ledger::WriteSet identities;
    for (auto& write : commit.writes.writes)
      if (write.family == ledger::Family::identities) identities.writes.push_back(std::move(write));
    must(store_.write_projection(identities));
    history_.written(commit.head.sequence);
  }

  const Stage last_;
  std::unique_ptr<ingest::FileSource> source_;
  std::unique_ptr<ingest::Decoder> json_;
  ledger::MemoryStore store_;
  ledger::State state_;
  ledger::History history_;
  ledger::Batch batch_;
  ingest::WireScratch scratch_;
  UsageEvent event_;
  int64_t offset_ = 0;
  std::string_view record_;
  ledger::Digest hash_{};
  size_t cells_ = 0;
};

}  // namespace

void measure_stages(const std::string& path, size_t events_max) {
  fmt::print("{{");
  for (const auto& [stage, name] : stages) {
    Pipeline pipeline(path, stage);
    const auto wall = now_seconds();
    const auto cpu = cpu_seconds();
    const auto events = pipeline.run(events_max);
    fmt::print("{}\"{}\": {{\"events\": {}, \"seconds\": {:.4f}, \"cpu_seconds\": {:.4f}}}",
               stage == Stage::read ? "" : ", ", name, events, now_seconds() - wall,
               cpu_seconds() - cpu);
  }
  fmt::print("}}\n");
}

}  // namespace gauger::bench
