#include "ledger/apply.h"

#include <algorithm>

#include "ledger/dimension.h"
#include "ledger/fold.h"
#include "ledger/quarantine.h"
#include "schemas/verify.h"

namespace gauger::ledger {

// The stages of one batch, in order. Each works through flat arrays; what misses the cache is
// prefetched some events ahead.
class Apply {
 public:
  Apply(Batch& batch, State& state, History& history)
      : batch_(batch),
        state_(state),
        history_(history),
        events_(batch.events_),
        first_row_(state.head.next_row),
        sequence_(state.head.sequence + 1) {}

  Result<Commit> run() {
    fates_.assign(events_.size(), Disposition::accepted);
    TRY(state_.identities.find_cold(history_.store(), events_.fingerprint, suspects_));
    probe_identities();
    TRY(compare_with_journal());
    TRY(decide_doubtful());
    intern_keys();
    TRY(amend());
    add_up();
    reject_conflicts();
    keep_accepted();
    TRY(use_reservations());
    make_block();
    post_documents();
    TRY(post_reservations());
    TRY(quarantine());
    move_positions();
    make_head();
    history_.remember(commit_.block);
    return std::move(commit_);
  }

 private:
  static constexpr size_t prefetch_distance = 16;

  using Suspect = IdentitySet::Suspect;

  uint64_t row_of(size_t event) const { return first_row_ + events_.row[event]; }

  // Stage: ask the index for every identity, after the cold runs were asked. Unknown ones are taken
  // at once.
  void probe_identities() {
    auto& index = state_.identities;
    const auto count = events_.size();
    std::sort(suspects_.begin(), suspects_.end(),
              [](const Suspect& a, const Suspect& b) { return a.event < b.event; });
    const auto cold = suspects_.size();
    size_t next_cold = 0;
    for (size_t i = 0; i < std::min(prefetch_distance, count); ++i)
      index.prefetch(events_.fingerprint[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + prefetch_distance < count) index.prefetch(events_.fingerprint[i + prefetch_distance]);
      while (next_cold < cold && suspects_[next_cold].event < i) ++next_cold;
      const bool known = next_cold < cold && suspects_[next_cold].event == i;
      const auto suspect = [&](uint64_t row) {
        if (row < first_row_) suspects_.push_back({row, static_cast<uint32_t>(i)});
      };
      if (index.find_or_insert(events_.fingerprint[i], row_of(i), known, suspect))
        doubtful_.push_back(static_cast<uint32_t>(i));
    }
  }

  // Stage: the journal's raw ids decide, block by block.
  Result<void> compare_with_journal() {
    std::sort(suspects_.begin(), suspects_.end(), [](const Suspect& a, const Suspect& b) {
      return a.row != b.row ? a.row < b.row : a.event < b.event;
    });
    auto identities = history_.identities();
    for (const auto& suspect : suspects_) {
      TRY(const auto known, identities.at(suspect.row));
      if (!known || !is_identity(*known, name_space_of(suspect.event),
                                 events_.source[suspect.event], events_.id[suspect.event]))
        continue;
      decide(suspect.event, known->content_hash, known->completed_us, known->duration_us);
    }
    return success();
  }

  StringId name_space_of(uint32_t event) const { return batch_.usage_keys_[event].name_space; }

  // Sets the fate of an event that has the same identity as an accepted one of the batch.
  bool compare(uint32_t event, uint32_t other) {
    if (events_.source[event] != events_.source[other] || events_.id[event] != events_.id[other])
      return false;
    decide(event, events_.content_hash[other], events_.completed_us[other],
           events_.duration_us[other]);
    return true;
  }

  // The fate of an event whose identity is known with this content and these times.
  void decide(uint32_t event, uint64_t content_hash, int64_t completed_us, int64_t duration_us) {
    if (events_.content_hash[event] != content_hash)
      fates_[event] = Disposition::conflict;
    else if (events_.completed_us[event] != completed_us ||
             events_.duration_us[event] != duration_us)
      fates_[event] = Disposition::restamped;
    else
      fates_[event] = Disposition::duplicate;
  }

