// Backups of the live ledger, and lives that begin with one of them: the real files, on the
// machine's disk, beside the simulated one that the ledger lies on.
#include <unistd.h>

#include <fstream>

#include "ledger/backup/backup.h"
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

}  // namespace

// Of whatever is durable now, whether or not somebody was told; a broken disk is read as well.
void World::backup() {
  disk_->disarm();
  // In memory where the machine has a place for that: how a real disk syncs is not asked here.
  const fs::path memory = "/dev/shm";
  if (root_.empty())
    root_ = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
            ("gauger-simulate-" + std::to_string(::getpid()) + "-" + std::to_string(seed_));
  const auto directory = root_ / ("life-" + std::to_string(counts_.restores));
  const auto made = ledger::back_up(data, directory, {}, clock_, silent, disk_->disk());
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
  const auto directory = root_ / "restored";
  fs::remove_all(directory);
  const auto backup = ledger::find_backup(kept.directory, kept.number);
  require(backup.has_value(), backup ? "" : backup.error().sentence);
  const auto restored =
      ledger::restore(kept.directory, backup.value(), directory, "simulator", clock_, silent);
  require(restored.has_value(), restored ? "" : "restore: " + restored.error().sentence);
  const auto verified = ledger::verify(directory, silent);
  require(verified.has_value() && verified.value().findings.empty(),
          !verified ? verified.error().sentence
                    : "a restored ledger does not verify: " +
                          (verified.value().findings.empty() ? std::string()
                                                             : verified.value().findings.front()));
  ++counts_.restores;
  fault_at_start_.reset();
  disk_ = std::make_unique<SimulatedDisk>(image_of(directory), seed_ + counts_.restores);
  options_.disk = &disk_->disk();
  auto model = kept.model;
  model.block_time = std::max(model.block_time, clock_.now());
  model.numbers_confirmed = false;
  history_.clear();
  durable_ = restored.value().head.sequence;
  history_[durable_] = std::move(model);
  start();
}

}  // namespace gauger::simulation
