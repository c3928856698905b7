#include "ledger/quota_book.h"

#include <algorithm>

#include "ledger/dimension.h"

namespace gauger::ledger {
namespace {

constexpr auto filtered_dimensions = {
    Dimension::team,     Dimension::project,          Dimension::workload,
    Dimension::provider, Dimension::provider_account, Dimension::model,
    Dimension::region,   Dimension::accelerator,      Dimension::program};

QuotaAmounts amounts_of(int64_t requests, const Counts& counts) { return {requests, counts, {}}; }

uint32_t period_at(Instant instant, std::chrono::minutes grain) {
  return ledger::period_at(to_us(instant), grain);
}

}  // namespace

UsageTable table_of(const LedgerConfig& config) {
  UsageTable table;
  table.grain = config.grain;
  table.context_boundaries = config.context_boundaries;
  return table;
}

void add_row(UsageTable& table, UsageKey key, const Dictionary& dictionary, Instant period,
             int64_t requests, const Counts& counts, std::span<const ExtraSum> extras) {
  const auto add_text = [&](StringId id) {
    table.strings.emplace_back(dictionary.strings.text(id));
    return StringId{static_cast<uint32_t>(table.strings.size() - 1)};
  };
  for (auto* id : {&key.name_space, &key.team, &key.project, &key.workload, &key.provider,
                   &key.provider_account, &key.model, &key.region, &key.accelerator, &key.program})
    *id = add_text(*id);
  UsageRow row;
  row.period = period;
  row.key = static_cast<uint32_t>(table.keys.size());
  row.requests = requests;
  row.counts = counts;
  row.extras_begin = static_cast<uint32_t>(table.extras.size());
  row.extras_count = static_cast<uint32_t>(extras.size());
  for (const auto& extra : extras) table.extras.push_back({add_text(extra.name), extra.count});
  table.keys.push_back(key);
  table.rows.push_back(row);
}

Interval QuotaBook::span_of(std::span<const Quota> quotas, Instant now,
                            std::chrono::minutes grain) {
  Interval span{now, now};
  for (const auto& quota : quotas) {
    const auto window = quota.window.at(now, grain);
    span.from = std::min(span.from, window.from);
    span.until = std::max(span.until, window.until);
  }
  return span;
}

std::string QuotaBook::index_key(std::string_view name_space, const Filter* filter) {
  std::string key(name_space);
  key += '\0';
  if (filter != nullptr) {
    key += static_cast<char>(1 + static_cast<int>(filter->dimension));
    key += filter->value;
  }
  return key;
}

void QuotaBook::index_entries() {
  by_name_.clear();
  by_filter_.clear();
  by_key_.clear();
  for (EntryId id = 0; id < entries_.size(); ++id) {
    const auto& quota = entries_[id].quota;
    by_name_[index_key(quota.name_space, nullptr) + quota.id] = id;
    const Filter* indexed = nullptr;
    for (const auto& filter : quota.scope)
      if (is_text(filter.dimension) && indexed == nullptr) indexed = &filter;
    by_filter_[index_key(quota.name_space, indexed)].push_back(id);
  }
}

QuotaBook::Entry* QuotaBook::find(std::string_view name_space, std::string_view quota) {
  const auto found = by_name_.find(index_key(name_space, nullptr) + std::string(quota));
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

bool QuotaBook::empty() const {
  const std::lock_guard guard(mutex_);
  return entries_.empty();
}

// --- balances -------------------------------------------------------------------------------

void QuotaBook::advance(Entry& entry, Instant now) const {
  if (now < entry.window.until) return;
  entry.window = entry.quota.window.at(now, grain_);
  const auto first = entry.buckets.lower_bound(period_at(entry.window.from, grain_));
  entry.buckets.erase(entry.buckets.begin(), first);
  entry.sum = {};
  const auto end = entry.buckets.lower_bound(period_at(entry.window.until, grain_));
  for (auto at = entry.buckets.begin(); at != end; ++at) at->second.add_to(entry.sum);
}

void QuotaBook::add(Entry& entry, uint32_t period, const Balance& balance) const {
  const auto begin = period_begin(period, grain_);
  if (begin < entry.window.from) return;
  const bool inside = begin < entry.window.until;
  auto bucket = period;
  if (entry.quota.window.kind != QuotaWindow::Kind::rolling)
    bucket =
        period_at(inside ? entry.window.from : entry.quota.window.at(begin, grain_).from, grain_);
  balance.add_to(entry.buckets[bucket]);
  if (inside) balance.add_to(entry.sum);
}

// --- which quotas apply ---------------------------------------------------------------------

std::vector<QuotaBook::EntryId> QuotaBook::applying(const QuotaRequest& request) const {
  std::vector<EntryId> entries;
  const auto states = [&](const Filter& wanted) {
    return std::any_of(
        request.attributes.begin(), request.attributes.end(), [&](const Filter& attribute) {
          return attribute.dimension == wanted.dimension && attribute.value == wanted.value;
        });
  };
  const auto collect = [&](const Filter* filter) {
    const auto found = by_filter_.find(index_key(request.name_space, filter));
    if (found == by_filter_.end()) return;
    for (const auto id : found->second) {
      const auto& quota = entries_[id].quota;
      if (std::all_of(quota.scope.begin(), quota.scope.end(), states) &&
          (quota.model_tier.empty() || quota.model_tier == request.model_tier))
        entries.push_back(id);
    }
  };
  collect(nullptr);
  for (const auto& attribute : request.attributes)
    if (is_text(attribute.dimension)) collect(&attribute);
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  return entries;
}

// `texts` are by Dimension, for the dimensions that are names.
std::vector<QuotaBook::EntryId> QuotaBook::applying(const UsageKey& key,
                                                    std::span<const std::string_view> texts,
                                                    Instant at) const {
  std::vector<EntryId> entries;
  const auto text_at = [&](Dimension dimension) { return texts[static_cast<size_t>(dimension)]; };
  const auto states = [&](const Filter& filter) {
    if (is_text(filter.dimension)) return text_at(filter.dimension) == filter.value;
    return enum_value(filter.dimension, filter.value) == value_of(key, filter.dimension);
  };
  std::optional<std::string> tier;
  const auto in_tier = [&](const Quota& quota) {
    if (quota.model_tier.empty()) return true;
    if (!terms_.tier_of) return false;
    if (!tier)
      tier = terms_.tier_of(text_at(Dimension::name_space), text_at(Dimension::provider),
                            text_at(Dimension::model), at);
    return *tier == quota.model_tier;
  };
  const auto collect = [&](const Filter* filter) {
    const auto found = by_filter_.find(index_key(text_at(Dimension::name_space), filter));
    if (found == by_filter_.end()) return;
    for (const auto id : found->second) {
      const auto& quota = entries_[id].quota;
      if (std::all_of(quota.scope.begin(), quota.scope.end(), states) && in_tier(quota))
        entries.push_back(id);
    }
  };
  collect(nullptr);
  for (const auto dimension : filtered_dimensions) {
    const Filter filter{dimension, std::string(text_at(dimension))};
    collect(&filter);
  }
  return entries;
}

namespace {

template <class TextOf>
std::array<std::string_view, dimension_names.size()> texts_of(const UsageKey& key, TextOf text_of) {
  std::array<std::string_view, dimension_names.size()> texts;
  for (size_t i = 0; i < texts.size(); ++i)
    if (const auto dimension = static_cast<Dimension>(i); is_text(dimension))
      texts[i] = text_of(StringId{value_of(key, dimension)});
  return texts;
}

}  // namespace

const std::vector<QuotaBook::EntryId>& QuotaBook::of_key(uint32_t key, Instant at) {
  const auto [found, fresh] = by_key_.try_emplace(key);
  if (fresh) {
    const auto& usage_key = dictionary_.keys.key(key);
    const auto texts =
        texts_of(usage_key, [&](StringId id) { return dictionary_.strings.text(id); });
    found->second = applying(usage_key, texts, at);
  }
  return found->second;
}

// --- defining -------------------------------------------------------------------------------

void QuotaBook::define(std::vector<Quota> quotas, QuotaTerms terms, const UsageTable& usage,
                       std::span<const Reservation* const> live, std::span<const QuotaSide> sides,
                       Instant now) {
  QuotaBook fresh(config_, dictionary_);
  fresh.terms_ = std::move(terms);
  for (auto& quota : quotas) {
    auto& entry = fresh.entries_.emplace_back();
    entry.window = quota.window.at(now, grain_);
    entry.quota = std::move(quota);
  }
  fresh.index_entries();
  fresh.seed(usage);
  for (const auto& side : sides)
    if (auto* entry = fresh.find(side.name_space, side.quota))
      fresh.add(*entry, side.period, {side.moved, 0, side.overrun, 0});
  for (const auto* reservation : live)
    for (const auto& hold : reservation->holds)
      if (auto* entry = fresh.find(reservation->name_space, hold.quota))
        fresh.add(*entry, hold.period, {0, hold.amount, 0, 0});
  const std::lock_guard guard(mutex_);
  std::swap(terms_, fresh.terms_);
  std::swap(entries_, fresh.entries_);
  std::swap(by_name_, fresh.by_name_);
  std::swap(by_filter_, fresh.by_filter_);
  std::swap(by_key_, fresh.by_key_);
  folded_ = std::max(folded_, usage.as_of_sequence);
}

void QuotaBook::seed(const UsageTable& usage) {
  std::vector<std::optional<std::vector<EntryId>>> of_key(usage.keys.size());
  std::vector<std::pair<EntryId, uint32_t>> costly;
  for (uint32_t i = 0; i < usage.rows.size(); ++i) {
    const auto& row = usage.rows[i];
    auto& entries = of_key[row.key];
    if (!entries) {
      const auto& key = usage.keys[row.key];
      entries =
          applying(key, texts_of(key, [&](StringId id) { return usage.text(id); }), row.period);
    }
    for (const auto id : *entries) {
      auto& entry = entries_[id];
      if (entry.quota.measure.kind == QuotaMeasure::Kind::cost) {
        costly.emplace_back(id, i);
        continue;
      }
      const auto used = *amount_of(entry.quota.measure, amounts_of(row.requests, row.counts));
      add(entry, period_at(row.period, grain_), {used, 0, 0, 0});
    }
  }
  add_usage(costly, usage);
}

namespace {

// What a block adds to one quota in one period.
struct Addition {
  uint32_t entry = 0;
  uint32_t period = 0;
  Int128 used = 0;
  int64_t unpriced = 0;
};

// Rows whose cost counts, each for an entry: priced once per currency.
template <class CurrencyOf>
std::vector<Addition> costs_of(const std::vector<std::pair<uint32_t, uint32_t>>& costly,
                               const UsageTable& usage, const QuotaTerms& terms,
                               std::chrono::minutes grain, CurrencyOf currency_of) {
  std::vector<Addition> additions;
  std::map<std::string, std::vector<std::optional<Int128>>> costs;
  for (const auto& [id, row] : costly) {
    const auto& currency = currency_of(id);
    auto [found, fresh] = costs.try_emplace(currency);
    if (fresh && terms.cost_of) found->second = terms.cost_of(usage, currency);
    const auto cost =
        row < found->second.size() ? found->second[row] : std::optional<Int128>(std::nullopt);
    const auto& usage_row = usage.rows[row];
    additions.push_back(
        {id, period_at(usage_row.period, grain), cost.value_or(0), cost ? 0 : usage_row.requests});
  }
  return additions;
}

// One of each quota and period.
void merge(std::vector<Addition>& additions) {
  const auto place = [](const Addition& one) { return std::pair(one.entry, one.period); };
  std::sort(additions.begin(), additions.end(),
            [&](const Addition& a, const Addition& b) { return place(a) < place(b); });
  size_t kept = 0;
  for (const auto& addition : additions) {
    if (kept != 0 && place(additions[kept - 1]) == place(addition)) {
      auto& sum = additions[kept - 1];
      sum.used = checked_add(sum.used, addition.used);
      sum.unpriced += addition.unpriced;
    } else {
      additions[kept++] = addition;
    }
  }
  additions.resize(kept);
}

}  // namespace

void QuotaBook::add_usage(const std::vector<std::pair<EntryId, uint32_t>>& costly,
                          const UsageTable& usage) {
  const auto currency_of = [this](EntryId id) { return entries_[id].quota.currency; };
  for (const auto& addition : costs_of(costly, usage, terms_, grain_, currency_of))
    add(entries_[addition.entry], addition.period, {addition.used, 0, 0, addition.unpriced});
}

// --- folding --------------------------------------------------------------------------------

namespace {

std::vector<ExtraSum> extras_at(const Change& change, Place place) {
  std::vector<ExtraSum> extras;
  auto at =
      std::lower_bound(change.extras.begin(), change.extras.end(), place,
                       [](const ExtraCell& cell, Place wanted) { return cell.place < wanted; });
  for (; at != change.extras.end() && at->place == place; ++at)
    extras.push_back({at->name, at->count});
  return extras;
}

// Its cells, and one of zeros wherever only extras changed.
std::vector<Cell> with_extras(const Change& change) {
  auto cells = change.cells.whole();
  for (const auto& extra : change.extras) {
    const auto found = change.cells.lower_bound(extra.place);
    const bool counted =
        (found < change.cells.size() && change.cells.place(found) == extra.place) ||
        (!cells.empty() && cells.back().place == extra.place);
    if (!counted) cells.push_back({extra.place, 0, {}});
  }
  return cells;
}

}  // namespace

// The block is looked through and priced before the lock is taken, since a check waits for it:
// what this reads of the quotas changes in `define` alone, which waits until nothing is folded.
void QuotaBook::fold(const Change& change, std::span<const ReservationRecord> records,
                     uint64_t sequence) {
  std::vector<Addition> additions;
  auto priced = table_of(config_);  // the cells whose cost counts
  std::vector<std::pair<EntryId, uint32_t>> costly;
  const auto add_cell = [&](const Cell& cell) {
    const auto period = period_of(cell.place);
    const auto rows = priced.rows.size();
    for (const auto id : of_key(key_of(cell.place), period_begin(period, grain_))) {
      const auto& measure = entries_[id].quota.measure;
      if (measure.kind != QuotaMeasure::Kind::cost) {
        const auto used = *amount_of(measure, amounts_of(cell.requests, cell.counts));
        additions.push_back({id, period, used, 0});
        continue;
      }
      if (priced.rows.size() == rows)
        add_row(priced, dictionary_.keys.key(key_of(cell.place)), dictionary_,
                period_begin(period, grain_), cell.requests, cell.counts,
                extras_at(change, cell.place));
      costly.emplace_back(id, static_cast<uint32_t>(rows));
    }
  };
  if (!entries_.empty()) {
    for (const auto& cell : with_extras(change)) add_cell(cell);
    const auto currency_of = [this](EntryId id) { return entries_[id].quota.currency; };
    const auto costs = costs_of(costly, priced, terms_, grain_, currency_of);
    additions.insert(additions.end(), costs.begin(), costs.end());
    merge(additions);
  }
  const std::lock_guard guard(mutex_);
  folded_ = sequence;
  if (entries_.empty()) return;
  for (const auto& addition : additions)
    add(entries_[addition.entry], addition.period, {addition.used, 0, 0, addition.unpriced});
  for (const auto& record : records) {
    if (record.step != ReservationStep::use && record.step != ReservationStep::late) continue;
    for (size_t i = 0; i < record.reservation.holds.size(); ++i) {
      const auto& hold = record.reservation.holds[i];
      auto* entry = find(record.reservation.name_space, hold.quota);
      if (entry == nullptr) continue;
      const auto& use = record.uses[i];
      if (record.step == ReservationStep::late) {
        add(*entry, record.event_period, {0, 0, use.overrun, 0});
        continue;
      }
      add(*entry, record.event_period, {-use.used, 0, 0, 0});
      add(*entry, hold.period, {use.used, -hold.amount, use.overrun, 0});
    }
  }
}

// --- asking ---------------------------------------------------------------------------------

QuotaAnswer QuotaBook::answer(Entry& entry, Instant now) const {
  advance(entry, now);
  const auto& sum = entry.sum;
  QuotaAnswer answer;
  answer.quota = entry.quota.id;
  answer.measure = entry.quota.measure;
  answer.mode = entry.quota.mode;
  answer.limit = entry.quota.limit;
  answer.used = sum.used;
  answer.held = sum.held;
  answer.overrun = sum.overrun;
  answer.unpriced = sum.unpriced > 0;
  answer.window_from = entry.window.from;
  answer.resets_at = entry.window.until;
  if (entry.quota.window.kind == QuotaWindow::Kind::rolling) {
    // What was used first leaves the window first.
    if (!entry.buckets.empty())
      answer.resets_at =
          period_begin(entry.buckets.begin()->first, grain_) + entry.quota.window.length;
  }
  return answer;
}

QuotaAnswer QuotaBook::judge(Entry& entry, const QuotaRequest& request, Instant now) const {
  auto judged = answer(entry, now);
  const auto wanted = amount_of(entry.quota.measure, request.amounts);
  const bool unknown = !wanted || judged.unpriced;
  judged.unpriced = unknown;
  judged.requested = wanted.value_or(0);
  const auto after = checked_add(checked_add(judged.used, judged.held), judged.requested);
  judged.exceeded = after > judged.limit || (unknown && entry.quota.failure == QuotaFailure::deny);
  for (const auto percent : entry.quota.warn_percent)
    if (checked_multiply(after, 100) >= checked_multiply(judged.limit, percent))
      judged.warn_percent = percent;
  return judged;
}

QuotaDecision QuotaBook::decide(const std::vector<EntryId>& entries, const QuotaRequest& request,
                                Instant now) const {
  QuotaDecision decision;
  decision.as_of_sequence = folded_;
  for (const auto id : entries) {
    decision.answers.push_back(judge(entries_[id], request, now));
    const auto& judged = decision.answers.back();
    if (judged.exceeded && judged.mode == QuotaMode::hard) decision.allowed = false;
  }
  return decision;
}

QuotaDecision QuotaBook::check(const QuotaRequest& request, Instant now) const {
  const std::lock_guard guard(mutex_);
  return decide(applying(request), request, now);
}

QuotaDecision QuotaBook::hold(const QuotaRequest& request, Instant now, std::vector<Hold>& holds) {
  const std::lock_guard guard(mutex_);
  const auto entries = applying(request);
  auto decision = decide(entries, request, now);
  if (!decision.allowed) return decision;
  const auto period = period_at(now, grain_);
  for (size_t i = 0; i < entries.size(); ++i) {
    auto& entry = entries_[entries[i]];
    const auto& quota = entry.quota;
    const auto amount = decision.answers[i].requested;
    holds.push_back({quota.id, quota.scope, quota.measure, quota.currency, amount, period});
    add(entry, period, {0, amount, 0, 0});
    decision.answers[i].held = checked_add(decision.answers[i].held, amount);
  }
  return decision;
}

void QuotaBook::change_hold(std::string_view name_space, const Hold& hold, Int128 difference) {
  const std::lock_guard guard(mutex_);
  if (auto* entry = find(name_space, hold.quota)) add(*entry, hold.period, {0, difference, 0, 0});
}

std::vector<QuotaAnswer> QuotaBook::list(std::string_view name_space, Instant now) const {
  const std::lock_guard guard(mutex_);
  std::vector<QuotaAnswer> answers;
  for (auto& entry : entries_)
    if (entry.quota.name_space == name_space) answers.push_back(answer(entry, now));
  return answers;
}

}  // namespace gauger::ledger