  // Stage: events whose fingerprint is known but whose identity is not in the journal: a twin
  // within the batch, or two identities that share a fingerprint.
  Result<void> decide_doubtful() {
    for (const auto event : doubtful_) {
      if (fates_[event] != Disposition::accepted) continue;
      const bool decided =
          state_.identities.find_recent(events_.fingerprint[event], [&](uint64_t row) {
            if (row < first_row_) return false;
            const auto other = event_of_record(static_cast<uint32_t>(row - first_row_));
            return other && name_space_of(*other) == name_space_of(event) && compare(event, *other);
          });
      if (!decided) state_.identities.insert(events_.fingerprint[event], row_of(event));
    }
    return success();
  }

  // An event that looked accepted is not after all: the next one of its identity in the batch takes
  // its place, as it would have in a batch of its own.
  void give_up(uint32_t gone, Disposition fate) {
    fates_[gone] = fate;
    if (doubtful_of_.empty())
      for (const auto event : doubtful_) doubtful_of_[events_.fingerprint[event]].push_back(event);
    const auto twins = doubtful_of_.find(events_.fingerprint[gone]);
    if (twins == doubtful_of_.end()) return;
    std::optional<uint32_t> heir;
    for (const auto twin : twins->second) {
      if (twin <= gone || name_space_of(twin) != name_space_of(gone) ||
          events_.source[twin] != events_.source[gone] || events_.id[twin] != events_.id[gone])
        continue;
      if (heir) {
        compare(twin, *heir);
        continue;
      }
      heir = twin;
      fates_[twin] = Disposition::accepted;
      events_.key[twin] = intern(batch_.usage_keys_[twin]);
      state_.identities.insert(events_.fingerprint[twin], row_of(twin));
    }
  }

  std::optional<uint32_t> event_of_record(uint32_t record) const {
    const auto found = std::lower_bound(events_.row.begin(), events_.row.end(), record);
    if (found == events_.row.end() || *found != record) return std::nullopt;
    return static_cast<uint32_t>(found - events_.row.begin());
  }

  // Stage: usage keys to ids, two prefetches deep: the slot, then the key it names.
  void intern_keys() {
    auto& keys = state_.dictionary.keys;
    const auto& hashes = batch_.key_hashes_;
    const auto count = events_.size();
    events_.key.resize(count);
    for (size_t i = 0; i < std::min(2 * prefetch_distance, count); ++i)
      keys.prefetch_slot(hashes[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + 2 * prefetch_distance < count) keys.prefetch_slot(hashes[i + 2 * prefetch_distance]);
      if (i + prefetch_distance < count) keys.prefetch_key(hashes[i + prefetch_distance]);
      if (fates_[i] == Disposition::accepted)
        events_.key[i] = intern(batch_.usage_keys_[i], hashes[i]);
    }
  }

  uint32_t intern(const UsageKey& key) { return intern(key, KeyDictionary::hash(key)); }
  uint32_t intern(const UsageKey& key, uint64_t hash) {
    const auto id = state_.dictionary.keys.intern(key, hash);
    VERIFY(id, "a batch leaves room in the dictionary");
    return *id;
  }

  // Stage: retractions and outcomes, and usage that one of them waits for. In record order.
  Result<void> amend() {
    const bool targets = !events_.targets.empty();
    if (!targets && !state_.waiting.any()) return success();
    for (uint32_t event = 0; event < events_.size(); ++event) {
      if (fates_[event] != Disposition::accepted) continue;
      if (targets) {
        if (const auto* target = events_.target_of(event)) {
          TRY(amend_target(event, *target));
        }
        // What waits for an event that was just given up waits on: it was never counted.
        if (fates_[event] != Disposition::accepted) continue;
      }
      if (events_.kind[event] == EventKind::usage &&
          state_.waiting.has(events_.fingerprint[event])) {
        TRY(release_waiting(event));
      }
    }
    return success();
  }

  // A usage row that an amendment is about, wherever it lies.
  struct Usage {
    uint64_t row;
    uint32_t key;
    int64_t completed_us;
    MeterMask present;
    Counts counts;
    std::vector<ExtraSum> extras;
  };

  static Usage usage_at(const EventColumns& events, uint32_t event, uint64_t row) {
    Usage usage{row,
                events.key[event],
                events.completed_us[event],
                events.present[event],
                events.counts_of(event),
                {}};
    for (const auto& extra : events.extras_of(event))
      usage.extras.push_back({extra.name, extra.count});
    return usage;
  }

