#include "ledger/ledger.h"

#include <random>
#include <thread>

#include "ledger/anchor.h"
#include "ledger/apply.h"
#include "ledger/bounded_queue.h"
#include "ledger/crash_point.h"
#include "ledger/disk.h"
#include "ledger/folding.h"
#include "ledger/identity_settler.h"
#include "ledger/lock.h"
#include "ledger/reader.h"
#include "ledger/recover.h"
#include "ledger/reservation_rules.h"
#include "ledger/rocks_store.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

using std::chrono::steady_clock;

constexpr size_t unsynced_blocks_max = 4;
static_assert(unsynced_blocks_max < Folding::unfolded_blocks_max);

}  // namespace

struct Ledger::Impl {
  Impl(Store& ledger_store, const LedgerOptions& ledger_options, const Clock& ledger_clock)
      : store(ledger_store),
        options(ledger_options),
        clock(ledger_clock),
        history(ledger_store, ledger_options.block_cache_bytes) {}

  // Owned when the ledger was opened by directory.
  std::optional<DirectoryLock> lock;
  std::unique_ptr<RocksStore> rocks;
  std::optional<Anchor> anchor;

  Store& store;
  const LedgerOptions options;
  const Clock& clock;

  std::filesystem::path directory;  // empty over a store of the caller's
  const Disk* disk = nullptr;

  // The committing thread's.
  bool room = true;
  steady_clock::time_point room_due{};
  State state;
  History history;
  std::unique_ptr<Batch> batch;
  bool batch_open = false;

  // The writing thread's.
  Head written;  // with its hash
  std::vector<std::shared_ptr<const Block>> unsynced;
  steady_clock::time_point sync_due{};

  std::unique_ptr<Projections> projections;
  std::unique_ptr<QuotaBook> quotas;
  IdentitySettler settler{store};
  BoundedQueue<Commit> to_write{limits::batches_in_flight_max - 1};
  std::unique_ptr<Folding> folding;
  std::thread writer;

  // Shared.
  mutable std::mutex mutex;
  std::condition_variable progress;
  std::optional<Error> failure;
  Head committed;
  uint64_t durable = 0;
  Head durable_head;
  uint64_t folded = 0;
  uint64_t sync_wanted = 0;

  Result<void> recover();
  Result<void> choose_config();
  void start_threads();
  void stop_threads();

  void fail(const Error& error);
  Result<void> check_failure() const;

  Result<void> write(Commit commit);
  Result<void> sync();
  void folded_up_to(uint64_t sequence);
  void write_loop();
  bool sync_is_due() const;

  void end_reservation(ReservationStep step, const Reservation& live, Batch& open) {
    auto record = state.reservations.end(step, live);
    for (const auto& hold : record.reservation.holds)
      quotas->change_hold(record.reservation.name_space, hold, -hold.amount);
    open.add_reservation(std::move(record));
  }
};

Result<void> Ledger::Impl::choose_config() {
  TRY(auto stored, read_config(store));
  if (stored) {
    if (options.config) {
      auto wanted = *options.config;
      wanted.identity_key = stored->identity_key;
      if (wanted != *stored)
        return Error{ErrorCode::refused,
                     "this ledger was made with another grain, time zone or context boundaries; "
                     "`gauger rebuild` changes the first two, the third is for ever"};
    }
    state.config = *stored;
    return success();
  }
  state.config = options.config.value_or(LedgerConfig{});
  TRY(check(state.config));
  if (state.config.identity_key == 0)
    state.config.identity_key = (uint64_t{std::random_device{}()} << 32 | std::random_device{}());
  WriteSet writes;
  writes.put(Family::meta, std::string(config_key), encode(state.config));
  TRY(store.write(writes));
  return store.sync();
}

Result<void> Ledger::Impl::recover() {
  TRY(choose_config());
  TRY(const auto head, read_head(store));
  if (anchor) {
    // A ledger without blocks may have been killed before its first anchor.
    if (!anchor->head() && head.sequence > 0)
      return corruption(
          "the ledger's anchor is gone: nobody can say what was acknowledged. "
          "Restore a backup");
    TRY(check_anchor(store, head, anchor->head().value_or(Head{})));
  }
  TRY(load_state(store, head, state));
  TRY(const auto obsolete_runs, load_identities(store, state));
  TRY(state.reservations.load(store, state.config.grain));
  quotas = std::make_unique<QuotaBook>(state.config, state.dictionary);
  projections = std::make_unique<Projections>(store, state.config, state.dictionary);
  // What a crash left behind is made durable before anything of it is packed or shown.
  TRY(store.sync());
  TRY(load_projections(store, state, *projections, FoldedBlocks::packed));
  settler.begin(obsolete_runs, state.identities, head.next_row);
  if (anchor) {
    TRY(anchor->write(head));
  }
  written = committed = durable_head = head;
  durable = folded = head.sequence;
  folding = std::make_unique<Folding>(*projections, *quotas, state.config.grain,
                                      [this](uint64_t sequence) { folded_up_to(sequence); });
  batch = std::make_unique<Batch>(state.config, state.dictionary);
  return success();
}

