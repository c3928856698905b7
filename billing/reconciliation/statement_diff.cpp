#include "billing/reconciliation/statement_diff.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "billing/reconciliation/exact_number.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

Rational magnitude(const Rational& value) { return value.is_negative() ? -value : value; }

std::string where_of(const Statement& statement, const StatementLine& line) {
  auto where = format_day(line.days.from);
  if (line.days.until - line.days.from != 1) where += " to " + format_day(line.days.until - 1);
  const auto put = [&](TextId id) {
    if (id != 0) where += " " + std::string(statement.texts.text(id));
  };
  put(line.account);
  put(line.api_key);
  put(line.model);
  put(line.service_tier);
  if (line.context_above > 0) where += " above " + std::to_string(line.context_above);
  if (line.kind != LineKind::usage) where += " " + std::string(to_string(line.kind));
  put(line.token_class);
  return where;
}

}  // namespace

std::vector<StatementChange> diff_statements(const Statement& before, const Statement& after) {
  std::map<std::pair<std::string, std::string>, StatementChange> changes;
  const auto add = [&](const Statement& statement, bool is_after) {
    for (const auto& line : statement.lines) {
      auto where = where_of(statement, line);
      std::string currency(statement.texts.text(line.currency));
      auto& change = changes[{where, currency}];
      change.where = std::move(where);
      change.currency = std::move(currency);
      (is_after ? change.quantity_after : change.quantity_before) += line.quantity;
      (is_after ? change.amount_after : change.amount_before) += line.amount;
    }
  };
  add(before, false);
  add(after, true);
  std::vector<StatementChange> differing;
  for (auto& [where, change] : changes)
    if (change.quantity_before != change.quantity_after ||
        change.amount_before != change.amount_after)
      differing.push_back(std::move(change));
  return differing;
}

std::string statement_diff_table(std::vector<StatementChange> changes, size_t limit) {
  std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
    return magnitude(b.amount_after - b.amount_before) <
           magnitude(a.amount_after - a.amount_before);
  });
  TextTable table({{"line"},
                   {"quantity before", Align::right},
                   {"after", Align::right},
                   {"amount before", Align::right},
                   {"after", Align::right},
                   {"currency"}});
  for (size_t i = 0; i < std::min(limit, changes.size()); ++i) {
    const auto& change = changes[i];
    table.add({change.where, exact_text(change.quantity_before), exact_text(change.quantity_after),
               exact_text(change.amount_before, money_digits),
               exact_text(change.amount_after, money_digits), change.currency});
  }
  return std::to_string(changes.size()) + " lines changed\n" +
         (changes.empty() ? "" : table.text());
}

}  // namespace gauger::billing
