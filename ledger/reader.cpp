#include "ledger/reader.h"

#include "ledger/anchor.h"
#include "ledger/position_rewind.h"
#include "ledger/projections.h"
#include "ledger/recover.h"
#include "ledger/rocks_store.h"

namespace gauger::ledger {

struct Reader::Impl {
  // Of a directory; empty within an open ledger.
  struct Opened {
    std::unique_ptr<RocksStore> store;
    State state;
    std::unique_ptr<Projections> projections;
  };
  std::unique_ptr<Opened> opened;

  const Store* store = nullptr;
  const LedgerConfig* config = nullptr;
  const Dictionary* dictionary = nullptr;
  const Projections* projections = nullptr;
  Head head;
  std::vector<Position> positions;
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

Result<std::unique_ptr<Reader>> Reader::open(const std::filesystem::path& directory, Disk& disk) {
  if (!disk.exists(directory / "store" / "CURRENT"))
    return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  // The anchor first: what it names is in the store that is opened after it.
  TRY(const auto anchor, Anchor::read(directory / "anchor", disk));
  auto opened = std::make_unique<Impl::Opened>();
  auto& state = opened->state;
  TRY(opened->store, RocksStore::open_reader(directory / "store", disk));
  TRY(const auto config, read_config(*opened->store));
  if (!config) return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  state.config = *config;
  TRY(const auto head, read_head(*opened->store));
  const auto durable = anchor.value_or(Head{});
  TRY(check_anchor(*opened->store, head, durable));
  TRY(load_state(*opened->store, durable, state));
  opened->projections =
      std::make_unique<Projections>(*opened->store, state.config, state.dictionary);
  TRY(load_projections(*opened->store, state, *opened->projections));
  TRY(auto positions, positions_at(*opened->store, state.head));
  auto reader = within(*opened->store, state.config, state.dictionary, *opened->projections,
                       state.head, std::move(positions));
  reader->impl_->opened = std::move(opened);
  return reader;
}

std::unique_ptr<Reader> Reader::within(const Store& store, const LedgerConfig& config,
                                       const Dictionary& dictionary, const Projections& projections,
                                       const Head& head, std::vector<Position> positions) {
  auto impl = std::make_unique<Impl>();
  impl->store = &store;
  impl->config = &config;
  impl->dictionary = &dictionary;
  impl->projections = &projections;
  impl->head = head;
  impl->positions = std::move(positions);
  return std::unique_ptr<Reader>(new Reader(std::move(impl)));
}

const LedgerConfig& Reader::config() const { return *impl_->config; }
const Head& Reader::head() const { return impl_->head; }
Documents Reader::documents() const { return Documents(*impl_->store, impl_->head.sequence); }
Result<std::unique_ptr<QuotaBook>> Reader::quotas(std::vector<Quota> quotas, QuotaTerms terms,
                                                  Instant now) const {
  const auto grain = config().grain;
  ReservationBook reservations;
  TRY(reservations.load(*impl_->store, grain));
  auto book = std::make_unique<QuotaBook>(*impl_->config, *impl_->dictionary);
  UsageTable usage;
  if (!quotas.empty()) {
    UsageQuery query;
    query.interval = QuotaBook::span_of(quotas, now, grain);
    query.bucket = Bucket::grain;
    TRY(usage, this->usage(query));
  }
  book->define(std::move(quotas), std::move(terms), usage, reservations.live(),
               reservations.sides(), now);
  return book;
}
std::vector<Position> Reader::positions() const { return impl_->positions; }
const Store& Reader::store() const { return *impl_->store; }

Result<UsageTable> Reader::usage(const UsageQuery& query) const {
  return impl_->projections->usage(query);
}

Instant Reader::fine_from() const { return impl_->projections->fine_from(); }

Result<void> Reader::events(const EventQuery& query,
                            const std::function<Result<bool>(const EventRow&)>& visit) const {
  return walk_events(*impl_->store, *impl_->dictionary, impl_->head, query, visit);
}

std::string_view Reader::text(StringId id) const { return impl_->dictionary->strings.text(id); }

Result<void> Reader::quarantined(const std::function<bool(const QuarantinedRecord&)>& visit) const {
  return each_quarantined(*impl_->store, impl_->head.sequence, 0, 0, visit);
}

Result<std::optional<QuarantinedRecord>> Reader::quarantined(uint64_t sequence,
                                                             uint32_t record) const {
  return find_quarantined(*impl_->store, impl_->head.sequence, sequence, record);
}

}  // namespace gauger::ledger
