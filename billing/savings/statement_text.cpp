#include "billing/savings/statement_text.h"

#include <algorithm>
#include <array>
#include <map>

#include "billing/allocation.h"
#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

// The columns that are rounded; the others are sums of them.
enum Column : size_t {
  accepted_worth,
  escalated_worth,
  student,
  escalations,
  amortization,
  shadow,
  stranded,
  low,  // of the accepted, less their mean
  high,
  column_count
};
using Exact = std::array<Rational, column_count>;
using Minor = std::array<Int128, column_count>;

Exact exact_of(const SavingsFigures& f) {
  return {f.counterfactual_accepted,
          f.counterfactual_escalated,
          f.student,
          f.escalations,
          f.amortization,
          f.shadow,
          f.stranded(),
          f.counterfactual_low - f.counterfactual_accepted,
          f.counterfactual_high - f.counterfactual_accepted};
}

struct Amounts {
  Minor minor{};
  Int128 counterfactual() const { return minor[accepted_worth] + minor[escalated_worth]; }
  Int128 gross() const { return counterfactual() - minor[student] - minor[escalations]; }
  Int128 net() const { return gross() - minor[amortization] - minor[shadow]; }
  Int128 realized_net() const { return net() - minor[stranded]; }
};

struct Rounded {
  std::vector<SavingsLine> lines;
  std::vector<Amounts> amounts;  // of the lines
  Amounts total;
};

Rounded round_lines(const SavingsStatement& statement, const std::vector<SavingsDimension>& by) {
  Rounded rounded{savings_lines(statement, by), {}, {}};
  rounded.amounts.resize(rounded.lines.size());
  const auto total = exact_of(savings_total(statement));
  for (size_t column = 0; column < column_count; ++column) {
    rounded.total.minor[column] = round_total(total[column], statement.currency);
    std::vector<Rational> parts;
    for (const auto& line : rounded.lines) parts.push_back(exact_of(line.figures)[column]);
    const auto minor = apportion(parts, rounded.total.minor[column], statement.currency);
    for (size_t i = 0; i < minor.size(); ++i) rounded.amounts[i].minor[column] = minor[i];
  }
  return rounded;
}

std::string text_of(const SavingsStatement& statement, const SavingsCell& cell,
                    SavingsDimension dimension) {
  const auto& program = statement.programs[static_cast<size_t>(cell.program)];
  switch (dimension) {
    case SavingsDimension::month: return format_month(cell.month);
    case SavingsDimension::program: return program.id;
    case SavingsDimension::student: return program.student.model;
    case SavingsDimension::team: return statement.strings[cell.team.value];
    case SavingsDimension::project: return statement.strings[cell.project.value];
    case SavingsDimension::workload: return statement.strings[cell.workload.value];
  }
  return {};
}

// Lines that are not the programme's totals leave realized out on a list basis.
bool realizes(const SavingsStatement& statement) {
  return statement.request.basis == PriceBasis::contract;
}

TextTable make_table(const SavingsStatement& statement, const std::vector<SavingsDimension>& by,
                     const Rounded& rounded, bool total) {
  std::vector<TextTable::Column> columns;
  for (const auto dimension : by)
    columns.push_back({std::string(savings_dimension_names[static_cast<size_t>(dimension)])});
  for (const auto* name : {"requests", "acceptance", "counterfactual", "student", "escalations",
                           "gross", "amortization", "shadow", "net", "net low", "net high"})
    columns.push_back({name, Align::right});
  if (realizes(statement))
    for (const auto* name : {"stranded", "realized net"}) columns.push_back({name, Align::right});
  TextTable table(std::move(columns));
  const auto add = [&](std::vector<std::string> cells, const SavingsFigures& figures,
                       const Amounts& amounts) {
    const auto money = [&](Int128 minor) {
      cells.push_back(statement.currency.format_minor(minor));
    };
    cells.push_back(std::to_string(figures.ended() + figures.open));
    const auto acceptance = acceptance_of(figures);
    cells.push_back(acceptance ? percent_text(*acceptance) : "");
    money(amounts.counterfactual());
    money(amounts.minor[student]);
    money(amounts.minor[escalations]);
    money(amounts.gross());
    money(amounts.minor[amortization]);
    money(amounts.minor[shadow]);
    money(amounts.net());
    money(amounts.net() + amounts.minor[low]);
    money(amounts.net() + amounts.minor[high]);
    if (realizes(statement)) {
      money(amounts.minor[stranded]);
      money(amounts.realized_net());
    }
    table.add(std::move(cells));
  };
  for (size_t i = 0; i < rounded.lines.size(); ++i)
    add(rounded.lines[i].texts, rounded.lines[i].figures, rounded.amounts[i]);
  if (total && !by.empty()) {
    std::vector<std::string> cells(by.size());
    cells.front() = "total";
    add(std::move(cells), savings_total(statement), rounded.total);
  }
  return table;
}

