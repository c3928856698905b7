// Dated exchange rates, and converting an invoice with the one that was frozen for its period.
// A conversion is exact until the invoice's total is rounded in its new currency; corrections
// of the period reuse the frozen rate. Values; no threads.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "billing/invoice_draft.h"

namespace gauger::billing {

struct ExchangeRate {
  int line = 0;
  Instant date;  // from this day on, until the pair's next one
  Currency from;
  Currency to;
  Rational rate;  // units of `to` for one unit of `from`
};

struct ExchangeRates {
  std::string file;
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  std::vector<ExchangeRate> rates;
};

// What a period is invoiced with; stored in the sealed invoice.
struct FrozenRate {
  Currency from;
  Currency to;
  Rational rate;
  Instant date;
  std::string document;
  std::string version;
};

Result<ExchangeRates> parse_exchange_rates(std::string_view text, std::string_view file);
Result<ExchangeRates> read_exchange_rates(const Node& root, std::string_view file);

// A rate older than this says nothing about the day.
inline constexpr int rate_age_days_max = 31;

// The pair's latest rate at the time, or the reciprocal of the opposite pair's; one to one for the
// same currency. not_found where there is none, or only one that is too old.
Result<FrozenRate> freeze_rate(const ExchangeRates& rates, const Currency& from, const Currency& to,
                               Instant at);

// Of several documents the one with the latest rate; conflict where two of one day differ.
Result<FrozenRate> freeze_rate(std::span<const ExchangeRates> documents, const Currency& from,
                               const Currency& to, Instant at);

// The draft in the other currency: every amount times the rate, the total rounded once.
InvoiceDraft convert(InvoiceDraft draft, const FrozenRate& rate);
// A month of many teams: its total is rounded once and handed down to teams, then to lines.
std::vector<InvoiceDraft> convert(std::vector<InvoiceDraft> teams, const FrozenRate& rate);

}  // namespace gauger::billing
