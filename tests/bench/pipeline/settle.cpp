// A file into a settled ledger, as `gauger ingest` takes it, without the rest of that program.
#include "ingest/file_source.h"
#include "ingest/intake.h"
#include "ingest/json_decoder.h"
#include "ledger/ledger.h"
#include "tests/bench/pipeline/measure.h"

namespace gauger::bench {

void measure_settle(const std::string& path, const std::string& directory) {
  const SystemClock clock;
  const auto begin = now_seconds();
  const auto ledger = must(ledger::Ledger::open(directory, {}, clock));
  ingest::FileSource::Config config;
  config.paths = {path};
  const auto source = must(ingest::FileSource::open(std::move(config)));

  ingest::IntakeOptions options;
  options.backfill = true;
  if (path.find(".pb") == std::string::npos) options.decoder = ingest::make_json_decoder();
  const auto progress = must(
      ingest::run_intake(*ledger, *source, std::move(options), [](const auto&) { return true; }));
  must(ledger->close());
  const auto status = ledger->status();
  fmt::print(
      "{{\"records\": {}, \"seconds\": {:.4f}, \"cpu_seconds\": {:.4f}, \"resident_mib\": {:.0f}, "
      "\"identities\": {}, \"identity_bytes\": {}}}\n",
      progress.records, now_seconds() - begin, cpu_seconds(), resident_mib_max(), status.identities,
      status.identity_bytes);
}

}  // namespace gauger::bench
