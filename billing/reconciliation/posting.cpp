#include "billing/reconciliation/posting.h"

#include <algorithm>

#include "billing/allocation.h"
#include "billing/contracts/allocation_document.h"
#include "billing/document.h"
#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

using Weights = std::map<std::string, Rational>;  // by team

Rational magnitude(const Rational& value) { return value.is_negative() ? -value : value; }

Rational sum_of(const Weights& weights) {
  Rational sum;
  for (const auto& [team, weight] : weights) sum += weight;
  return sum;
}

class Poster {
 public:
  Poster(const Reconciliation& reconciliation, const GrainInput& input, const PostingRules& rules,
         const TeamOf& team_of)
      : result_(reconciliation), input_(input), rules_(rules), team_of_(team_of) {}

  Posting post() {
    for (const auto& variance : result_.matched.variances) add(variance);
    return settle();
  }

 private:
  PostingRule rule_of(VarianceClass variance_class) const {
    const auto found = rules_.find(variance_class);
    return found == rules_.end() ? PostingRule::nobody : found->second;
  }

  void add(const Variance& variance) {
    if (variance.variance_class == VarianceClass::tax) {
      tax_ += variance.amount();
      return;
    }
    if (variance.variance_class == VarianceClass::outside_coverage) {
      elsewhere_ += variance.amount();
      return;
    }
    const auto rule = rule_of(variance.variance_class);
    for (const auto& part : result_.matched.parts_of(variance)) {
      const auto amount = part.quantity_effect + part.price_effect;
      if (!amount.is_zero()) hand_out(variance.variance_class, part.cell, amount, rule);
    }
  }

  void hand_out(VarianceClass variance_class, uint32_t cell, const Rational& amount,
                PostingRule rule) {
    const auto weights = weights_of(cell, rule);
    const auto sum = sum_of(weights);
    if (sum.is_zero()) {
      shares_[{variance_class, std::string()}] += amount;
      return;
    }
    for (const auto& [team, weight] : weights)
      shares_[{variance_class, team}] += amount * weight / sum;
  }

  Weights weights_of(uint32_t cell, PostingRule rule) {
    if (rule == PostingRule::nobody) return {};
    if (rule == PostingRule::by_account) return weights_by_account(cell);
    read_use();
    const auto of_cell = use_of_cell_.find(cell);
    if (of_cell != use_of_cell_.end() && !sum_of(of_cell->second).is_zero()) return of_cell->second;
    const auto of_model = use_of_model_.find(result_.grain.cells[cell].key.model);
    if (of_model != use_of_model_.end() && !sum_of(of_model->second).is_zero())
      return of_model->second;
    return use_;
  }

  // What each team's usage cost, by cell and by model; once, and only where a rule asks for it.
  void read_use() {
    if (use_read_) return;
    use_read_ = true;
    for (size_t i = 0; i < input_.rated.size(); ++i) {
      const auto& rated = input_.rated[i];
      for (size_t j = 0; j < rated.charges.size(); ++j) {
        const auto cell = result_.grain.cell_of_charge[i][j];
        if (cell == no_cell || rated.charges[j].amount.is_zero()) continue;
        const auto amount = magnitude(rated.charges[j].amount);
        const std::string team(rated.text(rated.key(rated.charges[j]).team));
        use_of_cell_[cell][team] += amount;
        use_of_model_[result_.grain.cells[cell].key.model][team] += amount;
        use_[team] += amount;
      }
    }
  }

  Weights weights_by_account(uint32_t cell) const {
    Weights weights;
    if (!team_of_) return weights;
    const auto& lines = result_.grain.lines;
    const auto [begin, end] =
        std::equal_range(lines.begin(), lines.end(), CellLine{cell, 0, 0},
                         [](const CellLine& a, const CellLine& b) { return a.cell < b.cell; });
    for (auto at = begin; at != end; ++at) {
      const auto& statement = input_.statements[at->statement];
      const auto& line = statement.lines[at->line];
      const auto weight = magnitude(line.has_amount ? line.amount : line.quantity);
      weights[team_of_(statement.texts.text(line.account), statement.texts.text(line.api_key),
                       line.days.from)] += weight;
    }
    return weights;
  }

  Posting settle() const {
    Posting posting;
    posting.currency = result_.grain.currency;
    posting.bill_minor = round_total(result_.statement_total, posting.currency);
    posting.charged_minor = round_total(result_.ledger_total, posting.currency);
    std::vector<Rational> amounts{tax_, elsewhere_};
    for (const auto& [where, amount] : shares_) amounts.push_back(amount);
    const auto total = round_total(result_.difference(), posting.currency);
    const auto minor = apportion(amounts, total, posting.currency);
    posting.tax_minor = minor[0];
    posting.elsewhere_minor = minor[1];
    size_t i = 2;
    for (const auto& [where, amount] : shares_) {
      if (minor[i] != 0)
        posting.lines.push_back({where.second, std::string(to_string(where.first)), minor[i]});
      ++i;
    }
    // Two totals that are each rounded may differ by a unit more than their difference does.
    const auto rounding = posting.bill_minor - posting.charged_minor - total;
    if (rounding != 0) posting.lines.push_back({{}, "rounding", rounding});
    return posting;
  }

