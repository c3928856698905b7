#include "billing/chargeback/cost_view.h"

#include "billing/json_value.h"
#include "billing/text_table.h"
#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

// Columns of people; the kinds have longer names in programs.
constexpr std::array<std::string_view, charge_kind_names.size()> kind_headings = {
    "usage", "idle", "discount", "true-up", "expired"};

void add(CostRow& total, const CostRow& row) {
  for (size_t i = 0; i < row.by_kind_minor.size(); ++i)
    total.by_kind_minor[i] = checked_add(total.by_kind_minor[i], row.by_kind_minor[i]);
  total.cost_minor = checked_add(total.cost_minor, row.cost_minor);
  total.charge_minor = checked_add(total.charge_minor, row.charge_minor);
}

CostRow row_of(const InvoiceDraft& team) {
  CostRow row;
  row.team = team.bill_to.empty() ? std::string(unallocated) : team.bill_to;
  row.cost_minor = team.total_minor;
  for (const auto& line : team.lines)
    row.by_kind_minor[static_cast<size_t>(line.kind)] += line.amount_minor;
  return row;
}

std::vector<std::string> cells_of(const CostView& view, const CostRow& row, std::string_view name) {
  std::vector<std::string> cells{std::string(name)};
  for (size_t i = 0; i < row.by_kind_minor.size(); ++i)
    cells.push_back(view.total.by_kind_minor[i] == 0 && row.by_kind_minor[i] == 0
                        ? ""
                        : view.currency.format_minor(row.by_kind_minor[i]));
  cells.push_back(view.currency.format_minor(row.cost_minor));
  cells.push_back(view.currency.format_minor(row.charge_minor));
  cells.push_back(view.currency.format_minor(row.charge_minor - row.cost_minor));
  return cells;
}

std::string identity_text(const CostView& view) {
  const auto amount = [&](Int128 minor) { return view.currency.format_minor(minor); };
  Int128 teams = 0;
  Int128 without_team = 0;
  for (const auto& row : view.rows)
    (row.team == unallocated ? without_team : teams) += row.cost_minor;
  std::string text = "teams " + amount(teams) + " + unallocated " + amount(without_team);
  if (view.tax_minor) text += " + tax " + amount(*view.tax_minor);
  text += " = bill " + amount(view.total.cost_minor + view.tax_minor.value_or(0));
  return text + " " + view.currency.code() + (view.tax_minor ? "\n" : " before tax\n");
}

JsonValue put_row(const CostView& view, const CostRow& row) {
  JsonValue json;
  for (size_t i = 0; i < charge_kind_names.size(); ++i)
    json[charge_kind_names[i]] = view.currency.format_minor(row.by_kind_minor[i]);
  json["cost"] = view.currency.format_minor(row.cost_minor);
  json["charge"] = view.currency.format_minor(row.charge_minor);
  json["margin"] = view.currency.format_minor(row.charge_minor - row.cost_minor);
  return json;
}

JsonValue put_view(const CostView& view) {
  JsonValue json;
  json["contract"] = view.contract;
  json["version"] = view.version;
  json["month"] = format_month(view.month);
  json["time_zone"] = view.zone;
  json["currency"] = view.currency.code();
  json["policy"] = view.policy;
  json["as_of_sequence"] = static_cast<int64_t>(view.as_of_sequence);
  for (const auto* list : {"teams", "prepaid", "blockers", "terms"})
    json[list] = JsonValue::Array();
  for (const auto& row : view.rows) {
    auto item = put_row(view, row);
    item["team"] = row.team;
    json["teams"].push_back(std::move(item));
  }
  json["total"] = put_row(view, view.total);
  if (view.tax_minor) json["tax"] = view.currency.format_minor(*view.tax_minor);
  json["bill"] = view.currency.format_minor(view.total.cost_minor + view.tax_minor.value_or(0));
  if (view.rate) {
    json["exchange_rate"]["rate"] = exact_amount(view.rate->rate * Rational(Int128{pico_per_unit}));
    json["exchange_rate"]["from"] = view.rate->from.code();
    json["exchange_rate"]["date"] = format_instant(view.rate->date);
    json["exchange_rate"]["document"] = view.rate->document;
    json["exchange_rate"]["version"] = view.rate->version;
  } else {
    json["payable"] = view.currency.format_minor(view.payable_minor);
  }
  for (const auto& draw : view.prepaid) {
    JsonValue item;
    item["credit"] = draw.credit;
    item["drawn"] = view.currency.format_minor(draw.drawn_minor);
    item["left"] = view.currency.format_minor(draw.left_minor);
    item["expired"] = view.currency.format_minor(draw.expired_minor);
    json["prepaid"].push_back(std::move(item));
  }
  for (const auto& blocker : view.blockers) {
    JsonValue item;
    item["kind"] = to_string(blocker.kind);
    item["sentence"] = blocker.sentence;
    item["quantity"] = blocker.quantity;
    json["blockers"].push_back(std::move(item));
  }
  for (const auto& reference : view.terms) {
    JsonValue item;
    item["kind"] = reference.kind;
    item["id"] = reference.id;
    item["version"] = reference.version;
    item["content_hash"] = reference.content_hash;
    json["terms"].push_back(std::move(item));
  }
  return json;
}

}  // namespace

