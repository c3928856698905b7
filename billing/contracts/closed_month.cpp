#include "billing/contracts/closed_month.h"

#include "billing/contracts/allocation_json.h"
#include "billing/invoices/line_json.h"
#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

Correction correction_of(const AllocationDocument& closed, CorrectionReason reason,
                         std::vector<InvoiceLine> lines) {
  Correction correction;
  correction.contract = closed.contract;
  correction.month = closed.month;
  correction.currency = closed.currency;
  correction.reason = reason;
  correction.lines = std::move(lines);
  for (const auto& line : correction.lines) correction.amount_minor += line.amount_minor;
  return correction;
}

std::optional<Correction> correct_late(const ClosedMonth& closed, const ContractMonth& now) {
  auto late = late_charges(closed.allocation, closed.posted, now);
  if (late.empty()) return std::nullopt;
  auto correction = correction_of(closed.allocation, CorrectionReason::late_usage,
                                  lines_of(closed.allocation, late));
  correction.late = std::move(late);
  correction.as_of_sequence = now.rated.as_of_sequence;
  return correction;
}

}  // namespace

std::string allocation_id(std::string_view contract, int32_t month) {
  return std::string(contract) + "/" + format_month(month);
}

std::vector<InvoiceLine> ClosedMonth::booked() const {
  auto lines = lines_of(allocation);
  const auto late = lines_of(allocation, posted);
  lines.insert(lines.end(), late.begin(), late.end());
  return lines;
}

Int128 ClosedMonth::total_minor() const {
  auto total = allocation.total_minor;
  for (const auto& charge : posted) total = checked_add(total, charge.amount_minor);
  return total;
}

void ClosedMonth::add(Correction correction) {
  if (correction.allocation) {
    allocation = std::move(*correction.allocation);
    posted.clear();
  }
  posted.insert(posted.end(), correction.late.begin(), correction.late.end());
}

std::optional<Correction> correct(const ClosedMonth& closed,
                                  const ContractMonth& under_sealed_terms, const ContractMonth& now,
                                  AllocationDocument current) {
  // A version that changes nothing of this month is no other terms.
  if (diff_lines(lines_of(under_sealed_terms.rated), lines_of(now.rated)).empty())
    return correct_late(closed, now);
  InvoiceDraft draft;
  draft.currency = current.currency;
  draft.lines = lines_of(current);
  auto correction = correction_of(closed.allocation, CorrectionReason::other_terms,
                                  corrections(closed.booked(), draft));
  correction.as_of_sequence = current.as_of_sequence;
  correction.allocation = std::move(current);
  return correction;
}

std::string correction_json(const Correction& correction) {
  const auto& currency = correction.currency;
  JsonValue root;
  root["kind"] = "allocation_correction";
  root["contract"] = correction.contract;
  root["month"] = format_month(correction.month);
  root["currency"] = currency.code();
  root["reason"] = to_string(correction.reason);
  root["amount"] = currency.format_minor(correction.amount_minor);
  root["as_of_sequence"] = static_cast<int64_t>(correction.as_of_sequence);
  LinesToJson to_json;
  root["lines"] = to_json.lines(correction.lines, currency);
  root["rules"] = std::move(to_json).rules();
  root["late"] = json_list(correction.late,
                           [&](const LateCharge& charge) { return late_json(charge, currency); });
  if (correction.allocation) root["allocation"] = allocation_value(*correction.allocation);
  return root.canonical() + "\n";
}

Result<Correction> parse_correction(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_json(text, file));
  TRY(auto fields, JsonFields::of(file, root, "a correction"));
  Correction correction;
  TRY(const auto kind, fields.text("kind"));
  if (kind != "allocation_correction")
    return fields.error("'kind: " + kind + "' is not an allocation_correction");
  TRY(correction.contract, fields.text("contract"));
  TRY(correction.month, fields.month("month"));
  TRY(correction.currency, fields.currency("currency"));
  TRY(correction.reason, fields.choice<CorrectionReason>("reason", correction_reason_names));
  TRY(correction.amount_minor, fields.minor("amount", correction.currency));
  TRY(const auto sequence, fields.integer("as_of_sequence"));
  correction.as_of_sequence = static_cast<uint64_t>(sequence);
  TRY(const auto rules, parse_rules(fields));
  TRY(correction.lines, parse_lines(fields, rules, correction.currency));
  TRY(correction.late,
      parse_list<LateCharge>(fields, "late", [&](std::string_view name, const Node& node) {
        return parse_late(name, node, correction.currency);
      }));
  if (const auto* allocation = fields.optional("allocation")) {
    TRY(correction.allocation, parse_allocation_value(file, *allocation));
  }
  TRY(fields.finish());
  return correction;
}

Result<ClosedMonth> read_closed_month(std::span<const std::string> contents, std::string_view id) {
  VERIFY(!contents.empty(), "a closed month has its allocation");
  const auto file = "allocation " + std::string(id);
  auto allocation = parse_allocation(contents.front(), file);
  if (!allocation.has_value()) return corruption(allocation.error().sentence);
  ClosedMonth closed;
  closed.allocation = std::move(allocation.value());
  for (const auto& content : contents.subspan(1)) {
    auto correction = parse_correction(content, file);
    if (!correction.has_value()) return corruption(correction.error().sentence);
    if (correction.value().contract != closed.allocation.contract ||
        correction.value().month != closed.allocation.month)
      return corruption(file + ": a correction of another month");
    closed.add(std::move(correction.value()));
  }
  return closed;
}

}  // namespace gauger::billing
