#include "tests/scenario/billing_scenario.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>

#include "billing/allocation.h"
#include "billing/contracts/allocation_document.h"
#include "billing/rate.h"
#include "tests/scenario/savings_scenario.h"

namespace gauger::billing {
namespace {

struct Section {
  std::string name;
  std::string argument;
  std::string text;
};

struct Case {
  std::string title;
  std::vector<Section> sections;

  const Section* find(std::string_view name) const {
    for (const auto& section : sections)
      if (section.name == name) return &section;
    return nullptr;
  }
};

// Takes over the usage or the terms of the case before.
void repeat(const Case& before, const std::string& what, Case& next) {
  for (const auto& section : before.sections) {
    const bool usage = section.name == "usage";
    const bool terms = !usage && section.name != "ledger" && section.name != "expect" &&
                       section.name != "month" && section.name != "rate" &&
                       section.name != "savings";
    if (what == "usage" ? usage : terms) next.sections.push_back(section);
  }
}

// A later document takes the place of one with the same id.
template <class T>
void put_by_id(std::vector<T>& list, T document) {
  for (auto& known : list)
    if (known.id == document.id) {
      known = std::move(document);
      return;
    }
  list.push_back(std::move(document));
}

std::vector<Case> split(std::string_view text) {
  std::vector<Case> cases;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("== ")) {
      const auto space = std::min(line.find(' ', 3), line.size());
      const auto name = line.substr(3, space - 3);
      const auto argument = space < line.size() ? line.substr(space + 1) : std::string();
      if (name == "case") {
        cases.push_back({argument, {}});
      } else if (name == "before" && cases.size() > 1) {
        repeat(cases[cases.size() - 2], argument, cases.back());
      } else if (!cases.empty()) {
        cases.back().sections.push_back({name, argument, {}});
      }
    } else if (!cases.empty() && !cases.back().sections.empty()) {
      cases.back().sections.back().text += line + "\n";
    }
  }
  return cases;
}

// "a=b c=d" as pairs; a word without '=' gets the name "".
std::vector<std::pair<std::string, std::string>> words_of(const std::string& line) {
  std::vector<std::pair<std::string, std::string>> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      words.emplace_back("", word);
    } else {
      words.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return words;
}

Result<int64_t> integer(const std::string& text) {
  TRY(const auto value, parse_decimal(text, 0));
  return static_cast<int64_t>(value);
}

class UsageReader {
 public:
  Result<void> configure(const std::string& text) {
    for (const auto& [name, value] : words_of(text)) {
      if (name == "grain") {
        TRY(const auto minutes, integer(value));
        usage.grain = std::chrono::minutes{minutes};
      } else if (name == "boundaries") {
        usage.context_boundaries.clear();
        std::istringstream list(value);
        for (std::string item; std::getline(list, item, ',');) {
          TRY(const auto boundary, integer(item));
          usage.context_boundaries.push_back(boundary);
        }
      } else {
        return invalid_argument("unknown ledger setting " + name);
      }
    }
    return success();
  }

  Result<void> add(const std::string& line) {
    UsageRow row;
    UsageKey key;
    row.requests = 1;
    row.extras_begin = static_cast<uint32_t>(usage.extras.size());
    std::optional<int64_t> input;
    for (const auto& [name, value] : words_of(line)) {
      TRY(put(name, value, row, key, input));
    }
    row.extras_count = static_cast<uint32_t>(usage.extras.size()) - row.extras_begin;
    if (!input) {
      input = 0;
      for (size_t i = 0; i < input_meter_count; ++i) *input += row.counts[i];
    }
    for (const auto boundary : usage.context_boundaries)
      if (*input > boundary) ++key.context_tier;
    const auto [found, added] = keys_.try_emplace(key, static_cast<uint32_t>(usage.keys.size()));
    if (added) usage.keys.push_back(key);
    row.key = found->second;
    usage.rows.push_back(row);
    return success();
  }

  UsageTable usage;

 private:
  StringId intern(const std::string& text) {
    const auto [found, added] =
        strings_.try_emplace(text, static_cast<uint32_t>(usage.strings.size()));
    if (added) usage.strings.push_back(text);
    return {found->second};
  }

