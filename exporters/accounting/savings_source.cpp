#include "exporters/accounting/savings_source.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "billing/document.h"
#include "billing/savings/context_judge.h"
#include "exporters/accounting/usage_reading.h"
#include "ledger/hash.h"

namespace gauger::exporters {
namespace {

constexpr std::array<std::string_view, 6> kinds = {"price_book",    "contract", "capacity",
                                                   "model_catalog", "program",  "alternative"};
// Years 1970 to 2200: everything that a ledger may hold.
constexpr Interval all_time{Instant{}, Instant{std::chrono::days{84'006}}};

// Documents by kind and id, before they are read. Lower ranks go first.
struct Text {
  int rank;
  std::string from;
  std::string text;
};
using Texts = std::map<std::pair<std::string, std::string>, Text>;

constexpr int rank_over = 0;
constexpr int rank_file = 1;
constexpr int rank_stored = 2;

Result<void> add_text(const NamedText& document, int rank, Texts& texts) {
  const auto& [file, text] = document;
  TRY(const auto root, billing::parse_yaml(text, file));
  TRY(auto fields, billing::Fields::of(file, root, "a document"));
  TRY(const auto kind, fields.text("kind"));
  TRY(const auto id, fields.text("id"));
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    return fields.error("'kind: " + kind +
                        "' is none of price_book, contract, capacity, model_catalog, program, "
                        "alternative");
  const auto [found, added] = texts.try_emplace({kind, id}, Text{rank, file, text});
  if (!added && found->second.rank == rank)
    return Error{ErrorCode::conflict, file + ": the " + kind + " '" + id + "' stands twice"};
  return success();
}

Result<void> add_stored(const LedgerView& view, Texts& texts) {
  const auto documents = view.documents();
  for (const auto kind : kinds) {
    TRY(const auto versions, documents.list(view.name_space, kind));
    for (const auto& version : versions) {
      const std::pair name{version.key.kind, version.key.id};
      if (texts.contains(name)) continue;
      TRY(auto document, documents.read(version));
      texts.try_emplace(name, Text{rank_stored,
                                   version.key.kind + " " + version.key.id + " (version " +
                                       std::to_string(version.version) + ")",
                                   std::move(document.content)});
    }
  }
  return success();
}

// Whether two contracts would both cover an account at some time.
bool overlap(const billing::Contract& a, const billing::Contract& b) {
  return !billing::check_contracts({a, b}).has_value();
}

Result<void> put(const std::string& kind, const std::string& file, const std::string& text,
                 SavingsDocuments& documents) {
  auto& [company, programs] = documents.terms;
  if (kind == "price_book") {
    TRY(auto book, billing::parse_price_book(text, file));
    const auto id = book.id;
    company.books.insert_or_assign(id, std::move(book));
  } else if (kind == "contract") {
    TRY(auto contract, billing::parse_contract(text, file));
    company.contracts.push_back(std::move(contract));
  } else if (kind == "capacity") {
    TRY(auto capacity, billing::parse_capacity_records(text, file));
    company.capacity.push_back(std::move(capacity));
  } else if (kind == "program") {
    TRY(auto program, billing::parse_program(text, file));
    programs.push_back(std::move(program));
  } else if (kind == "alternative") {
    TRY(auto alternative, billing::parse_alternative(text, file));
    documents.alternatives.push_back(std::move(alternative));
  } else {
    if (company.catalog)
      return Error{ErrorCode::conflict, file + ": there is a second model catalogue"};
    TRY(company.catalog, billing::parse_model_catalog(text, file));
  }
  return success();
}

// The accepted requests of the students, row by row, told apart by the tier of their converted
// input.
class JudgedRows {
 public:
  JudgedRows(const UsageTable& usage, const ledger::Reader& reader,
             const std::vector<billing::Program>& programs)
      : reader_(reader), programs_(programs) {
    table_.context_boundaries = usage.context_boundaries;
    table_.grain = usage.grain;
    table_.as_of_sequence = usage.as_of_sequence;
    ids_.try_emplace(std::string(), 0);
    for (const auto& program : programs) judges_.emplace_back(program, usage.context_boundaries);
  }

  bool wanted(const UsageKey& key) const { return program_of(key) >= 0; }

  Result<bool> add(const ledger::EventRow& event) {
    const auto grain = table_.grain;
    const auto since = event.completed_at.time_since_epoch();
    const auto period = event.completed_at - since % Duration(grain);
    const auto& judge = judges_[static_cast<size_t>(program_of(*event.key))];
    TRY(const auto tier, judge.tier_of(event.counts, {period, period + grain}));
    auto& row = rows_[{period, event.key_id, tier}];
    ++row.requests;
    for (size_t i = 0; i < meter_count; ++i) row.counts[i] += event.counts[i];
    for (const auto& extra : event.extras) row.extras[extra.name] += extra.count;
    return true;
  }

  UsageTable finish(const std::function<UsageKey(uint32_t)>& key_of) {
    std::map<std::pair<uint32_t, ContextTier>, uint32_t> keys;
    for (const auto& [where, sums] : rows_) {
      const auto& [period, key_id, tier] = where;
      const auto [found, added] =
          keys.try_emplace({key_id, tier}, static_cast<uint32_t>(table_.keys.size()));
      if (added) table_.keys.push_back(renamed(key_of(key_id), tier));
      UsageRow row;
      row.period = period;
      row.key = found->second;
      row.requests = sums.requests;
      row.counts = sums.counts;
      row.extras_begin = static_cast<uint32_t>(table_.extras.size());
      row.extras_count = static_cast<uint32_t>(sums.extras.size());
      for (const auto& [name, count] : sums.extras) table_.extras.push_back({renamed(name), count});
      table_.rows.push_back(row);
    }
    return std::move(table_);
  }

 private:
  struct Sums {
    int64_t requests = 0;
    Counts counts{};
    std::map<StringId, int64_t> extras;
  };

  int program_of(const UsageKey& key) const {
    if (key.purpose != Purpose::production || key.role != Role::root ||
        key.outcome != Outcome::accepted)
      return -1;
    for (size_t i = 0; i < programs_.size(); ++i)
      if (reader_.text(key.program) == programs_[i].id &&
          reader_.text(key.provider) == programs_[i].student.provider &&
          reader_.text(key.model) == programs_[i].student.model)
        return static_cast<int>(i);
    return -1;
  }

  StringId renamed(StringId id) {
    const std::string text(reader_.text(id));
    const auto [found, added] =
        ids_.try_emplace(text, static_cast<uint32_t>(table_.strings.size()));
    if (added) table_.strings.push_back(text);
    return {found->second};
  }

  UsageKey renamed(UsageKey key, ContextTier tier) {
    key.name_space = {};
    for (auto* id : {&key.team, &key.project, &key.workload, &key.provider, &key.provider_account,
                     &key.model, &key.region, &key.accelerator, &key.program})
      *id = renamed(*id);
    key.context_tier = tier;
    return key;
  }

  const ledger::Reader& reader_;
  const std::vector<billing::Program>& programs_;
  std::vector<billing::ContextJudge> judges_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::map<std::tuple<Instant, uint32_t, ContextTier>, Sums> rows_;
  UsageTable table_;
};

// The same rows, their texts told by the ids of `strings` and of new ones behind them.
UsageTable with_strings(UsageTable table, std::vector<std::string> strings) {
  std::unordered_map<std::string, uint32_t> ids;
  for (uint32_t i = 0; i < strings.size(); ++i) ids.try_emplace(strings[i], i);
  const auto renamed = [&](StringId id) {
    const auto& text = table.strings[id.value];
    const auto [found, added] = ids.try_emplace(text, static_cast<uint32_t>(strings.size()));
    if (added) strings.push_back(text);
    return StringId{found->second};
  };
  for (auto& key : table.keys)
    for (auto* id :
         {&key.name_space, &key.team, &key.project, &key.workload, &key.provider,
          &key.provider_account, &key.model, &key.region, &key.accelerator, &key.program})
      *id = renamed(*id);
  for (auto& extra : table.extras) extra.name = renamed(extra.name);
  table.strings = std::move(strings);
  return table;
}

}  // namespace

using billing::MonthRange;

Result<MonthRange> parse_month_range(const std::string& text) {
  if (const auto dots = text.find(".."); dots != std::string::npos) {
    MonthRange range;
    TRY(range.first, parse_month(text.substr(0, dots)));
    TRY(range.last, parse_month(text.substr(dots + 2)));
    if (range.last < range.first) return invalid_argument("'" + text + "' ends before it begins");
    if (range.last - range.first >= 120)
      return invalid_argument("'" + text + "' is longer than ten years");
    return range;
  }
  if (text.size() == 7 && text[5] == 'Q' && text[6] >= '1' && text[6] <= '4') {
    TRY(const auto year, parse_month(text.substr(0, 5) + "01"));
    const auto first = year + 3 * (text[6] - '1');
    return MonthRange{first, first + 2};
  }
  if (text.size() == 4) {
    TRY(const auto year, parse_month(text + "-01"));
    return MonthRange{year, year + 11};
  }
  TRY(const auto month, parse_month(text));
  return MonthRange{month, month};
}

Result<SavingsDocuments> read_savings_documents(const std::vector<NamedText>& over,
                                                const std::vector<NamedText>& given,
                                                const LedgerView* view) {
  Texts texts;
  for (const auto& text : over) {
    TRY(add_text(text, rank_over, texts));
  }
  for (const auto& text : given) {
    TRY(add_text(text, rank_file, texts));
  }
  if (view != nullptr) {
    TRY(add_stored(*view, texts));
  }
  SavingsDocuments read;
  std::vector<int> contract_ranks;
  for (const auto& [name, document] : texts) {
    TRY(put(name.first, document.from, document.text, read));
    if (name.first == "contract") contract_ranks.push_back(document.rank);
    read.sources.push_back(
        {name.first, name.second, document.from, ledger::to_hex(ledger::sha256(document.text))});
  }
  auto& contracts = read.terms.company.contracts;
  std::vector<billing::Contract> kept;
  for (size_t i = 0; i < contracts.size(); ++i) {
    bool replaced = false;
    for (size_t j = 0; j < contracts.size(); ++j)
      replaced = replaced || (contract_ranks[j] == rank_over && contract_ranks[i] != rank_over &&
                              overlap(contracts[i], contracts[j]));
    if (!replaced) kept.push_back(contracts[i]);
  }
  contracts = std::move(kept);
  TRY(billing::check_contracts(contracts));
  TRY(billing::check_programs(read.terms.programs));
  return read;
}

Result<SavingsSource> SavingsSource::open(LedgerView view, std::vector<NamedText> texts,
                                          bool needs_contract) {
  SavingsSource source;
  source.view_ = std::move(view);
  source.texts_ = std::move(texts);
  TRY(source.documents_, source.documents_with({}));
  if (needs_contract && source.terms().company.contracts.empty())
    return invalid_argument("there is no contract: give the terms with --terms, or post them");
  return source;
}

Result<SavingsDocuments> SavingsSource::documents_with(const std::vector<NamedText>& over) const {
  return read_savings_documents(over, texts_, &view_);
}

Result<TimeZone> SavingsSource::zone() const {
  if (!terms().programs.empty()) return billing::savings_zone(terms());
  const auto& contracts = terms().company.contracts;
  for (const auto& contract : contracts)
    if (contract.zone.name() != contracts.front().zone.name())
      return Error{ErrorCode::conflict, "the months of the contract " + contract.id +
                                            " are those of " + contract.zone.name() +
                                            ", the months of " + contracts.front().id +
                                            " those of " + contracts.front().zone.name()};
  return contracts.front().zone;
}

Result<UsageTable> SavingsSource::usage(Interval interval) const {
  ledger::UsageQuery query;
  query.interval = {std::max(interval.from, all_time.from),
                    std::min(interval.until, all_time.until)};
  query.bucket = ledger::Bucket::grain;
  query.group = ledger::all_dimensions & ~ledger::mask_of(ledger::Dimension::name_space);
  return read_usage(view_, query);
}

Result<UsageTable> SavingsSource::usage(const TimeZone& zone, MonthRange months) const {
  return usage({zone.month_begin(months.first), zone.month_begin(months.last + 1)});
}

// Metered distillation traffic counts from its first month on, however long ago it was.
Result<int32_t> SavingsSource::first_month(const TimeZone& zone, int32_t month) const {
  ledger::UsageQuery query;
  query.interval = all_time;
  query.bucket = ledger::Bucket::day;
  query.group = ledger::mask_of(ledger::Dimension::program);
  query.filters = {{ledger::Dimension::purpose, "distillation"}};
  TRY(const auto distillation, view_.reader->usage(view_.narrowed(query)));
  auto first = billing::first_usage_month(terms(), month);
  for (const auto& row : distillation.rows)
    for (const auto& program : terms().programs)
      if (distillation.text(distillation.key(row).program) == program.id)
        first = std::min(first, zone.local_month(row.period));
  return first;
}

Result<Interval> SavingsSource::statement_interval(MonthRange months) const {
  TRY(const auto time_zone, zone());
  TRY(const auto first, first_month(time_zone, months.first));
  return Interval{std::max(time_zone.month_begin(first), all_time.from),
                  time_zone.month_begin(months.last + 1)};
}

Result<std::optional<UsageTable>> SavingsSource::judged_usage(const UsageTable& usage,
                                                              Interval interval) const {
  if (!billing::needs_judged_usage(terms())) return std::optional<UsageTable>();
  JudgedRows rows(usage, *view_.reader, terms().programs);
  ledger::EventQuery query;
  query.interval = interval;
  query.wanted = [&](const UsageKey& key) { return view_.counts(key) && rows.wanted(key); };
  std::unordered_map<uint32_t, UsageKey> keys;
  TRY(view_.reader->events(query, [&](const ledger::EventRow& event) {
    keys.try_emplace(event.key_id, *event.key);
    return rows.add(event);
  }));
  auto judged = rows.finish([&](uint32_t id) { return keys.at(id); });
  TRY(const auto documents, posted_reattributions(view_.documents(), view_.name_space));
  if (!documents.empty()) {
    TRY(judged, billing::reattribute(judged, documents));
  }
  return std::optional(with_strings(std::move(judged), usage.strings));
}

Result<billing::SavingsStatement> SavingsSource::statement(
    const billing::SavingsRequest& request) const {
  TRY(const auto interval, statement_interval({request.first_month, request.last_month}));
  TRY(auto table, usage(interval));
  TRY(const auto judged, judged_usage(table, interval));
  TRY(auto statement,
      billing::make_statement(std::move(table), judged ? &*judged : nullptr, terms(), request));
  if (view_.reader->head().block_time < interval.until)
    statement.problems.add(request.last_month, billing::SavingsProblem::incomplete,
                           "the period ends at " + format_instant(interval.until) +
                               ", and the ledger's clock stands at " +
                               format_instant(view_.reader->head().block_time),
                           1);
  return statement;
}

}  // namespace gauger::exporters