std::string money_text(const SavingsStatement& statement, const Rational& pico) {
  return statement.currency.format_minor(round_total(pico, statement.currency)) + " " +
         statement.currency.code();
}

std::string summary_text(const SavingsStatement& statement, const ProgramSummary& summary) {
  const auto& figures = summary.figures;
  auto text = summary.program->id + ": " + std::string(to_string(summary.qualification));
  if (summary.acceptance)
    text += ", acceptance " + percent_text(*summary.acceptance) + " (floor " +
            percent_text(summary.program->acceptance_floor) + ")";
  text += ", net " + money_text(statement, figures.net());
  if (figures.net().is_negative()) text += ": it costs more than it saves";
  text += "\n  payback ";
  text += summary.payback ? format_month(*summary.payback)
                          : "not yet: " + money_text(statement, summary.recovered) + " of " +
                                money_text(statement, summary.spent) + " recovered";
  text += "\n";
  if (figures.breaches != 0)
    text += "  outside the licence: " + std::to_string(figures.breaches) + " requests, " +
            money_text(statement, figures.breach_cost) + "\n";
  if (const auto eaten = summary.drift.eaten(); !eaten.is_zero())
    text += "  drift eats " + money_text(statement, eaten) + " (fallbacks " +
            money_text(statement, summary.drift.fallbacks) + ", retries " +
            money_text(statement, summary.drift.retries) + ", longer answers " +
            money_text(statement, summary.drift.output) + ")" +
            (summary.drift_alert ? ": alert" : "") + "\n";
  return text;
}

void put_amounts(JsonValue& json, const SavingsStatement& statement, const SavingsFigures& figures,
                 const Amounts& amounts) {
  const auto put = [&](std::string_view name, Int128 minor, const Rational& exact) {
    json[name] = statement.currency.format_minor(minor);
    json[std::string(name) + "_exact"] = format_amount(exact);
  };
  json["accepted"] = figures.accepted;
  json["escalated"] = figures.escalated;
  json["failed"] = figures.failed;
  json["outcome_absent"] = figures.open;
  json["retries"] = figures.retries;
  json["fallbacks"] = figures.fallbacks;
  put("counterfactual", amounts.counterfactual(), figures.counterfactual());
  put("student_cost", amounts.minor[student], figures.student);
  put("escalations", amounts.minor[escalations], figures.escalations);
  put("gross", amounts.gross(), figures.gross());
  put("amortization", amounts.minor[amortization], figures.amortization);
  put("shadow", amounts.minor[shadow], figures.shadow);
  put("net", amounts.net(), figures.net());
  put("net_low", amounts.net() + amounts.minor[low], figures.net_low());
  put("net_high", amounts.net() + amounts.minor[high], figures.net_high());
  if (!realizes(statement)) return;
  put("stranded", amounts.minor[stranded], figures.stranded());
  put("realized_gross", amounts.gross() - amounts.minor[stranded], figures.realized_gross());
  put("realized_net", amounts.realized_net(), figures.realized_net());
}

JsonValue summary_json(const ProgramSummary& summary) {
  JsonValue json;
  json["program"] = summary.program->id;
  json["version"] = summary.program->version;
  json["state"] = to_string(summary.qualification);
  if (summary.acceptance) json["acceptance_percent"] = percent_text(*summary.acceptance);
  json["acceptance_floor_percent"] = percent_text(summary.program->acceptance_floor);
  json["net_exact"] = format_amount(summary.figures.net());
  if (summary.payback) json["payback"] = format_month(*summary.payback);
  json["one_offs_exact"] = format_amount(summary.spent);
  json["recovered_exact"] = format_amount(summary.recovered);
  json["licence_breaches"] = summary.figures.breaches;
  json["licence_breach_cost_exact"] = format_amount(summary.figures.breach_cost);
  json["drift_fallbacks_exact"] = format_amount(summary.drift.fallbacks);
  json["drift_retries_exact"] = format_amount(summary.drift.retries);
  json["drift_output_exact"] = format_amount(summary.drift.output);
  json["drift_alert"] = summary.drift_alert;
  return json;
}

}  // namespace

