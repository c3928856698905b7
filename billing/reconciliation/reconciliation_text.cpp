// A reconciliation for people and programs.
#include <algorithm>

#include "billing/json_value.h"
#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/reconciliation.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

// Money of a table: twelve digits at most, more only in JSON and CSV.
std::string money(const Rational& pico) { return format_amount(pico, 2); }

std::string context_of(const CellKey& key) {
  return key.context_above == context_not_told ? std::string() : std::to_string(key.context_above);
}

std::string days_of(const Reconciliation& r) {
  return format_day(r.grain.days.from) + " to " + format_day(r.grain.days.until - 1);
}

// Variances of every class get their share of the limit, so that no class hides another.
std::vector<const Variance*> largest(const Reconciliation& r, size_t limit) {
  const auto& variances = r.matched.variances;
  std::vector<std::span<const Variance>> classes;
  size_t begin = 0;
  for (const auto& total : r.classes) {
    const auto count = static_cast<size_t>(total.variances);
    classes.push_back(std::span(variances).subspan(begin, count));
    begin += count;
  }
  limit = std::min(limit, variances.size());
  std::vector<const Variance*> chosen;
  for (size_t round = 0; chosen.size() < limit; ++round)
    for (const auto& of_class : classes)
      if (round < of_class.size() && chosen.size() < limit) chosen.push_back(&of_class[round]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::string where_of(const Reconciliation& r, const Variance& variance) {
  const auto parts = r.matched.parts_of(variance);
  auto label = cell_label(r.grain, r.grain.cells[parts.front().cell].key);
  if (parts.size() > 1) label += " and " + std::to_string(parts.size() - 1) + " more";
  return label;
}

std::string classes_table(const Reconciliation& r) {
  TextTable table({{"class"},
                   {"variances", Align::right},
                   {"cells", Align::right},
                   {"quantity effect", Align::right},
                   {"price effect", Align::right},
                   {"amount", Align::right}});
  for (const auto& total : r.classes)
    table.add({std::string(to_string(total.variance_class)), std::to_string(total.variances),
               std::to_string(total.cells), money(total.quantity_effect), money(total.price_effect),
               money(total.amount())});
  return table.text();
}

std::vector<std::string> part_cells(const Reconciliation& r, const Variance& variance,
                                    const VariancePart& part) {
  const auto& cell = r.grain.cells[part.cell];
  const auto text = [&](TextId id) { return std::string(r.grain.text(id)); };
  return {std::string(to_string(variance.variance_class)),
          format_day(cell.key.day),
          text(cell.key.account),
          text(cell.key.model),
          text(cell.key.service_tier),
          context_of(cell.key),
          text(cell.key.token_class),
          format_amount(cell.statement_quantity * Rational(Int128{pico_per_unit})),
          format_amount(cell.ledger_quantity * Rational(Int128{pico_per_unit})),
          format_amount(cell.statement_amount),
          format_amount(cell.ledger_amount),
          format_amount(part.quantity_effect),
          format_amount(part.price_effect),
          format_amount(part.quantity_effect + part.price_effect),
          r.grain.currency.code(),
          evidence_sentence(r.grain, r.matched, variance)};
}

TextTable parts_table() {
  return TextTable({{"class"},
                    {"day"},
                    {"account"},
                    {"model"},
                    {"service_tier"},
                    {"context_above"},
                    {"token_class"},
                    {"statement_quantity", Align::right},
                    {"ledger_quantity", Align::right},
                    {"statement_amount", Align::right},
                    {"ledger_amount", Align::right},
                    {"quantity_effect", Align::right},
                    {"price_effect", Align::right},
                    {"amount", Align::right},
                    {"currency"},
                    {"evidence"}});
}

JsonValue variance_json(const Reconciliation& r, const Variance& variance) {
  JsonValue item;
  item["class"] = to_string(variance.variance_class);
  item["explained"] = is_explained(variance.variance_class);
  item["evidence"] = evidence_sentence(r.grain, r.matched, variance);
  item["quantity_effect"] = format_amount(variance.quantity_effect);
  item["price_effect"] = format_amount(variance.price_effect);
  item["amount"] = format_amount(variance.amount());
  item["cells"] = JsonValue::Array();
  constexpr size_t cells_max = 100;
  const auto parts = r.matched.parts_of(variance);
  item["cell_count"] = static_cast<int64_t>(parts.size());
  for (size_t i = 0; i < std::min(parts.size(), cells_max); ++i) {
    const auto& cell = r.grain.cells[parts[i].cell];
    JsonValue part;
    part["day"] = format_day(cell.key.day);
    part["account"] = r.grain.text(cell.key.account);
    part["model"] = r.grain.text(cell.key.model);
    part["service_tier"] = r.grain.text(cell.key.service_tier);
    if (cell.key.context_above != context_not_told) part["context_above"] = cell.key.context_above;
    part["token_class"] = r.grain.text(cell.key.token_class);
    part["statement_amount"] = format_amount(cell.statement_amount);
    part["ledger_amount"] = format_amount(cell.ledger_amount);
    part["amount"] = format_amount(parts[i].quantity_effect + parts[i].price_effect);
    item["cells"].push_back(std::move(part));
  }
  return item;
}

}  // namespace

std::string share_text(const Rational& share) { return percent_text(share, 4, Rounding::floor); }

std::string reconciliation_table(const Reconciliation& r, size_t limit) {
  std::string out = "reconciliation of " + r.grain.provider + ", " + days_of(r) + " (" +
                    r.grain.zone.name() + "), in " + r.grain.currency.code() + "\n";
  for (const auto& id : r.statements) out += "  statement " + id + "\n";
  for (const auto& note : r.grain.notes) out += "  note: " + note + "\n";
  TextTable totals({{""}, {"amount", Align::right}});
  totals.add({"ledger, rated", money(r.ledger_total)});
  for (const auto& total : r.classes)
    totals.add({"  " + std::string(to_string(total.variance_class)), money(total.amount())});
  totals.add({"statement", money(r.statement_total)});
  out += "\n" + totals.text();
  for (const auto& [code, amount] : r.grain.foreign)
    out += "and " + money(amount) + " " + code + ", which no exchange rate converts\n";
  out += "\nmatched " + share_text(r.shares.matched) + " of the statement, explained " +
         share_text(r.shares.explained) + " of the differences; " +
         std::to_string(r.matched.matched_cells) + " of " + std::to_string(r.grain.cells.size()) +
         " cells are equal\n";
  if (r.matched.variances.empty()) return out;
  out += "\n" + classes_table(r) + "\n";
  TextTable list({{"class"}, {"amount", Align::right}, {"where"}, {"evidence"}});
  const auto chosen = largest(r, limit);
  for (const auto* variance : chosen)
    list.add({std::string(to_string(variance->variance_class)), money(variance->amount()),
              where_of(r, *variance), evidence_sentence(r.grain, r.matched, *variance)});
  out += list.text();
  if (chosen.size() < r.matched.variances.size())
    out += "and " + std::to_string(r.matched.variances.size() - chosen.size()) +
           " more; --limit shows more, `gauger reconcile export` all\n";
  return out;
}

std::string reconciliation_json(const Reconciliation& r, size_t limit) {
  JsonValue root;
  root["provider"] = r.grain.provider;
  root["from"] = format_day(r.grain.days.from);
  root["until"] = format_day(r.grain.days.until);
  root["zone"] = r.grain.zone.name();
  root["currency"] = r.grain.currency.code();
  root["as_of_sequence"] = static_cast<int64_t>(r.grain.as_of_sequence);
  root["statements"] = JsonValue::Array();
  for (const auto& id : r.statements) root["statements"].push_back(id);
  root["notes"] = JsonValue::Array();
  for (const auto& note : r.grain.notes) root["notes"].push_back(note);
  root["ledger_total"] = format_amount(r.ledger_total);
  root["statement_total"] = format_amount(r.statement_total);
  root["difference"] = format_amount(r.difference());
  root["matched_share"] = share_text(r.shares.matched);
  root["explained_share"] = share_text(r.shares.explained);
  root["cells"] = static_cast<int64_t>(r.grain.cells.size());
  root["matched_cells"] = static_cast<int64_t>(r.matched.matched_cells);
  for (const auto& [code, amount] : r.grain.foreign) root["foreign"][code] = format_amount(amount);
  root["classes"] = JsonValue::Array();
  for (const auto& total : r.classes) {
    JsonValue item;
    item["class"] = to_string(total.variance_class);
    item["variances"] = total.variances;
    item["cells"] = total.cells;
    item["quantity_effect"] = format_amount(total.quantity_effect);
    item["price_effect"] = format_amount(total.price_effect);
    item["amount"] = format_amount(total.amount());
    root["classes"].push_back(std::move(item));
  }
  root["variances"] = JsonValue::Array();
  const auto chosen = largest(r, limit);
  for (const auto* variance : chosen) root["variances"].push_back(variance_json(r, *variance));
  root["variance_count"] = static_cast<int64_t>(r.matched.variances.size());
  return root.canonical() + "\n";
}

std::string reconciliation_csv(const Reconciliation& r) {
  auto table = parts_table();
  for (const auto& variance : r.matched.variances)
    for (const auto& part : r.matched.parts_of(variance)) table.add(part_cells(r, variance, part));
  return table.csv();
}

std::string dispute_csv(const Reconciliation& r) {
  auto table = parts_table();
  for (const auto& variance : r.matched.variances) {
    const auto amount = variance.amount();
    if (variance.variance_class == VarianceClass::within_tolerance ||
        variance.variance_class == VarianceClass::tax ||
        variance.variance_class == VarianceClass::outside_coverage || amount.is_negative() ||
        amount.is_zero())
      continue;
    for (const auto& part : r.matched.parts_of(variance)) table.add(part_cells(r, variance, part));
  }
  return table.csv();
}

}  // namespace gauger::billing