  const Reconciliation& result_;
  const GrainInput& input_;
  const PostingRules& rules_;
  const TeamOf& team_of_;
  Rational tax_;
  Rational elsewhere_;
  std::map<std::pair<VarianceClass, std::string>, Rational> shares_;
  bool use_read_ = false;
  std::map<uint32_t, Weights> use_of_cell_;
  std::map<TextId, Weights> use_of_model_;
  Weights use_;
};

std::string team_name(const std::string& team) {
  return team.empty() ? std::string(unallocated) : team;
}

Result<Int128> minor_of(Fields& fields, std::string_view name, const Currency& currency) {
  TRY(const auto* node, fields.required(name));
  TRY(const auto pico, read_decimal(fields.file(), *node, money_digits));
  return currency.to_minor(Rational(pico), Rounding::floor);
}

}  // namespace

Posting make_posting(const Reconciliation& reconciliation, const GrainInput& input,
                     const PostingRules& rules, const TeamOf& team_of) {
  return Poster(reconciliation, input, rules, team_of).post();
}

std::vector<PostingLine> posting_change(const Posting& now, const Posting& before) {
  std::map<std::pair<std::string, std::string>, Int128> change;
  for (const auto& line : now.lines) change[{line.variance_class, line.team}] += line.amount_minor;
  for (const auto& line : before.lines)
    change[{line.variance_class, line.team}] -= line.amount_minor;
  std::vector<PostingLine> lines;
  for (const auto& [where, amount] : change)
    if (amount != 0) lines.push_back({where.second, where.first, amount});
  return lines;
}

std::string posting_table(const Posting& posting) {
  const auto& currency = posting.currency;
  TextTable table({{"what"}, {"team"}, {"amount", Align::right}});
  table.add(
      {"charged to teams by our own figures", "", currency.format_minor(posting.charged_minor)});
  for (const auto& line : posting.lines)
    table.add(
        {line.variance_class, team_name(line.team), currency.format_minor(line.amount_minor)});
  if (posting.elsewhere_minor != 0)
    table.add({"not on this statement", "", currency.format_minor(posting.elsewhere_minor)});
  if (posting.tax_minor != 0) table.add({"tax", "", currency.format_minor(posting.tax_minor)});
  table.add(
      {"the provider's bill, " + currency.code(), "", currency.format_minor(posting.bill_minor)});
  return table.text();
}

std::string posting_json(const Posting& posting) {
  const auto& currency = posting.currency;
  JsonValue root;
  root["kind"] = "reconciliation_posting";
  root["currency"] = currency.code();
  root["bill"] = currency.format_minor(posting.bill_minor);
  root["charged"] = currency.format_minor(posting.charged_minor);
  root["elsewhere"] = currency.format_minor(posting.elsewhere_minor);
  root["tax"] = currency.format_minor(posting.tax_minor);
  root["lines"] = JsonValue::Array();
  for (const auto& line : posting.lines) {
    JsonValue item;
    item["team"] = team_name(line.team);
    item["class"] = line.variance_class;
    item["amount"] = currency.format_minor(line.amount_minor);
    root["lines"].push_back(std::move(item));
  }
  return root.canonical() + "\n";
}

Result<Posting> parse_posting(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_json(text, file));
  TRY(auto fields, Fields::of(file, root, "a posting"));
  Posting posting;
  TRY(const auto kind, fields.text("kind"));
  if (kind != "reconciliation_posting") return fields.error("this is a '" + kind + "'");
  TRY(const auto code, fields.text("currency"));
  TRY(posting.currency, Currency::find(code));
  TRY(posting.bill_minor, minor_of(fields, "bill", posting.currency));
  TRY(posting.charged_minor, minor_of(fields, "charged", posting.currency));
  TRY(posting.elsewhere_minor, minor_of(fields, "elsewhere", posting.currency));
  TRY(posting.tax_minor, minor_of(fields, "tax", posting.currency));
  TRY(const auto lines, fields.list("lines"));
  for (const auto& node : lines) {
    TRY(auto line, Fields::of(file, node, "a posting's line"));
    PostingLine read;
    TRY(read.team, line.text("team"));
    if (read.team == unallocated) read.team.clear();
    TRY(read.variance_class, line.text("class"));
    TRY(read.amount_minor, minor_of(line, "amount", posting.currency));
    TRY(line.finish());
    posting.lines.push_back(std::move(read));
  }
  TRY(fields.finish());
  return posting;
}

}  // namespace gauger::billing