void Ledger::Impl::start_threads() {
  if (options.single_threaded) return;
  writer = std::thread([this] { write_loop(); });
  folding->start_threads([this](const Error& error) { fail(error); });
  settler.start_thread([this](const Error& error) { fail(error); });
}

void Ledger::Impl::stop_threads() {
  to_write.close();
  if (writer.joinable()) writer.join();
  if (folding) folding->stop();
  settler.stop();
}

void Ledger::Impl::fail(const Error& error) {
  {
    const std::lock_guard guard(mutex);
    if (!failure) failure = error;
  }
  progress.notify_all();
  to_write.close();
  folding->close();
}

Result<void> Ledger::Impl::check_failure() const {
  const std::lock_guard guard(mutex);
  if (failure) return *failure;
  return success();
}

// --- the writing thread ---------------------------------------------------------------------

Result<void> Ledger::Impl::write(Commit commit) {
  seal(commit, written.hash);
  TRY(store.write(commit.writes));
  history.written(commit.head.sequence);
  written = commit.head;
  if (unsynced.empty()) sync_due = steady_clock::now() + limits::sync_interval_max;
  unsynced.push_back(std::move(commit.block));
  return success();
}

bool Ledger::Impl::sync_is_due() const {
  if (unsynced.empty()) return false;
  // Nothing waits to be written: what is there need not wait for more.
  if (unsynced.size() >= unsynced_blocks_max || to_write.empty()) return true;
  if (steady_clock::now() >= sync_due) return true;
  const std::lock_guard guard(mutex);
  return sync_wanted > durable;
}

Result<void> Ledger::Impl::sync() {
  TRY(store.sync());
  if (anchor) {
    TRY(anchor->write(written));
  }
  {
    const std::lock_guard guard(mutex);
    durable = written.sequence;
    durable_head = written;
  }
  progress.notify_all();
  settler.set_durable(written.next_row);
  if (options.single_threaded) {
    TRY(settler.settle());
  }
  for (auto& block : unsynced) {
    TRY(folding->add(std::move(block)));
  }
  unsynced.clear();
  return success();
}

void Ledger::Impl::write_loop() {
  const auto step = [&]() -> Result<void> {
    auto commit = unsynced.empty() ? to_write.pop() : to_write.pop_until(sync_due);
    if (commit) {
      TRY(write(std::move(*commit)));
    }
    if (sync_is_due() || (to_write.closed() && !unsynced.empty())) return sync();
    return success();
  };
  while (!to_write.closed() || !unsynced.empty()) {
    if (const auto done = step(); !done) return fail(done.error());
  }
}

// The folding thread says so.
void Ledger::Impl::folded_up_to(uint64_t sequence) {
  {
    const std::lock_guard guard(mutex);
    folded = sequence;
  }
  progress.notify_all();
}

// --- the committing thread ------------------------------------------------------------------

