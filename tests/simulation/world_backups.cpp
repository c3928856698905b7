// Backups of the live ledger, and lives that begin with one of them: the real files, on the
// machine's disk, beside the simulated one that the ledger lies on.
#include <unistd.h>

#include <fstream>

#include "ledger/backup/backup.h"
#include "ledger/backup/retention.h"
#include "ledger/rebuild.h"
#include "ledger/verify.h"
#include "tests/simulation/world.h"

namespace gauger::simulation {
namespace {

namespace fs = std::filesystem;

const fs::path data = "/srv/ledger";
const auto silent = [](uint64_t, uint64_t) {};

// A directory as an image under another name.
DiskImage image_of(const fs::path& directory) {
  DiskImage image;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || entry.path().filename() == "lock") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    image[(data / entry.path().lexically_relative(directory)).string()] =
        std::string(std::istreambuf_iterator<char>(file), {});
  }
  return image;
}

void write_image(const DiskImage& image, const fs::path& directory) {
  fs::remove_all(directory);
  for (const auto& [path, content] : image) {
    const auto target = directory / fs::path(path).lexically_relative(data);
    fs::create_directories(target.parent_path());
    std::ofstream(target, std::ios::binary) << content;
  }
}

}  // namespace

fs::path World::place(const std::string& name) {
  // In memory where the machine has a place for that: how a real disk syncs is not asked here.
  const fs::path memory = "/dev/shm";
  if (root_.empty())
    root_ = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
            ("gauger-simulate-" + std::to_string(::getpid()) + "-" + std::to_string(seed_));
  return root_ / name;
}

// A ledger on the machine's disk becomes the one that is simulated.
void World::go_on_with(const fs::path& directory, Model model) {
  const auto verified = ledger::verify(directory, silent);
  require(verified.has_value(), verified ? "" : verified.error().sentence);
  const auto& report = verified.value();
  require(report.findings.empty(), "a ledger from outside does not verify: " +
                                       (report.findings.empty() ? "" : report.findings.front()));
  fault_at_start_.reset();
  disk_ = std::make_unique<SimulatedDisk>(image_of(directory), seed_ + ++disks_);
  options_.disk = &disk_->disk();
  history_.clear();
  durable_ = report.head.sequence;
  history_[durable_] = std::move(model);
  start();
}

// Of whatever is durable now, whether or not somebody was told; a broken disk is read as well.
void World::backup() {
  disk_->disarm();
  const auto directory = place("life-" + std::to_string(counts_.restores));
  const auto made = ledger::back_up(data, directory, archive_, clock_, silent, disk_->disk());
  if (!made) {
    require(made.error().code == ErrorCode::refused && durable_ == 0,
            "backup: " + made.error().sentence);
    return;
  }
  ++counts_.backups;
  const auto& backup = made.value().backup;
  require(backup.head.sequence >= durable_,
          "a backup lacks block " + std::to_string(durable_) + ", which was acknowledged");
  require(history_.contains(backup.head.sequence), "a backup holds a block that nobody committed");
  if (!made.value().unchanged)
    backups_.push_back({directory, backup.number, history_.at(backup.head.sequence)});
}

// The ledger and its disk are lost; logs and what left the house are not.
void World::restore(Choices& choices) {
  if (backups_.empty()) return;
  const auto kept = backups_[choices.below(backups_.size())];
  disk_->halt();
  drop_ledger();
  const auto directory = place("restored");
  fs::remove_all(directory);
  const auto backup = ledger::find_backup(kept.directory, kept.number);
  require(backup.has_value(), backup ? "" : backup.error().sentence);
  const auto restored =
      ledger::restore(kept.directory, backup.value(), directory, "simulator", clock_, silent);
  require(restored.has_value(), restored ? "" : "restore: " + restored.error().sentence);
  ++counts_.restores;
  archive_.clear();  // all of the journal is there again
  auto model = kept.model;
  model.block_time = std::max(model.block_time, clock_.now());
  model.numbers_confirmed = false;
  model.usage.archive_through(0);
  go_on_with(directory, std::move(model));
}

// What needs the writer away: the ledger is closed in order, and the real programs' work is done
// to its files.
bool World::bring_out(const fs::path& directory) {
  if (!flush() || durable_ == 0) return false;
  disk_->disarm();
  if (const auto closed = ledger_->close(); !closed) {
    died(closed.error());
    return false;
  }
  acknowledge();
  drop_ledger();
  write_image(disk_->image(), directory);
  return true;
}

// The beginning of the journal moves into an archive. No answer changes; what comes to amend an
// event of then is quarantined.
void World::retain(Choices& choices) {
  const auto directory = place("outside");
  if (!bring_out(directory)) return;
  archive_ = place("archive-" + std::to_string(counts_.restores));
  ledger::RetentionOptions options;
  options.archive = archive_;
  options.before = clock_.now() - std::chrono::minutes{static_cast<int64_t>(choices.below(240))};
  const auto retained = ledger::retain(directory, options, clock_, {silent, silent});
  require(retained.has_value(), retained ? "" : "retention: " + retained.error().sentence);
  counts_.retained += retained.value().removed;
  auto model = model_;
  if (retained.value().blocks != 0) model.block_time = std::max(model.block_time, clock_.now());
  model.usage.archive_through(retained.value().cut.sequence);
  go_on_with(directory, std::move(model));
}

// Whatever lies beside the journal is made anew of it, and was the same.
void World::rebuild() {
  const auto directory = place("outside");
  if (!bring_out(directory)) return;
  ledger::RebuildOptions options;
  options.archive = archive_;
  const auto rebuilt = ledger::rebuild(directory, options, silent);
  require(rebuilt.has_value(), rebuilt ? "" : "rebuild: " + rebuilt.error().sentence);
  const auto& findings = rebuilt.value().findings;
  require(findings.empty(), "a rebuild mended " + (findings.empty() ? "" : findings.front()));
  ++counts_.rebuilds;
  go_on_with(directory, model_);
}

}  // namespace gauger::simulation
