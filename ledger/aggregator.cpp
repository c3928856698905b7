#include "ledger/aggregator.h"

#include <algorithm>
#include <tuple>

#include "ledger/dimension.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

bool has(DimensionMask mask, Dimension dimension) { return (mask & mask_of(dimension)) != 0; }

}  // namespace

UsageKey reduce(const UsageKey& key, DimensionMask mask) {
  UsageKey reduced;
  if (has(mask, Dimension::name_space)) reduced.name_space = key.name_space;
  if (has(mask, Dimension::team)) reduced.team = key.team;
  if (has(mask, Dimension::project)) reduced.project = key.project;
  if (has(mask, Dimension::workload)) reduced.workload = key.workload;
  if (has(mask, Dimension::provider)) reduced.provider = key.provider;
  if (has(mask, Dimension::provider_account)) reduced.provider_account = key.provider_account;
  if (has(mask, Dimension::model)) reduced.model = key.model;
  if (has(mask, Dimension::region)) reduced.region = key.region;
  if (has(mask, Dimension::accelerator)) reduced.accelerator = key.accelerator;
  if (has(mask, Dimension::program)) reduced.program = key.program;
  if (has(mask, Dimension::service_tier)) reduced.service_tier = key.service_tier;
  if (has(mask, Dimension::context_tier)) reduced.context_tier = key.context_tier;
  if (has(mask, Dimension::role)) reduced.role = key.role;
  if (has(mask, Dimension::outcome)) reduced.outcome = key.outcome;
  if (has(mask, Dimension::purpose)) reduced.purpose = key.purpose;
  if (has(mask, Dimension::exposure)) reduced.exposure = key.exposure;
  if (has(mask, Dimension::usage_source)) reduced.usage_source = key.usage_source;
  return reduced;
}

Result<void> Aggregator::prepare() {
  for (const auto& filter : query_.filters) {
    if (is_text(filter.dimension)) {
      const auto id = dictionary_.strings.find(filter.value);
      nothing_ = nothing_ || !id;
      if (id) matches_.push_back({filter.dimension, id->value});
      continue;
    }
    const auto value = enum_value(filter.dimension, filter.value);
    if (!value)
      return invalid_argument("'" + filter.value + "' is not a value of " +
                              std::string(dimension_names[static_cast<size_t>(filter.dimension)]));
    matches_.push_back({filter.dimension, *value});
  }
  return success();
}

uint32_t Aggregator::group_of(uint32_t key) {
  if (key / page_keys >= group_of_key_.size())
    group_of_key_.resize(dictionary_.keys.size() / page_keys + 1);
  auto& page = group_of_key_[key / page_keys];
  if (!page) {
    page = std::make_unique_for_overwrite<uint32_t[]>(page_keys);
    std::fill_n(page.get(), page_keys, unknown);
  }
  auto& group = page[key % page_keys];
  if (group != unknown) return group;
  return group = group_of(dictionary_.keys.key(key)).value_or(filtered);
}

std::optional<uint32_t> Aggregator::group_of(const UsageKey& key) {
  const bool matches =
      !nothing_ && std::all_of(matches_.begin(), matches_.end(), [&](const Match& match) {
        return value_of(key, match.dimension) == match.value;
      });
  if (!matches) return std::nullopt;
  const auto reduced = reduce(key, query_.group);
  const auto id = groups_.intern(reduced, KeyDictionary::hash(reduced));
  VERIFY(id, "an answer has fewer groups than the dictionary keys");
  return *id;
}

uint32_t Aggregator::bucket_at(Instant begin) {
  const auto [bucket, fresh] = bucket_of_begin_.find_or_insert(
      static_cast<uint64_t>(to_us(begin)), static_cast<uint32_t>(buckets_.size()));
  if (fresh) buckets_.push_back(begin);
  return bucket;
}

uint32_t Aggregator::bucket_of(uint32_t period) {
  if (period == last_period_) return last_bucket_;
  last_period_ = period;
  auto begin = period_begin(period, grain_);
  switch (query_.bucket) {
    case Bucket::none: begin = query_.interval.from; break;
    case Bucket::grain: break;
    case Bucket::hour: begin = std::chrono::floor<std::chrono::hours>(begin); break;
    case Bucket::day: begin = zone_.day_begin(zone_.local_day(begin)); break;
    case Bucket::month: begin = zone_.month_begin(zone_.local_month(begin)); break;
  }
  return last_bucket_ = bucket_at(begin);
}

