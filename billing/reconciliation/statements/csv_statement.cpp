#include "billing/reconciliation/statements/csv_statement.h"

#include "billing/document.h"
#include "billing/reconciliation/exact_number.h"

namespace gauger::billing {

std::string_view CsvRow::at(std::optional<size_t> column) const {
  const auto fields = rows_.fields();
  if (!column || *column >= fields.size() || fields[*column] == "NULL") return {};
  return fields[*column];
}

Result<void> each_row(std::span<const ReportFile> files, const ReadOptions& options, char delimiter,
                      const VisitColumns& heading, const VisitRow& row) {
  for (const auto& file : files) {
    CsvRows rows(file.bytes, file.name, delimiter);
    TRY(const auto found, rows.next());
    if (!found) return document_error(file.name, 1, "a file without columns");
    const CsvColumns columns(rows.fields());
    std::vector<std::pair<size_t, const Pattern*>> filters;
    for (const auto& filter : options.where) {
      const auto column = columns.find(filter.column);
      if (!column)
        return document_error(file.name, 1, "there is no column '" + filter.column + "'");
      filters.emplace_back(*column, &filter.value);
    }
    const auto known = heading(columns);
    if (!known.has_value()) return document_error(file.name, 1, known.error().sentence);
    const CsvRow view(columns, rows);
    while (true) {
      TRY(const auto more, rows.next());
      if (!more) break;
      bool passes = true;
      for (const auto& [column, pattern] : filters)
        passes = passes && pattern->matches(view.at(column));
      if (!passes) continue;
      const auto done = row(view);
      if (!done.has_value())
        return Error{done.error().code,
                     document_error(file.name, rows.line(), done.error().sentence).sentence};
    }
  }
  return success();
}

Result<Instant> read_time(std::string_view text, const TimeZone& zone) {
  const auto refused = [&] {
    return invalid_argument("'" + std::string(text.substr(0, 64)) +
                            "' is not a time such as 2026-08-01T00:00:00Z, nor a date");
  };
  if (text.size() < 10) return refused();
  if (text.size() == 10) {
    const auto midnight = parse_instant(text);
    if (!midnight.has_value()) return refused();
    return zone.day_begin(TimeZone::utc().local_day(midnight.value()));
  }
  std::string plain(text);
  if (plain[10] == ' ') plain[10] = 'T';
  for (const std::string_view zulu : {" UTC", "UTC"})
    if (plain.size() > 10 + zulu.size() && plain.ends_with(zulu))
      plain.replace(plain.size() - zulu.size(), zulu.size(), "Z");
  if (plain.back() != 'Z' && plain.find_first_of("+-", 11) == std::string::npos) plain += 'Z';
  const auto instant = parse_instant(plain);
  if (!instant.has_value()) return refused();
  return instant.value();
}

Result<DayRange> read_days(std::string_view from, std::string_view until,
                           const ReadOptions& options) {
  if (from.empty()) {
    if (!options.days) return invalid_argument("the line names no day: say --period");
    return *options.days;
  }
  TRY(const auto begin, read_time(from, options.zone));
  const auto first = options.zone.local_day(begin);
  if (until.empty()) return DayRange{first, first + 1};
  TRY(const auto end, read_time(until, options.zone));
  if (end < begin)
    return invalid_argument("the line ends at " + format_instant(end) + ", before it begins");
  // An end that is inclusive to the second belongs to its day.
  const auto last = options.zone.local_day(end == begin ? end : end - Duration{1});
  return DayRange{first, last + 1};
}

Result<void> read_numbers(std::string_view quantity, const Rational& units, std::string_view amount,
                          StatementLine& line) {
  if (!quantity.empty()) {
    TRY(const auto exact, read_exact(quantity));
    line.has_quantity = true;
    line.quantity = exact * units;
  }
  if (!amount.empty()) {
    TRY(line.amount, read_exact(amount, money_digits));
    line.has_amount = true;
  }
  return success();
}

}  // namespace gauger::billing