  struct Found {
    bool exists = false;
    bool is_usage = false;
    Usage usage{};
    bool archived = false;  // with the block that held it
  };

  Result<Found> find_target(uint32_t event, const TargetRow& target, Fingerprint fingerprint) {
    std::vector<uint64_t> rows;
    state_.identities.find_recent(fingerprint, [&](uint64_t row) {
      rows.push_back(row);
      return false;
    });
    std::vector<Suspect> cold;
    TRY(state_.identities.find_cold(history_.store(), std::span(&fingerprint, 1), cold));
    for (const auto& suspect : cold) rows.push_back(suspect.row);
    auto identities = history_.identities();
    for (const auto row : rows) {
      std::shared_ptr<const Block> block;
      const EventColumns* columns = &events_;
      std::optional<uint32_t> at;
      if (row >= first_row_) {
        at = event_of_record(static_cast<uint32_t>(row - first_row_));
        if (!at || fates_[*at] != Disposition::accepted || *at > event ||
            name_space_of(*at) != name_space_of(event) || events_.source[*at] != target.source ||
            events_.id[*at] != target.id)
          continue;
      } else {
        TRY(const auto known, identities.at(row));
        if (!known || !is_identity(*known, name_space_of(event), target.source, target.id))
          continue;
        TRY(block, history_.block_of(row));
        if (!block) return Found{true, false, {}, true};
        at = block->event_of(static_cast<uint32_t>(row - block->first_row));
        columns = &block->events;
      }
      Found found{true, columns->kind[*at] == EventKind::usage, {}};
      if (found.is_usage) found.usage = usage_at(*columns, *at, row);
      return found;
    }
    return Found{};
  }

  Result<void> amend_target(uint32_t event, const TargetRow& target) {
    const auto wanted =
        fingerprint(state_.config.identity_key, name_space_of(event), target.source, target.id);
    TRY(const auto found, find_target(event, target, wanted));
    const auto kind =
        events_.kind[event] == EventKind::outcome ? EventKind::outcome : EventKind::retraction;
    const auto outcome = batch_.usage_keys_[event].outcome;
    if (!found.exists) {
      state_.waiting.add(
          wanted, {row_of(event), kind, outcome, name_space_of(event), target.source, target.id},
          commit_.writes);
      return success();
    }
    if (!found.is_usage) {
      give_up(event, Disposition::quarantined);
      batch_.rejected_.push_back(
          {events_.row[event],
           found.archived ? RejectReason::too_old : RejectReason::target_not_usage,
           "'" + target.id + (found.archived ? "' was archived" : "' is not a usage event"),
           batch_.raws_[event]});
      return success();
    }
    TRY(const bool changed, amend_usage(found.usage, kind, outcome));
    // A second retraction of the same event says nothing new, unless it brings usage itself.
    if (!changed && kind == EventKind::retraction && events_.kind[event] == EventKind::retraction)
      give_up(event, Disposition::duplicate);
    return success();
  }

  // Takes a usage row's counts away, or moves them to the key with that outcome. False when a
  // retraction finds it gone already.
  Result<bool> amend_usage(const Usage& usage, EventKind kind, Outcome outcome) {
    TRY(const auto known, history_.amendment(usage.row));
    auto amendment = known.value_or(Amendment{false, usage.key});
    if (amendment.retracted) return false;
    Adjustment adjustment{usage.row,     usage.completed_us, amendment.key, Adjustment::no_key,
                          usage.present, usage.counts,       usage.extras};
    if (kind == EventKind::retraction) {
      amendment.retracted = true;
    } else {
      auto key = state_.dictionary.keys.key(amendment.key);
      key.outcome = outcome;
      adjustment.key_to = amendment.key = intern(key);
    }
    if (adjustment.key_from != adjustment.key_to) adjustments_.push_back(std::move(adjustment));
    history_.remember(usage.row, amendment, sequence_);
    commit_.writes.put(Family::amendments, amendment_key(usage.row), encode(amendment));
    return true;
  }

  Result<void> release_waiting(uint32_t event) {
    const auto waited =
        state_.waiting.take(events_.fingerprint[event], name_space_of(event), events_.source[event],
                            events_.id[event], commit_.writes);
    for (const auto& amendment : waited) {
      TRY(amend_usage(usage_at(events_, event, row_of(event)), amendment.kind, amendment.outcome));
    }
    return success();
  }

