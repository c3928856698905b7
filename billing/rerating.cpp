#include "billing/rerating.h"

#include <map>
#include <tuple>

#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

auto identity_of(const InvoiceLine& line) {
  return std::tie(line.team, line.project, line.provider, line.model, line.region,
                  line.service_tier, line.context_tier, line.kind, line.item);
}

struct ByIdentity {
  bool operator()(const InvoiceLine& a, const InvoiceLine& b) const {
    return identity_of(a) < identity_of(b);
  }
};

using Differences = std::map<InvoiceLine, LineDifference, ByIdentity>;

void add(Differences& differences, const InvoiceLine& line, bool after) {
  auto& difference = differences[line];
  difference.line = line;
  (after ? difference.quantity_after : difference.quantity_before) += line.quantity;
  (after ? difference.amount_after : difference.amount_before) += line.amount;
  (after ? difference.minor_after : difference.minor_before) += line.amount_minor;
}

bool differs(const LineDifference& difference) {
  return difference.quantity_before != difference.quantity_after ||
         difference.amount_before != difference.amount_after ||
         difference.minor_before != difference.minor_after;
}

}  // namespace

std::vector<LineDifference> diff_lines(std::span<const InvoiceLine> before,
                                       std::span<const InvoiceLine> after) {
  Differences all;
  for (const auto& line : before) add(all, line, false);
  for (const auto& line : after) add(all, line, true);
  std::vector<LineDifference> differences;
  for (auto& [identity, difference] : all)
    if (differs(difference)) differences.push_back(std::move(difference));
  return differences;
}

std::vector<InvoiceLine> lines_of(const Rated& rated) {
  std::map<InvoiceLine, std::pair<int64_t, Rational>, ByIdentity> sums;
  for (const auto& charge : rated.charges) {
    auto& [quantity, amount] = sums[line_of(rated, charge)];
    quantity += charge.quantity;
    amount += charge.amount;
  }
  std::vector<InvoiceLine> lines;
  for (auto& [identity, sum] : sums) {
    auto line = identity;
    line.quantity = sum.first;
    line.amount = sum.second;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<InvoiceLine> corrections(std::span<const InvoiceLine> booked,
                                     const InvoiceDraft& current) {
  std::vector<InvoiceLine> posted;
  for (auto& difference : diff_lines(booked, current.lines)) {
    auto line = std::move(difference.line);
    line.quantity = difference.quantity_after - difference.quantity_before;
    line.amount = difference.amount_after - difference.amount_before;
    line.amount_minor = difference.minor_after - difference.minor_before;
    posted.push_back(std::move(line));
  }
  return posted;
}

namespace {

TextTable table_of(std::span<const LineDifference> differences, const Currency& currency) {
  TextTable table({{"team"},
                   {"project"},
                   {"provider"},
                   {"model"},
                   {"charge"},
                   {"item"},
                   {"quantity before", Align::right},
                   {"quantity after", Align::right},
                   {"exact before", Align::right},
                   {"exact after", Align::right},
                   {"difference", Align::right},
                   {"amount before", Align::right},
                   {"amount after", Align::right},
                   {"price version"}});
  for (const auto& difference : differences) {
    const auto& line = difference.line;
    table.add({line.team, line.project, line.provider, line.model,
               line.kind == ChargeKind::usage ? "" : std::string(to_string(line.kind)), line.item,
               std::to_string(difference.quantity_before),
               std::to_string(difference.quantity_after), format_amount(difference.amount_before),
               format_amount(difference.amount_after),
               format_amount(difference.amount_after - difference.amount_before),
               currency.format_minor(difference.minor_before),
               currency.format_minor(difference.minor_after),
               line.rule.document + " " + line.rule.version});
  }
  return table;
}

}  // namespace

std::string difference_table(std::span<const LineDifference> differences,
                             const Currency& currency) {
  if (differences.empty()) return "nothing differs\n";
  Rational exact;
  Int128 minor = 0;
  for (const auto& difference : differences) {
    exact += difference.amount_after - difference.amount_before;
    minor += difference.minor_after - difference.minor_before;
  }
  return table_of(differences, currency).text() + "difference " + format_amount(exact) + " " +
         currency.code() + (minor == 0 ? "" : ", on lines " + currency.format_minor(minor)) + "\n";
}

std::string difference_csv(std::span<const LineDifference> differences, const Currency& currency) {
  return table_of(differences, currency).csv();
}

std::string difference_json(std::span<const LineDifference> differences, const Currency& currency) {
  JsonValue root;
  root["currency"] = currency.code();
  root["lines"] = JsonValue::Array();
  for (const auto& difference : differences) {
    const auto& line = difference.line;
    JsonValue item;
    item["team"] = line.team;
    item["project"] = line.project;
    item["provider"] = line.provider;
    item["model"] = line.model;
    item["region"] = line.region;
    item["service_tier"] = gauger::to_string(line.service_tier);
    item["context_tier"] = int64_t{line.context_tier};
    item["charge"] = to_string(line.kind);
    item["item"] = line.item;
    item["quantity_before"] = difference.quantity_before;
    item["quantity_after"] = difference.quantity_after;
    item["amount_before_exact"] = format_amount(difference.amount_before);
    item["amount_after_exact"] = format_amount(difference.amount_after);
    item["amount_before"] = currency.format_minor(difference.minor_before);
    item["amount_after"] = currency.format_minor(difference.minor_after);
    item["terms"] = line.rule.document;
    item["version"] = line.rule.version;
    root["lines"].push_back(std::move(item));
  }
  return root.canonical() + "\n";
}

}  // namespace gauger::billing
