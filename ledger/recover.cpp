#include "ledger/recover.h"

#include <array>

#include "ledger/anchor.h"

namespace gauger::ledger {
namespace {

Error missing_identities(uint64_t row) {
  return corruption("the identities of row " + std::to_string(row) + " are missing");
}

}  // namespace

Result<std::optional<LedgerConfig>> read_config(const Store& store) {
  TRY(const auto bytes, store.get(Family::meta, config_key));
  if (!bytes) return std::optional<LedgerConfig>();
  TRY(auto config, decode_config(*bytes));
  return std::optional<LedgerConfig>(std::move(config));
}

Result<Head> read_head(const Store& store) {
  TRY(const auto bytes, store.get(Family::meta, head_key));
  if (!bytes) return Head{};
  return decode_head(*bytes);
}

Result<std::vector<Position>> read_positions(const Store& store) {
  std::vector<Position> positions;
  TRY(store.scan(Family::positions, {}, {},
                 [&](std::string_view key, std::string_view value) -> Result<bool> {
                   TRY(auto position, decode_position(key, value));
                   positions.push_back(std::move(position));
                   return true;
                 }));
  return positions;
}

Result<void> load_state(const Store& store, const Head& head, State& state) {
  state.head = head;
  TRY(load_dictionary(store, head, state.dictionary));
  TRY(state.waiting.load(store));
  return store.scan(Family::positions, {}, {},
                    [&](std::string_view key, std::string_view value) -> Result<bool> {
                      TRY(auto position, decode_position(key, value));
                      state.positions.emplace(std::string(key), std::move(position));
                      return true;
                    });
}

Result<std::vector<RowRange>> load_identities(const Store& store, State& state) {
  std::vector<RowRange> obsolete;
  TRY(auto runs, open_runs(store, state.head.next_row, obsolete));
  uint64_t next_row = runs.empty() ? 0 : runs.back()->range.end_row;
  state.identities.set_runs(std::move(runs));
  IdentityChunk chunk;
  constexpr uint32_t prefetch_distance = 16;
  std::array<Fingerprint, identity_chunk_records> fingerprints;
  TRY(store.scan(Family::identities, identity_chunk_key(next_row), {},
                 [&](std::string_view, std::string_view value) -> Result<bool> {
                   TRY(chunk.read(value));
                   if (chunk.first_row() >= state.head.next_row) return false;
                   if (chunk.first_row() != next_row) return missing_identities(next_row);
                   next_row += chunk.records();
                   const auto count = chunk.events();
                   for (uint32_t i = 0; i < count; ++i)
                     fingerprints[i] = fingerprint(state.config.identity_key, chunk.name_space(i),
                                                   chunk.source(i), chunk.id(i));
                   for (uint32_t i = 0; i < count; ++i) {
                     if (i + prefetch_distance < count)
                       state.identities.prefetch(fingerprints[i + prefetch_distance]);
                     state.identities.insert(fingerprints[i], chunk.row(i));
                   }
                   return true;
                 }));
  if (next_row != state.head.next_row) return missing_identities(next_row);
  return obsolete;
}

Result<void> load_projections(const Store& store, const State& state, Projections& projections,
                              FoldedBlocks folded) {
  TRY(const auto from, projections.load(state.head.sequence));
  return scan_journal(store, from, state.head.sequence, Columns::fold,
                      [&](const Block& block, std::string_view) -> Result<void> {
                        projections.publish(
                            fold(block, state.config.grain),
                            {block.first_row + block.records(), block.sequence + 1});
                        if (folded == FoldedBlocks::in_memory) return success();
                        return projections.flush(false);
                      });
}

Result<void> check_anchor(const Store& store, const Head& head, const Head& anchor) {
  const auto lost = [&](const std::string& what) {
    return corruption("the ledger was durable up to block " + std::to_string(anchor.sequence) +
                      ", but " + what +
                      ". Acknowledged data is gone: this is damage, not a crash. "
                      "Restore a backup");
  };
  if (head.sequence < anchor.sequence)
    return lost("its journal ends at block " + std::to_string(head.sequence));
  if (anchor.sequence == 0) return success();
  TRY(const auto entry,
      store.at_or_before(Family::journal, encode(BlockKey{anchor.next_row, anchor.sequence})));
  if (!entry || sha256(entry->value) != anchor.hash)
    return lost("that block is missing or another one");
  return success();
}

Result<std::unique_ptr<RocksStore>> open_store(const std::filesystem::path& directory, Disk& disk) {
  return RocksStore::open(directory / "store", {}, disk, [&](const Store& left) -> Result<void> {
    TRY(const auto anchor, Anchor::read(directory / "anchor", disk));
    TRY(const auto head, read_head(left));
    return check_anchor(left, head, anchor.value_or(Head{}));
  });
}

}  // namespace gauger::ledger