  // Stage: the totals that bound every rollup cell.
  void add_up() {
    commit_.head = state_.head;
    for (size_t event = 0; event < events_.size(); ++event) {
      if (fates_[event] != Disposition::accepted) continue;
      auto values = events_.counts[event];
      size_t next = 0;
      for (unsigned mask = events_.present[event]; mask != 0; mask &= mask - 1)
        commit_.head.totals[static_cast<size_t>(__builtin_ctz(mask))] += values[next++];
    }
  }

  void reject_conflicts() {
    for (size_t event = 0; event < events_.size(); ++event)
      if (fates_[event] == Disposition::conflict)
        batch_.rejected_.push_back(
            {events_.row[event], RejectReason::conflict,
             "the identity '" + std::string(events_.id[event]) + "' is known with other content",
             batch_.raws_[event]});
  }

  void keep_accepted() {
    std::vector<uint8_t> kept(events_.size());
    bool all = true;
    for (size_t i = 0; i < kept.size(); ++i) {
      batch_.dispositions_[events_.row[i]] = fates_[i];
      kept[i] = static_cast<uint8_t>(fates_[i] == Disposition::accepted);
      all = all && kept[i] != 0;
    }
    if (!all) events_.keep(kept);
  }

  // Stage: events that name a reservation end it.
  Result<void> use_reservations() {
    if (events_.reservation_id.bytes().empty()) return success();
    const auto& strings = state_.dictionary.strings;
    for (uint32_t event = 0; event < events_.size(); ++event) {
      if (events_.kind[event] != EventKind::usage || events_.reservation_id[event].empty())
        continue;
      const auto& key = state_.dictionary.keys.key(events_.key[event]);
      ReservedUsage usage;
      usage.name_space = strings.text(key.name_space);
      usage.reservation = events_.reservation_id[event];
      usage.period = period_at(events_.completed_us[event], state_.config.grain);
      usage.used = [&](const Hold& hold) { return used_of(hold, key, event, usage.period); };
      TRY(auto record, state_.reservations.use(history_.store(), usage));
      if (record) batch_.reservations_.push_back(std::move(*record));
    }
    return success();
  }

  std::optional<Int128> used_of(const Hold& hold, const UsageKey& key, uint32_t event,
                                uint32_t period) const {
    const auto text_of = [&](StringId id) { return state_.dictionary.strings.text(id); };
    for (const auto& filter : hold.scope)
      if (!matches(key, filter, text_of)) return Int128{0};
    const QuotaAmounts amounts{1, events_.counts_of(event), {}};
    if (hold.measure.kind != QuotaMeasure::Kind::cost) return amount_of(hold.measure, amounts);
    if (!state_.quota_terms.cost_of) return std::nullopt;
    std::vector<ExtraSum> extras;
    for (const auto& extra : events_.extras_of(event)) extras.push_back({extra.name, extra.count});
    auto table = table_of(state_.config);
    add_row(table, key, state_.dictionary, period_begin(period, state_.config.grain),
            amounts.requests, amounts.counts, extras);
    return state_.quota_terms.cost_of(table, hold.currency).at(0);
  }

  Result<void> post_reservations() {
    auto& block = *commit_.block;
    block.reservations = std::move(batch_.reservations_);
    state_.reservations.written(history_.written());
    return state_.reservations.write(history_.store(), block.reservations, block.block_time,
                                     sequence_, commit_.writes);
  }

  // One whose columns come back when nobody needs it any more, but for those of unusually large
  // records.
  std::shared_ptr<Block> make_empty_block() const {
    constexpr size_t kept_bytes_max = 16U << 20;
    return {new Block, [spare = batch_.spare_columns_](Block* done) {
              const std::unique_ptr<Block> owned(done);
              if (done->events.memory_bytes() > kept_bytes_max) return;
              done->events.clear();
              spare->give_back(std::move(done->events));
            }};
  }