Result<std::unique_ptr<Ledger>> Ledger::open(const std::filesystem::path& directory,
                                             const LedgerOptions& options, const Clock& clock) {
  auto& disk = options.disk != nullptr ? *options.disk : Disk::machine();
  TRY(disk.make_directories(directory));
  TRY(auto lock, DirectoryLock::take(directory / "lock", disk));
  TRY(auto store, open_store(directory, disk));
  TRY(auto anchor, Anchor::open(directory / "anchor", disk));
  auto impl = std::make_unique<Impl>(*store, options, clock);
  impl->directory = directory;
  impl->disk = &disk;
  impl->lock.emplace(std::move(lock));
  impl->rocks = std::move(store);
  impl->anchor.emplace(std::move(anchor));
  TRY(impl->recover());
  impl->start_threads();
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

Result<std::unique_ptr<Ledger>> Ledger::open(Store& store, const LedgerOptions& options,
                                             const Clock& clock) {
  auto impl = std::make_unique<Impl>(store, options, clock);
  TRY(impl->recover());
  impl->start_threads();
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ledger::~Ledger() { impl_->stop_threads(); }

Batch& Ledger::batch() {
  // One that holds nothing yet is as old as its first record, not as who asked for it first.
  if (!impl_->batch_open || impl_->batch->empty()) {
    impl_->batch->begin(impl_->state.head, impl_->clock.now());
    impl_->batch_open = true;
  }
  return *impl_->batch;
}

Result<void> Ledger::commit() {
  TRY(impl_->check_failure());
  if (!impl_->batch_open || impl_->batch->empty()) return success();
  impl_->batch_open = false;
  auto applied = apply(*impl_->batch, impl_->state, impl_->history);
  if (!applied) {
    impl_->fail(applied.error());
    return applied.error();
  }
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->committed = applied.value().head;
  }
  impl_->settler.age(impl_->state.identities, impl_->state.head.next_row,
                     impl_->options.hot_identities_max);
  if (!impl_->options.single_threaded) {
    if (!impl_->to_write.push(std::move(applied.value()))) return impl_->check_failure();
    return success();
  }
  auto done = impl_->write(std::move(applied.value()));
  if (!done) impl_->fail(done.error());
  return done;
}

Result<void> Ledger::flush() {
  TRY(commit());
  auto& impl = *impl_;
  if (impl.options.single_threaded) {
    const auto done = impl.unsynced.empty() ? Result<void>(success()) : impl.sync();
    if (!done) impl.fail(done.error());
    return done;
  }
  return wait_until_visible(impl_->state.head.sequence);
}

const Batch& Ledger::committed() const {
  VERIFY(!impl_->batch_open, "the next batch has not begun");
  return *impl_->batch;
}

Result<void> Ledger::wait_until_visible(uint64_t sequence) const {
  auto& impl = *impl_;
  std::unique_lock guard(impl.mutex);
  impl.sync_wanted = std::max(impl.sync_wanted, sequence);
  guard.unlock();
  impl.to_write.wake();
  guard.lock();
  impl.progress.wait(guard, [&] { return impl.folded >= sequence || impl.failure; });
  if (impl.failure) return *impl.failure;
  return success();
}

Head Ledger::durable_head() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->durable_head;
}

Result<std::vector<DocumentVersion>> Ledger::append_documents(std::vector<DocumentDraft> drafts) {
  // After the flush the store knows every version there is.
  TRY(flush());
  TRY(auto documents, next_versions(std::move(drafts), impl_->store));
  std::vector<DocumentVersion> versions;
  for (auto& document : documents) {
    versions.push_back(document.version);
    batch().add_document(std::move(document));
  }
  crash_point("before_documents");
  TRY(flush());
  crash_point("after_documents");
  const auto& head = impl_->state.head;
  for (uint32_t i = 0; i < versions.size(); ++i) {
    versions[i].known_from = head.sequence;
    versions[i].index = i;
    versions[i].recorded_at = head.block_time;
    versions[i].first_row = head.next_row;
  }
  return versions;
}

Result<void> Ledger::define_quotas(std::vector<Quota> quotas, QuotaTerms terms) {
  auto& impl = *impl_;
  const auto grain = impl.state.config.grain;
  if (quotas.size() > limits::quotas_max)
    return invalid_argument("a ledger keeps at most " + std::to_string(limits::quotas_max) +
                            " quotas");
  for (const auto& quota : quotas) {
    TRY(gauger::ledger::check(quota, grain));
  }
  // After the flush everything is folded, and nothing more comes while we look.
  TRY(flush());
  const auto now = std::max(impl.clock.now(), impl.state.head.block_time);
  UsageTable usage;
  if (!quotas.empty()) {
    UsageQuery query;
    query.interval = QuotaBook::span_of(quotas, now, grain);
    query.bucket = Bucket::grain;
    TRY(usage, impl.projections->usage(query));
  }
  impl.state.quota_terms = terms;
  impl.quotas->define(std::move(quotas), std::move(terms), usage, impl.state.reservations.live(),
                      impl.state.reservations.sides(), now);
  return success();
}

const QuotaBook& Ledger::quotas() const { return *impl_->quotas; }

Result<QuotaDecision> Ledger::reserve(const QuotaRequest& request, std::string_view id,
                                      Instant expires_at) {
  auto& book = impl_->state.reservations;
  const auto now = batch().block_time();
  TRY(check_reservation(id, now, expires_at));
  const auto hash = hash_of(request);
  const auto taken = [&] {
    return Error{ErrorCode::conflict, "the reservation '" + std::string(id) +
                                          "' is known with another request, or has ended"};
  };
  if (const auto* known = book.live(request.name_space, id)) {
    if (known->request_hash != hash) return taken();
    auto decision = impl_->quotas->check(request, now);
    decision.allowed = true;
    return decision;
  }
  TRY(const auto ended, book.ended(impl_->store, request.name_space, id));
  if (ended) return taken();
  if (book.size() >= limits::reservations_max)
    return Error{ErrorCode::refused, "there are " + std::to_string(limits::reservations_max) +
                                         " live reservations, which is the most a ledger keeps"};
  Reservation reservation{request.name_space, std::string(id), now, expires_at, hash, {}};
  auto decision = impl_->quotas->hold(request, now, reservation.holds);
  if (decision.allowed) batch().add_reservation(book.grant(std::move(reservation)));
  crash_point("after_grant");
  return decision;
}

