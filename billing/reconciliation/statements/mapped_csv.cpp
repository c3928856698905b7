// Any CSV, by the columns that a statement mapping names.
#include <array>

#include "billing/reconciliation/statements/csv_statement.h"
#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/words.h"
#include "billing/reconciliation/token_class.h"
#include "schemas/usage_key.h"

namespace gauger::billing {
namespace {

class MappedReader {
 public:
  MappedReader(const ReadOptions& options, Statement& statement)
      : options_(options),
        csv_(options.mapping->csv),
        units_(Int128{csv_.per}),
        statement_(statement) {}

  Result<void> heading(const CsvColumns& columns) {
    columns_.clear();
    for (const auto& field : csv_.columns) {
      const auto found = columns.find(field.column);
      if (!found)
        return invalid_argument("there is no column '" + field.column +
                                "', which the mapping names");
      columns_.push_back(*found);
    }
    return success();
  }

  Result<void> row(const CsvRow& row) {
    auto& texts = statement_.texts;
    StatementLine line;
    TRY(line.days, read_days(value(row, "day"), value(row, "until"), options_));
    line.account = texts.id_of(value(row, "account"));
    line.api_key = texts.id_of(value(row, "api_key"));
    line.model = texts.id_of(value(row, "model"));
    const auto tier = value(row, "service_tier");
    line.service_tier = texts.id_of(tier.empty() ? std::string() : tier_of(tier));
    const auto context = value(row, "context_above");
    if (!context.empty()) {
      const auto above = context_above_of(context);
      if (!above)
        return invalid_argument("'" + std::string(context.substr(0, 64)) +
                                "' is not a context boundary");
      line.context_above = *above;
    }
    line.currency = texts.id_of(value(row, "currency"));
    line.description = texts.id_of(value(row, "description"));
    line.reference = texts.id_of(value(row, "reference"));
    const auto kind = value(row, "kind");
    if (!kind.empty()) {
      const auto known = find_name<LineKind>(line_kind_names, kind);
      if (!known)
        return invalid_argument("'" + std::string(kind.substr(0, 64)) +
                                "' is not a kind of line: usage, fee or tax");
      line.kind = *known;
    }
    const auto token_class = value(row, "token_class");
    line.token_class = texts.id_of(
        token_class.empty() && line.kind == LineKind::usage ? class_everything : token_class);
    return add(row, line);
  }

 private:
  // The cell of a field, or its constant, in the words that the mapping gives it.
  std::string_view value(const CsvRow& row, std::string_view field) const {
    std::string_view found;
    for (size_t i = 0; i < csv_.columns.size(); ++i)
      if (csv_.columns[i].field == field && csv_.columns[i].token_class.empty())
        found = row.at(columns_[i]);
    const auto constant = csv_.constants.find(field);
    if (found.empty() && constant != csv_.constants.end()) found = constant->second;
    const auto values = csv_.values.find(field);
    if (values == csv_.values.end()) return found;
    const auto meant = values->second.find(found);
    return meant == values->second.end() ? found : std::string_view(meant->second);
  }

  // The line itself, and one for each column of its own class.
  Result<void> add(const CsvRow& row, const StatementLine& like) {
    auto line = like;
    TRY(read_numbers(value(row, "quantity"), units_, value(row, "amount"), line));
    if (line.has_quantity || line.has_amount) statement_.lines.push_back(line);
    for (size_t i = 0; i < csv_.columns.size(); ++i) {
      const auto& column = csv_.columns[i];
      if (column.token_class.empty()) continue;
      const auto cell = row.at(columns_[i]);
      auto own = like;
      own.token_class = statement_.texts.id_of(column.token_class);
      const bool quantity = column.field == "quantity";
      TRY(read_numbers(quantity ? cell : std::string_view(), units_,
                       quantity ? std::string_view() : cell, own));
      if (own.has_quantity || own.has_amount) statement_.lines.push_back(own);
    }
    return success();
  }

  const ReadOptions& options_;
  const CsvStatement& csv_;
  const Rational units_;
  Statement& statement_;
  std::vector<size_t> columns_;
};

}  // namespace

Result<void> read_mapped_csv(Files files, const ReadOptions& options, Statement& statement) {
  if (options.mapping == nullptr || options.mapping->csv.columns.empty())
    return invalid_argument(
        "mapped_csv needs a statement mapping that names columns: say --mapping");
  MappedReader reader(options, statement);
  return each_row(
      files, options, options.mapping->csv.delimiter,
      [&](const CsvColumns& columns) { return reader.heading(columns); },
      [&](const CsvRow& row) { return reader.row(row); });
}

}  // namespace gauger::billing