CostView view_cost(const AllocationDocument& allocation, const ChargeView& charges,
                   std::string_view policy) {
  CostView view;
  view.contract = allocation.contract;
  view.version = allocation.version;
  view.month = allocation.month;
  view.currency = allocation.currency;
  view.policy = policy;
  view.payable_minor = allocation.payable_minor;
  view.prepaid = allocation.prepaid;
  view.terms = allocation.terms;
  view.as_of_sequence = allocation.as_of_sequence;
  std::map<std::string, CostRow> rows;
  std::optional<CostRow> without_team;
  for (const auto& team : allocation.teams) {
    view.zone = team.zone;
    view.blockers.insert(view.blockers.end(), team.blockers.begin(), team.blockers.end());
    if (team.bill_to.empty())
      without_team = row_of(team);
    else
      rows[team.bill_to] = row_of(team);
  }
  for (const auto& charge : charges.teams) {
    rows[charge.team].team = charge.team;
    rows[charge.team].charge_minor = charge.charge_minor;
  }
  for (auto& [name, row] : rows) view.rows.push_back(std::move(row));
  if (without_team) view.rows.push_back(std::move(*without_team));
  for (const auto& row : view.rows) add(view.total, row);
  VERIFY(view.total.cost_minor == allocation.total_minor, "teams add up to the bill");
  VERIFY(view.total.charge_minor == charges.charge_minor, "charges add up to their total");
  return view;
}

CostView view_cost(AllocationDocument allocation, ChargeView charges, std::string_view policy,
                   const FrozenRate& rate) {
  allocation.teams = convert(std::move(allocation.teams), rate);
  allocation.currency = rate.to;
  allocation.total_minor = 0;
  for (const auto& team : allocation.teams) allocation.total_minor += team.total_minor;
  allocation.payable_minor = 0;
  allocation.prepaid.clear();
  const auto invoices = convert(std::move(charges.invoices), rate);
  charges.charge_minor = 0;
  std::map<std::string_view, Int128> converted;
  for (const auto& invoice : invoices) {
    converted[invoice.bill_to] = invoice.total_minor;
    charges.charge_minor += invoice.total_minor;
  }
  for (auto& team : charges.teams) team.charge_minor = converted[team.team];
  auto view = view_cost(allocation, charges, policy);
  view.rate = rate;
  return view;
}

std::string cost_table(const CostView& view) {
  std::vector<TextTable::Column> columns{{"team"}};
  for (const auto heading : kind_headings) columns.push_back({std::string(heading), Align::right});
  for (const auto* heading : {"cost", "charge", "margin"})
    columns.push_back({heading, Align::right});
  TextTable table(std::move(columns));
  for (const auto& row : view.rows) table.add(cells_of(view, row, row.team));
  table.add(cells_of(view, view.total, "total"));
  std::string text = "contract " + view.contract + " " + view.version + ", " +
                     format_month(view.month) + " (" + view.zone + "), in " + view.currency.code() +
                     ", charged by " + view.policy + "\n\n" + table.text() + "\n" +
                     identity_text(view);
  if (view.rate)
    text += "converted at " + format_amount(view.rate->rate * Rational(Int128{pico_per_unit})) +
            " " + view.currency.code() + " for one " + view.rate->from.code() + ", " +
            view.rate->document + " of " + format_instant(view.rate->date) + "\n";
  for (const auto& draw : view.prepaid)
    text +=
        "prepaid " + draw.credit + ": drawn " + view.currency.format_minor(draw.drawn_minor) +
        ", left " + view.currency.format_minor(draw.left_minor) +
        (draw.expired_minor == 0 ? ""
                                 : ", expired " + view.currency.format_minor(draw.expired_minor)) +
        "\n";
  if (!view.prepaid.empty())
    text += "payable " + view.currency.format_minor(view.payable_minor) + "\n";
  if (!view.blockers.empty()) text += "\nnot in it, or by estimate\n";
  for (const auto& blocker : view.blockers)
    text += "  " + std::string(to_string(blocker.kind)) + ": " + blocker.sentence + "\n";
  return text;
}

std::string cost_csv(const std::vector<CostView>& views) {
  std::vector<TextTable::Column> columns{{"contract"}, {"month"}, {"currency"}, {"team"}};
  for (const auto name : charge_kind_names) columns.push_back({std::string(name)});
  for (const auto* name : {"cost", "charge", "margin"}) columns.push_back({name});
  TextTable table(std::move(columns));
  for (const auto& view : views)
    for (const auto& row : view.rows) {
      std::vector<std::string> cells{view.contract, format_month(view.month), view.currency.code(),
                                     row.team};
      for (const auto minor : row.by_kind_minor) cells.push_back(view.currency.format_minor(minor));
      for (const auto minor : {row.cost_minor, row.charge_minor, row.charge_minor - row.cost_minor})
        cells.push_back(view.currency.format_minor(minor));
      table.add(std::move(cells));
    }
  return table.csv();
}

std::string cost_json(const std::vector<CostView>& views) {
  JsonValue root;
  root["contracts"] = JsonValue::Array();
  for (const auto& view : views) root["contracts"].push_back(put_view(view));
  return root.canonical() + "\n";
}

}  // namespace gauger::billing
