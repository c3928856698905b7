#include "billing/invoices/booked.h"

#include <algorithm>

#include "billing/rerating.h"

namespace gauger::billing {

Booked::Booked(std::span<const Invoice> documents, std::string_view bill_to,
               const Currency& currency) {
  for (const auto& document : documents) {
    const auto& header = document.header;
    if (header.bill_to.id != bill_to || header.currency != currency) continue;
    for (const auto& line : document.lines) add(line);
    if (header.type == InvoiceType::invoice) invoices_[header.month] = document.number;
    if (!header.voids) continue;
    std::erase_if(invoices_, [&](const auto& entry) { return entry.second == *header.voids; });
  }
}

void Booked::add(const PostedLine& line) {
  totals_[line.month] += line.charge.amount_minor;
  if (line.charge.item != "rounding" || !line.charge.provider.empty())
    lines_[line.month].push_back(line.charge);
}

std::optional<int64_t> Booked::invoice_of(int32_t month) const {
  const auto found = invoices_.find(month);
  if (found == invoices_.end()) return std::nullopt;
  return found->second;
}

std::vector<int32_t> Booked::invoiced_months() const {
  std::vector<int32_t> months;
  for (const auto& [month, number] : invoices_) months.push_back(month);
  return months;
}

std::vector<int32_t> Booked::months() const {
  std::vector<int32_t> months;
  for (const auto& [month, total] : totals_) months.push_back(month);
  return months;
}

BookedMonth Booked::month(int32_t month) const {
  BookedMonth booked;
  booked.month = month;
  const auto total = totals_.find(month);
  if (total != totals_.end()) booked.total_minor = total->second;
  const auto lines = lines_.find(month);
  if (lines == lines_.end()) return booked;
  for (auto& sum : diff_lines({}, lines->second)) {
    auto line = std::move(sum.line);
    line.quantity = sum.quantity_after;
    line.amount = sum.amount_after;
    line.amount_minor = 0;
    booked.lines.push_back(std::move(line));
  }
  return booked;
}

std::optional<int64_t> voided_by(std::span<const Invoice> documents, int64_t number) {
  for (const auto& document : documents)
    if (document.header.voids == number) return document.number;
  return std::nullopt;
}

}  // namespace gauger::billing