  Result<void> put(const std::string& name, const std::string& value, UsageRow& row, UsageKey& key,
                   std::optional<int64_t>& input) {
    using Field = StringId UsageKey::*;
    static const std::map<std::string, Field> texts = {{"team", &UsageKey::team},
                                                       {"project", &UsageKey::project},
                                                       {"workload", &UsageKey::workload},
                                                       {"program", &UsageKey::program},
                                                       {"provider", &UsageKey::provider},
                                                       {"account", &UsageKey::provider_account},
                                                       {"model", &UsageKey::model},
                                                       {"region", &UsageKey::region},
                                                       {"accelerator", &UsageKey::accelerator}};
    if (name.empty()) {
      TRY(row.period, parse_instant(value));
      return success();
    }
    if (const auto text = texts.find(name); text != texts.end()) {
      key.*(text->second) = intern(value);
      return success();
    }
    if (name == "service_tier") return put_name(service_tier_names, value, key.service_tier);
    if (name == "usage_source") return put_name(usage_source_names, value, key.usage_source);
    if (name == "role") return put_name(role_names, value, key.role);
    if (name == "outcome") return put_name(outcome_names, value, key.outcome);
    if (name == "purpose") return put_name(purpose_names, value, key.purpose);
    if (name == "exposure") return put_name(exposure_names, value, key.exposure);
    TRY(const auto count, integer(value));
    if (const auto meter = find_meter(name)) {
      row.counts[static_cast<size_t>(*meter)] = count;
    } else if (name == "requests") {
      row.requests = count;
    } else if (name == "input") {
      input = count;
    } else if (name.starts_with("x.")) {
      usage.extras.push_back({intern(name.substr(2)), count});
    } else {
      return invalid_argument("unknown usage field " + name);
    }
    return success();
  }

  template <class Enum, size_t N>
  static Result<void> put_name(const std::array<std::string_view, N>& names,
                               const std::string& value, Enum& field) {
    const auto found = find_name<Enum>(names, value);
    if (!found) return invalid_argument("no such value: " + value);
    field = *found;
    return success();
  }

  std::map<std::string, uint32_t> strings_{{"", 0}};
  std::map<UsageKey, uint32_t> keys_;
};

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

void put_rated(std::string& out, const Rated& rated) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>,
           std::pair<int64_t, Rational>>
      sums;
  for (const auto& charge : rated.charges) {
    const auto& key = rated.key(charge);
    auto& [quantity, amount] =
        sums[{or_dash(rated.text(key.team)), or_dash(rated.text(key.model)),
              std::string(to_string(charge.kind)), std::string(rated.item_name(charge.item))}];
    quantity += charge.quantity;
    amount += charge.amount;
  }
  for (const auto& [where, sum] : sums) {
    const auto& [team, model, kind, item] = where;
    out += kind + " " + team + " " + model + " " + item + " " + std::to_string(sum.first) + " " +
           exact(sum.second) + "\n";
  }
  std::map<std::tuple<std::string, std::string, std::string, std::string>, int64_t> open;
  for (const auto& unpriced : rated.unpriced) {
    const auto& key = rated.keys[unpriced.key];
    open[{or_dash(rated.text(key.team)), or_dash(rated.text(key.model)),
          std::string(rated.item_name(unpriced.item)), std::string(to_string(unpriced.reason))}] +=
        unpriced.quantity;
  }
  for (const auto& [where, quantity] : open) {
    const auto& [team, model, item, reason] = where;
    out += "unpriced " + team + " " + model + " " + item + " " + std::to_string(quantity) + " " +
           reason + "\n";
  }
  out += "total " + exact(rated.total()) + "\n";
}

struct Documents {
  PriceBooks books;
  std::optional<ModelCatalog> catalog;
  std::vector<Contract> contracts;
  std::vector<CapacityRecords> capacity;
  std::vector<Program> programs;
};

Result<Documents> read_documents(const Case& scenario) {
  Documents documents;
  for (const auto& section : scenario.sections) {
    if (section.name == "book") {
      TRY(auto book, parse_price_book(section.text, "book"));
      documents.books.insert_or_assign(book.id, std::move(book));
    } else if (section.name == "catalog") {
      TRY(documents.catalog, parse_model_catalog(section.text, "catalog"));
    } else if (section.name == "contract") {
      TRY(auto contract, parse_contract(section.text, "contract"));
      put_by_id(documents.contracts, std::move(contract));
    } else if (section.name == "program") {
      TRY(auto program, parse_program(section.text, "program"));
      put_by_id(documents.programs, std::move(program));
    } else if (section.name == "capacity") {
      TRY(auto records, parse_capacity_records(section.text, "capacity"));
      put_by_id(documents.capacity, std::move(records));
    }
  }
  return documents;
}