  void make_block() {
    auto block = make_empty_block();
    block->sequence = sequence_;
    block->first_row = first_row_;
    block->block_time = batch_.block_time_;
    block->segments = batch_.segments_;
    block->dispositions = batch_.dispositions_;
    block->offsets = batch_.offsets_;
    block->events = std::move(events_);
    events_ = batch_.spare_columns_->take();
    events_.reserve_like(block->events);
    block->adjustments = std::move(adjustments_);
    const auto& strings = state_.dictionary.strings;
    const auto& keys = state_.dictionary.keys;
    block->first_string = state_.head.strings;
    for (auto id = state_.head.strings; id < strings.size(); ++id)
      block->strings.push_back(strings.text(StringId{id}));
    block->first_key = state_.head.keys;
    for (auto id = state_.head.keys; id < keys.size(); ++id) block->keys.push_back(keys.key(id));
    commit_.block = std::move(block);
  }

  void post_documents() {
    auto& block = *commit_.block;
    block.documents = std::move(batch_.documents_);
    for (uint32_t i = 0; i < block.documents.size(); ++i) {
      auto& version = block.documents[i].version;
      version.known_from = sequence_;
      version.index = i;
      version.recorded_at = block.block_time;
      version.first_row = first_row_;
      commit_.writes.put(Family::documents, document_key(version.key, version.version),
                         encode(version));
    }
  }

  Result<void> quarantine() {
    const auto& block = *commit_.block;
    for (const auto& rejected : batch_.rejected_) {
      const auto& segment = block.segment_of(rejected.record);
      const auto name_space = state_.dictionary.strings.text(segment.name_space);
      auto hash_key = quarantine_hash_key(name_space, rejected.raw);
      TRY(const bool kept_already, history_.quarantined(hash_key));
      if (kept_already) continue;
      const QuarantinedRecord record{
          block.sequence,
          rejected.record,
          rejected.reason,
          block.block_time,
          std::string(name_space),
          segment.source,
          segment.partition,
          segment.begin_offset + block.offsets[rejected.record],
          rejected.detail,
          rejected.raw.size(),
          std::string(rejected.raw.substr(0, limits::quarantined_bytes_max))};
      auto key = quarantine_key(block.sequence, rejected.record);
      commit_.writes.put(Family::quarantine, key, encode(record));
      commit_.writes.put(Family::quarantine, hash_key, std::move(key));
      history_.remember_quarantined(std::move(hash_key), sequence_);
    }
    return success();
  }

  void move_positions() {
    for (const auto& segment : commit_.block->segments) {
      if (!keeps_position(segment.source)) continue;
      auto key = position_key(segment.source, segment.partition);
      auto [found, fresh] = state_.positions.try_emplace(key);
      auto& position = found->second;
      move_position(position, fresh, *commit_.block, segment);
      commit_.writes.put(Family::positions, std::move(key), encode(position));
    }
  }

  void make_head() {
    auto& head = commit_.head;
    head.sequence = sequence_;
    head.next_row = first_row_ + commit_.block->records();
    head.block_time = batch_.block_time_;
    for (const auto disposition : commit_.block->dispositions)
      ++head.records[static_cast<size_t>(disposition)];
    head.strings = state_.dictionary.strings.size();
    head.keys = state_.dictionary.keys.size();
    state_.head = head;
  }

  Batch& batch_;
  State& state_;
  History& history_;
  EventColumns& events_;
  const uint64_t first_row_;
  const uint64_t sequence_;
  std::vector<Disposition> fates_;
  std::vector<Suspect> suspects_;
  std::vector<uint32_t> doubtful_;                                      // in record order
  std::unordered_map<Fingerprint, std::vector<uint32_t>> doubtful_of_;  // made when first needed
  std::vector<Adjustment> adjustments_;
  Commit commit_;
};

Result<Commit> apply(Batch& batch, State& state, History& history) {
  return Apply(batch, state, history).run();
}

void seal(Commit& commit, const Digest& previous_hash) {
  commit.block->previous_hash = previous_hash;
  auto stored = encode(*commit.block);
  commit.head.hash = sha256(stored.bytes);
  put_dictionary(commit.writes, *commit.block, stored);
  for (auto& chunk : stored.identities)
    commit.writes.put(Family::identities, identity_chunk_key(chunk.first_row),
                      std::move(chunk.bytes));
  commit.writes.put(Family::journal,
                    encode(BlockKey{commit.block->first_row, commit.block->sequence}),
                    std::move(stored.bytes));
  commit.writes.put(Family::meta, std::string(head_key), encode(commit.head));
}

}  // namespace gauger::ledger
