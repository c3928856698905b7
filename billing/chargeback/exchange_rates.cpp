#include "billing/chargeback/exchange_rates.h"

#include "billing/allocation.h"
#include "billing/document.h"

namespace gauger::billing {
namespace {

constexpr size_t rates_max = 100'000;

Result<Currency> read_currency(Fields& fields, std::string_view name) {
  TRY(const auto code, fields.text(name));
  const auto found = Currency::find(code);
  if (!found.has_value()) return fields.error(found.error().sentence);
  return found.value();
}

Result<ExchangeRate> read_rate(std::string_view file, const Node& node) {
  TRY(auto fields, Fields::of(file, node, "an exchange rate"));
  ExchangeRate rate;
  rate.line = node.line;
  TRY(const auto* date, fields.required("date"));
  TRY(rate.date, read_instant(file, *date));
  TRY(rate.from, read_currency(fields, "from"));
  TRY(rate.to, read_currency(fields, "to"));
  TRY(const auto* text, fields.required("rate"));
  TRY(const auto value, read_decimal(file, *text, money_digits));
  TRY(fields.finish());
  if (rate.from == rate.to) return fields.error("a rate is between two currencies");
  if (value <= 0 || value > Int128{1'000'000'000} * pico_per_unit)
    return document_error(file, text->line, "a rate is above 0 and at most a thousand million");
  rate.rate = Rational::ratio(value, pico_per_unit);
  return rate;
}

}  // namespace

Result<ExchangeRates> parse_exchange_rates(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_exchange_rates(root, file);
}

Result<ExchangeRates> read_exchange_rates(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "exchange rates"));
  ExchangeRates rates;
  TRY(read_heading(fields, "exchange_rates", rates));
  TRY(const auto list, fields.list("rates"));
  TRY(fields.finish());
  if (list.empty() || list.size() > rates_max)
    return fields.error("exchange rates are a list of 1 to " + std::to_string(rates_max) +
                        " 'rates'");
  std::map<std::tuple<Instant, std::string, std::string>, int> lines;
  for (const auto& node : list) {
    TRY(auto rate, read_rate(file, node));
    const auto [first, added] =
        lines.try_emplace({rate.date, rate.from.code(), rate.to.code()}, rate.line);
    if (!added)
      return document_error(file, rate.line,
                            "the rate of " + rate.from.code() + " in " + rate.to.code() +
                                " on that day stands at line " + std::to_string(first->second) +
                                " already");
    rates.rates.push_back(std::move(rate));
  }
  return rates;
}

Result<FrozenRate> freeze_rate(const ExchangeRates& rates, const Currency& from, const Currency& to,
                               Instant at) {
  FrozenRate frozen{from, to, Rational(Int128{1}), at, rates.id, rates.version};
  if (from == to) return frozen;
  const ExchangeRate* latest = nullptr;
  for (const auto& rate : rates.rates) {
    const bool same = rate.from == from && rate.to == to;
    const bool opposite = rate.from == to && rate.to == from;
    if ((!same && !opposite) || rate.date > at) continue;
    // On one day the pair itself goes before its opposite.
    if (latest == nullptr || latest->date < rate.date || (latest->date == rate.date && same))
      latest = &rate;
  }
  if (latest == nullptr || at - latest->date > std::chrono::days{rate_age_days_max})
    return Error{ErrorCode::not_found, rates.file + ": no exchange rate of " + from.code() +
                                           " in " + to.code() + " within " +
                                           std::to_string(rate_age_days_max) + " days before " +
                                           format_instant(at)};
  frozen.date = latest->date;
  frozen.rate = latest->from == from ? latest->rate : Rational(Int128{1}) / latest->rate;
  return frozen;
}

Result<FrozenRate> freeze_rate(std::span<const ExchangeRates> documents, const Currency& from,
                               const Currency& to, Instant at) {
  if (from == to) return FrozenRate{from, to, Rational(Int128{1}), at, {}, {}};
  std::optional<FrozenRate> latest;
  for (const auto& document : documents) {
    auto frozen = freeze_rate(document, from, to, at);
    if (!frozen.has_value()) continue;
    auto& found = frozen.value();
    if (latest && latest->date == found.date && latest->rate != found.rate)
      return Error{ErrorCode::conflict, document.file + ": the rate of " + from.code() + " in " +
                                            to.code() + " at " + format_instant(found.date) +
                                            " differs from that of " + latest->document};
    if (!latest || latest->date < found.date) latest = std::move(found);
  }
  if (latest) return std::move(*latest);
  return Error{ErrorCode::not_found, "no exchange rate of " + from.code() + " in " + to.code() +
                                         " within " + std::to_string(rate_age_days_max) +
                                         " days before " + format_instant(at)};
}

namespace {

void convert_lines(InvoiceDraft& draft, const FrozenRate& rate, Int128 total_minor) {
  VERIFY(draft.currency == rate.from, "a draft is converted from its own currency");
  draft.currency = rate.to;
  draft.total = draft.total * rate.rate;
  draft.total_minor = total_minor;
  std::vector<Rational> amounts;
  for (auto& line : draft.lines) amounts.push_back(line.amount = line.amount * rate.rate);
  const auto minor = apportion(amounts, total_minor, rate.to);
  for (size_t i = 0; i < minor.size(); ++i) draft.lines[i].amount_minor = minor[i];
}

}  // namespace

InvoiceDraft convert(InvoiceDraft draft, const FrozenRate& rate) {
  convert_lines(draft, rate, round_total(draft.total * rate.rate, rate.to));
  return draft;
}

std::vector<InvoiceDraft> convert(std::vector<InvoiceDraft> teams, const FrozenRate& rate) {
  std::vector<Rational> amounts;
  Rational total;
  for (const auto& team : teams) {
    amounts.push_back(team.total * rate.rate);
    total += amounts.back();
  }
  const auto minor = apportion(amounts, round_total(total, rate.to), rate.to);
  for (size_t i = 0; i < teams.size(); ++i) convert_lines(teams[i], rate, minor[i]);
  return teams;
}

}  // namespace gauger::billing