Result<std::vector<SavingsDimension>> parse_savings_dimensions(std::string_view text) {
  std::vector<SavingsDimension> by;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto found = find_name<SavingsDimension>(savings_dimension_names, name);
    if (!found)
      return invalid_argument("'" + std::string(name) +
                              "' is none of month, program, student, team, project, workload");
    if (std::find(by.begin(), by.end(), *found) == by.end()) by.push_back(*found);
  }
  return by;
}

std::vector<SavingsLine> savings_lines(const SavingsStatement& statement,
                                       const std::vector<SavingsDimension>& by) {
  std::map<std::vector<std::string>, SavingsFigures> sums;
  for (const auto& cell : statement.cells) {
    if (!statement.in_period(cell.month)) continue;
    std::vector<std::string> texts;
    for (const auto dimension : by) texts.push_back(text_of(statement, cell, dimension));
    sums[std::move(texts)] += cell.figures;
  }
  std::vector<SavingsLine> lines;
  for (auto& [texts, figures] : sums) lines.push_back({texts, std::move(figures)});
  return lines;
}

SavingsFigures savings_total(const SavingsStatement& statement) {
  SavingsFigures total;
  for (const auto& cell : statement.cells)
    if (statement.in_period(cell.month)) total += cell.figures;
  return total;
}

bool is_blocked(const SavingsStatement& statement) {
  return std::any_of(
      statement.problems.all().begin(), statement.problems.all().end(),
      [&](const auto& problem) { return statement.in_period(std::get<0>(problem.first)); });
}

std::string savings_table(const SavingsStatement& statement,
                          const std::vector<SavingsDimension>& by) {
  auto text = make_table(statement, by, round_lines(statement, by), true).text();
  text += "\n";
  for (const auto& summary : summarize(statement)) text += summary_text(statement, summary);
  for (const auto& [key, quantity] : statement.problems.all()) {
    const auto& [month, kind, sentence] = key;
    if (!statement.in_period(month)) continue;
    text += "blocked in " + format_month(month) + " by " + std::string(to_string(kind)) + ": " +
            sentence + " (" + gauger::to_string(quantity) + ")\n";
  }
  text += "amounts in " + statement.currency.code() + ", months of " + statement.zone +
          ", complete to journal block " + std::to_string(statement.as_of_sequence) + "\n";
  return text;
}

std::string savings_csv(const SavingsStatement& statement,
                        const std::vector<SavingsDimension>& by) {
  return make_table(statement, by, round_lines(statement, by), false).csv();
}

std::string savings_json(const SavingsStatement& statement,
                         const std::vector<SavingsDimension>& by) {
  const auto rounded = round_lines(statement, by);
  JsonValue root;
  root["kind"] = "savings_statement";
  root["from"] = format_month(statement.request.first_month);
  root["until"] = format_month(statement.request.last_month);
  root["time_zone"] = statement.zone;
  root["currency"] = statement.currency.code();
  root["basis"] = realizes(statement) ? "contract" : "list";
  root["as_of_sequence"] = static_cast<int64_t>(statement.as_of_sequence);
  root["lines"] = JsonValue::Array();
  for (size_t i = 0; i < rounded.lines.size(); ++i) {
    JsonValue line;
    for (size_t j = 0; j < by.size(); ++j)
      line[savings_dimension_names[static_cast<size_t>(by[j])]] = rounded.lines[i].texts[j];
    put_amounts(line, statement, rounded.lines[i].figures, rounded.amounts[i]);
    root["lines"].push_back(std::move(line));
  }
  put_amounts(root["total"], statement, savings_total(statement), rounded.total);
  root["programs"] = JsonValue::Array();
  for (const auto& summary : summarize(statement))
    root["programs"].push_back(summary_json(summary));
  root["problems"] = JsonValue::Array();
  for (const auto& [key, quantity] : statement.problems.all()) {
    const auto& [month, kind, sentence] = key;
    if (!statement.in_period(month)) continue;
    JsonValue problem;
    problem["month"] = format_month(month);
    problem["problem"] = to_string(kind);
    problem["sentence"] = sentence;
    problem["quantity"] = gauger::to_string(quantity);
    root["problems"].push_back(std::move(problem));
  }
  root["blocked"] = is_blocked(statement);
  return root.canonical() + "\n";
}

}  // namespace gauger::billing