Result<std::string> rate_all(const UsageTable& usage, const Documents& documents,
                             const std::string& zone_name) {
  if (documents.books.size() != 1) return invalid_argument("a rating needs one book");
  RateOptions options;
  if (!zone_name.empty()) {
    TRY(options.zone, TimeZone::find(zone_name));
  }
  if (documents.catalog) options.catalog = &*documents.catalog;
  TRY(const auto rated, rate(usage, documents.books.begin()->second, options));
  std::string out;
  put_rated(out, rated);
  return out;
}

Result<std::string> rate_month(const UsageTable& usage, const Documents& documents,
                               const std::string& argument) {
  if (documents.contracts.empty()) return invalid_argument("a month needs a contract");
  TRY(const auto number, parse_month(argument));
  const auto& contract = documents.contracts.front();
  TRY(const auto month,
      rate_contract(
          usage, {.contract = contract, .books = documents.books, .capacity = documents.capacity},
          number));
  std::string out;
  put_rated(out, month.rated);
  const auto& currency = month.rated.currency;
  const auto allocation = allocate_month(month, contract.zone);
  for (const auto& team : allocation.teams)
    out += "team " + (team.bill_to.empty() ? std::string(unallocated) : team.bill_to) + " " +
           currency.format_minor(team.total_minor) + "\n";
  for (const auto& draw : month.prepaid)
    out += "prepaid " + draw.credit + " drawn " + currency.format_minor(draw.drawn_minor) +
           " left " + currency.format_minor(draw.left_minor) + "\n";
  out += "bill " + currency.format_minor(month.total_minor) + "\n";
  out += "payable " + currency.format_minor(month.payable_minor) + "\n";
  return out;
}

Result<UsageTable> read_usage(const Case& scenario) {
  UsageReader reader;
  reader.usage.context_boundaries = {128'000, 200'000, 272'000};
  if (const auto* ledger = scenario.find("ledger")) {
    TRY(reader.configure(ledger->argument + " " + ledger->text));
  }
  for (const auto& section : scenario.sections) {
    if (section.name != "usage") continue;
    std::istringstream lines(section.text);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line[0] == '#') continue;
      TRY(reader.add(line));
    }
  }
  return std::move(reader.usage);
}

Result<std::string> run(const Case& scenario) {
  TRY(const auto usage, read_usage(scenario));
  const auto outcome = [&]() -> Result<std::string> {
    TRY(const auto documents, read_documents(scenario));
    if (const auto* month = scenario.find("month"))
      return rate_month(usage, documents, month->argument);
    if (const auto* savings = scenario.find("savings"))
      return run_savings(usage,
                         {{documents.contracts, documents.books, documents.capacity, {}, {}, false},
                          documents.programs},
                         savings->argument);
    const auto* rating = scenario.find("rate");
    return rate_all(usage, documents, rating == nullptr ? "" : rating->argument);
  }();
  if (outcome.has_value()) return outcome.value();
  return "refused " + outcome.error().sentence + "\n";
}

// Without comments, blank lines and space at the ends.
std::string normalized(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto from = line.find_first_not_of(" \t");
    if (from == std::string::npos || line[from] == '#') continue;
    out += line.substr(from, line.find_last_not_of(" \t") + 1 - from) + "\n";
  }
  return out;
}

}  // namespace

std::string exact(const Rational& pico) {
  if (pico.is_whole()) return format_amount(pico);
  const auto units = pico / Rational(Int128{pico_per_unit});
  return units.numerator() + "/" + units.denominator();
}

Result<std::vector<Scenario>> run_scenarios(std::string_view text, std::string_view file) {
  std::vector<Scenario> scenarios;
  for (const auto& one : split(text)) {
    auto actual = run(one);
    if (!actual.has_value())
      return invalid_argument(std::string(file) + ": " + one.title + ": " +
                              actual.error().sentence);
    const auto* expected = one.find("expect");
    scenarios.push_back({one.title, expected == nullptr ? "" : normalized(expected->text),
                         std::move(actual.value())});
  }
  if (scenarios.empty()) return invalid_argument(std::string(file) + ": no case");
  return scenarios;
}

}  // namespace gauger::billing