Result<void> Ledger::settle(std::string_view name_space, std::string_view id,
                            const QuotaAmounts& amounts) {
  auto& book = impl_->state.reservations;
  const auto* live = book.live(name_space, id);
  if (live == nullptr) return no_reservation(id);
  std::vector<Int128> held;
  for (const auto& hold : live->holds)
    held.push_back(amount_of(hold.measure, amounts).value_or(hold.amount));
  auto record = book.settle(*live, std::move(held));
  const auto& holds = record.reservation.holds;
  for (size_t i = 0; i < holds.size(); ++i)
    impl_->quotas->change_hold(name_space, holds[i],
                               checked_subtract(holds[i].amount, record.before[i]));
  batch().add_reservation(std::move(record));
  return success();
}

Result<void> Ledger::cancel(std::string_view name_space, std::string_view id) {
  const auto* live = impl_->state.reservations.live(name_space, id);
  if (live == nullptr) return no_reservation(id);
  impl_->end_reservation(ReservationStep::cancel, Reservation(*live), batch());
  return success();
}

Result<size_t> Ledger::expire_reservations() {
  TRY(impl_->check_failure());
  const auto now = std::max(impl_->clock.now(), impl_->state.head.block_time);
  const auto expired = impl_->state.reservations.expired(now, limits::batch_events_max);
  for (const auto& reservation : expired)
    impl_->end_reservation(ReservationStep::expire, reservation, batch());
  return expired.size();
}

Result<void> Ledger::close() {
  TRY(flush());
  impl_->stop_threads();
  TRY(impl_->check_failure());
  const auto done = impl_->projections->flush(true);
  if (!done) impl_->fail(done.error());
  return done;
}

bool Ledger::has_room() {
  const auto now = steady_clock::now();
  if (impl_->directory.empty() || now < impl_->room_due) return impl_->room;
  impl_->room_due = now + limits::free_space_look_interval;
  const auto free = impl_->disk->free_bytes(impl_->directory);
  // A file system that does not say is not held against the intake.
  return impl_->room = !free || *free >= impl_->options.free_bytes_min;
}

std::optional<Position> Ledger::position(std::string_view source, int32_t partition) const {
  const auto found = impl_->state.positions.find(position_key(source, partition));
  if (found == impl_->state.positions.end()) return std::nullopt;
  return found->second;
}

std::vector<Position> Ledger::positions(std::string_view source) const {
  std::vector<Position> positions;
  for (const auto& [key, position] : impl_->state.positions)
    if (position.source == source) positions.push_back(position);
  return positions;
}

const LedgerConfig& Ledger::config() const { return impl_->state.config; }

const Clock& Ledger::clock() const { return impl_->clock; }

LedgerStatus Ledger::status() const {
  LedgerStatus status;
  {
    const std::lock_guard guard(impl_->mutex);
    status.head = impl_->committed;
    status.durable_sequence = impl_->durable;
  }
  status.published_sequence = impl_->projections->published_sequence();
  status.identities = impl_->state.identities.size();
  status.identity_bytes = impl_->state.identities.memory_bytes();
  status.waiting = impl_->state.waiting.size();
  return status;
}

Result<UsageTable> Ledger::usage(const UsageQuery& query) const {
  return impl_->projections->usage(query);
}

Result<std::unique_ptr<Reader>> Ledger::reader() const {
  // The positions first: what they say is then in the blocks that are waited for.
  TRY(auto positions, read_positions(impl_->store));
  auto wanted = durable_head().sequence;
  for (const auto& position : positions) wanted = std::max(wanted, position.sequence);
  TRY(wait_until_visible(wanted));
  const auto head = durable_head();
  TRY(wait_until_visible(head.sequence));
  return Reader::within(impl_->store, impl_->state.config, impl_->state.dictionary,
                        *impl_->projections, head, std::move(positions));
}

Documents Ledger::documents() const {
  const std::lock_guard guard(impl_->mutex);
  return Documents(impl_->store, impl_->durable);
}

const Store& Ledger::store() const { return impl_->store; }

}  // namespace gauger::ledger
