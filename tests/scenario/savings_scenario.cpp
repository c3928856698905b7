#include "tests/scenario/savings_scenario.h"

#include <sstream>

#include "billing/savings/statement_text.h"
#include "tests/scenario/billing_scenario.h"

namespace gauger::billing {
namespace {

void put_figures(std::string& out, const std::string& name, const SavingsFigures& figures,
                 PriceBasis basis) {
  const auto put = [&](std::string_view figure, const Rational& amount) {
    if (!amount.is_zero()) out += name + std::string(figure) + " " + exact(amount) + "\n";
  };
  put("counterfactual", figures.counterfactual());
  put("student", figures.student);
  put("escalations", figures.escalations);
  put("gross", figures.gross());
  put("amortization", figures.amortization);
  put("shadow", figures.shadow);
  put("net", figures.net());
  if (figures.net_low() != figures.net_high())
    out +=
        name + "net from " + exact(figures.net_low()) + " to " + exact(figures.net_high()) + "\n";
  if (basis == PriceBasis::list) return;
  put("stranded", figures.stranded());
  put("realized gross", figures.realized_gross());
  put("realized net", figures.realized_net());
}

void put_summaries(std::string& out, const SavingsStatement& statement) {
  for (const auto& summary : summarize(statement)) {
    out += summary.program->id + " " + std::string(to_string(summary.qualification));
    if (summary.acceptance) out += " " + percent_text(*summary.acceptance);
    if (summary.payback) out += " payback " + format_month(*summary.payback);
    if (summary.figures.breaches != 0)
      out += " breaches " + std::to_string(summary.figures.breaches) + " cost " +
             exact(summary.figures.breach_cost);
    if (const auto eaten = summary.drift.eaten(); !eaten.is_zero())
      out += " drift " + exact(eaten) + (summary.drift_alert ? " alert" : "");
    out += "\n";
  }
  for (const auto& [key, quantity] : statement.problems.all()) {
    const auto& [month, kind, sentence] = key;
    if (statement.in_period(month))
      out += "problem " + std::string(to_string(kind)) + " " + gauger::to_string(quantity) + " " +
             sentence + "\n";
  }
}

}  // namespace

Result<std::string> run_savings(const UsageTable& usage, const SavingsTerms& terms,
                                const std::string& arguments) {
  SavingsRequest request;
  std::vector<SavingsDimension> by;
  std::istringstream words(arguments);
  bool dated = false;
  for (std::string word; words >> word;) {
    if (word.starts_with("by=")) {
      TRY(by, parse_savings_dimensions(word.substr(3)));
    } else if (word == "basis=list") {
      request.basis = PriceBasis::list;
    } else if (word.starts_with("list=")) {
      request.list_book = word.substr(5);
    } else {
      TRY(request.last_month, parse_month(word));
      if (!std::exchange(dated, true)) request.first_month = request.last_month;
    }
  }
  TRY(const auto statement, make_statement(usage, nullptr, terms, request));
  std::string out;
  if (!by.empty()) {
    for (const auto& line : savings_lines(statement, by)) {
      std::string name;
      for (const auto& text : line.texts) name += (text.empty() ? "-" : text) + " ";
      put_figures(out, name, line.figures, request.basis);
    }
  }
  put_figures(out, "", savings_total(statement), request.basis);
  put_summaries(out, statement);
  return out;
}

}  // namespace gauger::billing