UsageRow& Aggregator::row_of(uint32_t bucket, uint32_t group) {
  if (bucket == 0) {
    if (group >= row_of_group_.size()) row_of_group_.resize(groups_.size());
    auto& at = row_of_group_[group];
    if (at == 0) {
      rows_.emplace_back();
      rows_.back().period = buckets_[bucket];
      rows_.back().key = group;
      at = static_cast<uint32_t>(rows_.size());
    }
    return rows_[at - 1];
  }
  const auto [row, fresh] =
      row_of_.find_or_insert(uint64_t{bucket} << 32 | group, static_cast<uint32_t>(rows_.size()));
  if (fresh) {
    rows_.emplace_back();
    rows_.back().period = buckets_[bucket];
    rows_.back().key = group;
  }
  return rows_[row];
}

void Aggregator::add(const Change& change) {
  const auto first = period_at(to_us(query_.interval.from), grain_);
  const auto last = period_at(to_us(query_.interval.until), grain_);
  const auto& cells = change.cells;
  for (auto at = cells.lower_bound(place_of(first, 0));
       at < cells.size() && period_of(cells.place(at)) < last; ++at) {
    const auto group = group_of(key_of(cells.place(at)));
    if (group == filtered) continue;
    const auto cell = cells[at];
    auto& row = row_of(bucket_of(period_of(cell.place)), group);
    row.requests += cell.requests();
    cell.each([&](size_t meter, int64_t count) { row.counts[meter] += count; });
  }
  for (const auto& extra : change.extras) {
    const auto period = period_of(extra.place);
    if (period < first || period >= last) continue;
    const auto group = group_of(key_of(extra.place));
    if (group == filtered) continue;
    const auto& row = row_of(bucket_of(period), group);
    extras_.push_back({static_cast<uint32_t>(&row - rows_.data()), extra.name, extra.count});
  }
}

void Aggregator::add(uint32_t bucket, uint32_t group, int64_t requests, const Counts& counts) {
  auto& row = row_of(bucket, group);
  row.requests += requests;
  for (size_t i = 0; i < meter_count; ++i) row.counts[i] += counts[i];
}

void Aggregator::add_extra(uint32_t bucket, uint32_t group, StringId name, int64_t count) {
  const auto& row = row_of(bucket, group);
  extras_.push_back({static_cast<uint32_t>(&row - rows_.data()), name, count});
}

namespace {

// Gives an answer its own small dictionary.
class Renumber {
 public:
  Renumber(const Dictionary& dictionary, UsageTable& table)
      : dictionary_(dictionary), table_(table), ids_(dictionary.strings.size()) {}

  StringId operator()(StringId id) {
    if (id.value == 0) return id;
    auto& mapped = ids_[id.value];
    if (mapped == 0) {
      mapped = static_cast<uint32_t>(table_.strings.size());
      table_.strings.emplace_back(dictionary_.strings.text(id));
    }
    return StringId{mapped};
  }

 private:
  const Dictionary& dictionary_;
  UsageTable& table_;
  std::vector<uint32_t> ids_;
};

}  // namespace

UsageTable Aggregator::finish() {
  UsageTable table;
  table.grain = grain_;
  table.keys.reserve(groups_.size());
  Renumber renumber(dictionary_, table);
  for (uint32_t group = 0; group < groups_.size(); ++group) {
    auto key = groups_.key(group);
    for (auto* id :
         {&key.name_space, &key.team, &key.project, &key.workload, &key.provider,
          &key.provider_account, &key.model, &key.region, &key.accelerator, &key.program})
      *id = renumber(*id);
    table.keys.push_back(key);
  }
  std::sort(extras_.begin(), extras_.end(), [](const Extra& a, const Extra& b) {
    return std::tie(a.row, a.name) < std::tie(b.row, b.name);
  });
  for (size_t i = 0; i < extras_.size();) {
    const auto [row, name, ignored] = extras_[i];
    int64_t sum = 0;
    for (; i < extras_.size() && extras_[i].row == row && extras_[i].name == name; ++i)
      sum += extras_[i].count;
    if (sum == 0) continue;
    auto& target = rows_[row];
    if (target.extras_count++ == 0)
      target.extras_begin = static_cast<uint32_t>(table.extras.size());
    table.extras.push_back({renumber(name), sum});
  }
  // A cell that was wholly taken back leaves no row behind.
  std::erase_if(rows_, [](const UsageRow& row) {
    return row.requests == 0 && row.extras_count == 0 &&
           std::all_of(row.counts.begin(), row.counts.end(), [](int64_t c) { return c == 0; });
  });
  const auto in_order = [](const UsageRow& a, const UsageRow& b) {
    return std::tie(a.period, a.key) < std::tie(b.period, b.key);
  };
  // Groups are numbered as they come, so that most answers are in order.
  if (!std::is_sorted(rows_.begin(), rows_.end(), in_order))
    std::sort(rows_.begin(), rows_.end(), in_order);
  table.rows = std::move(rows_);
  return table;
}

}  // namespace gauger::ledger
