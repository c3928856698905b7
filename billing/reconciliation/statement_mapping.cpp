#include "billing/reconciliation/statement_mapping.h"

#include <algorithm>
#include <array>
#include <limits>

#include "billing/document.h"
#include "billing/reconciliation/exact_number.h"

namespace gauger::billing {
namespace {

constexpr std::array<std::string_view, 14> csv_fields = {
    "day",         "until", "account",  "api_key", "model",    "service_tier", "context_above",
    "token_class", "kind",  "quantity", "amount",  "currency", "description",  "reference"};

bool is_csv_field(std::string_view name) {
  return std::find(csv_fields.begin(), csv_fields.end(), name) != csv_fields.end();
}

class MappingParser {
 public:
  explicit MappingParser(std::string_view file) : file_(file) {}

  Result<StatementMapping> parse(const Node& root) {
    TRY(auto fields, Fields::of(file_, root, "a statement mapping"));
    TRY(const auto kind, fields.text("kind"));
    if (kind != "statement_mapping")
      return fields.error("this is a '" + kind + "', not a statement_mapping");
    TRY(mapping_.id, fields.text("id"));
    TRY(mapping_.version, fields.text("version"));
    TRY(mapping_.provider, fields.text("provider"));
    if (const auto* node = fields.optional("tolerance")) {
      TRY(read_tolerance(*node));
    }
    TRY(const auto accounts, fields.list("accounts"));
    for (const auto& node : accounts) {
      TRY(read_account(node));
    }
    TRY(const auto models, fields.list("models"));
    for (const auto& node : models) {
      TRY(read_model(node));
    }
    if (const auto* node = fields.optional("csv")) {
      TRY(read_csv(*node));
    }
    TRY(fields.finish());
    return std::move(mapping_);
  }

 private:
  Result<void> read_tolerance(const Node& node) {
    TRY(auto fields, Fields::of(file_, node, "a tolerance"));
    mapping_.tolerance = {};
    if (const auto* absolute = fields.optional("absolute")) {
      TRY(const auto pico, read_decimal(file_, *absolute, money_digits));
      mapping_.tolerance.absolute = Rational(pico);
    }
    if (const auto* relative = fields.optional("relative")) {
      TRY(const auto pico, read_decimal(file_, *relative, money_digits));
      mapping_.tolerance.relative = Rational::ratio(pico, pico_per_unit);
    }
    if (mapping_.tolerance.absolute.is_negative() || mapping_.tolerance.relative.is_negative())
      return fields.error("a tolerance is not below zero");
    return fields.finish();
  }

  // Rules begin and end with a day.
  Result<DayRange> read_days(Fields& fields) {
    DayRange days{std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    TRY(const auto from, fields.instant("from"));
    TRY(const auto until, fields.instant("until"));
    if (from) days.from = TimeZone::utc().local_day(*from);
    if (until) days.until = TimeZone::utc().local_day(*until);
    if (days.from >= days.until) return fields.error("'from' lies before 'until'");
    return days;
  }

  Result<void> read_account(const Node& node) {
    TRY(auto fields, Fields::of(file_, node, "an account"));
    AccountName name;
    // A provider's default workspace has no id.
    TRY(const auto* statement, fields.required("statement"));
    name.statement = statement->text;
    TRY(name.account, fields.text("account"));
    TRY(name.days, read_days(fields));
    for (const auto& other : mapping_.accounts)
      if (other.statement == name.statement && other.days.from < name.days.until &&
          name.days.from < other.days.until)
        return fields.error("'" + name.statement + "' has two accounts at one time");
    mapping_.accounts.push_back(std::move(name));
    return fields.finish();
  }

  Result<void> read_model(const Node& node) {
    TRY(auto fields, Fields::of(file_, node, "a model"));
    ModelName name;
    TRY(const auto* statement, fields.required("statement"));
    TRY(name.statement, read_pattern(file_, *statement));
    TRY(name.model, fields.text("model"));
    TRY(name.days, read_days(fields));
    mapping_.models.push_back(std::move(name));
    return fields.finish();
  }

  Result<void> read_csv(const Node& node) {
    TRY(auto fields, Fields::of(file_, node, "csv"));
    auto& csv = mapping_.csv;
    TRY(const auto delimiter, fields.text_or("delimiter", ","));
    if (delimiter.size() != 1 || delimiter == "\"") return fields.error("a delimiter is one byte");
    csv.delimiter = delimiter[0];
    if (const auto* per = fields.optional("per")) {
      TRY(csv.per, read_integer(file_, *per, 1, 1'000'000'000'000));
    }
    TRY(const auto* columns, fields.required("columns"));
    for (const auto& member : columns->members) {
      TRY(const auto field, read_text(file_, member.value, member.name));
      TRY(auto read, csv_field(member, field));
      csv.columns.push_back(std::move(read));
    }
    if (csv.columns.empty()) return fields.error(*columns, "'columns' is a map of column: field");
    if (const auto* constants = fields.optional("constants"))
      for (const auto& member : constants->members) {
        if (!is_csv_field(member.name)) return unknown(member);
        TRY(csv.constants[member.name], read_text(file_, member.value, member.name));
      }
    if (const auto* values = fields.optional("values"))
      for (const auto& member : values->members) {
        if (!is_csv_field(member.name)) return unknown(member);
        for (const auto& value : member.value.members) {
          TRY(csv.values[member.name][value.name], read_text(file_, value.value, value.name));
        }
      }
    return fields.finish();
  }

  Result<CsvField> csv_field(const Node::Member& member, const std::string& field) {
    CsvField read{member.name, field, {}};
    const auto point = field.find('.');
    if (point != std::string::npos) {
      read.field = field.substr(0, point);
      read.token_class = field.substr(point + 1);
      if ((read.field != "quantity" && read.field != "amount") || read.token_class.empty())
        return unknown({field, member.line, {}});
      return read;
    }
    if (!is_csv_field(field)) return unknown({field, member.line, {}});
    return read;
  }

  Error unknown(const Node::Member& member) const {
    std::string names;
    for (const auto name : csv_fields) names += std::string(name) + ", ";
    return document_error(file_, member.line,
                          "unknown field '" + member.name.substr(0, 64) + "'; known are " + names +
                              "quantity.CLASS and amount.CLASS");
  }

  std::string_view file_;
  StatementMapping mapping_;
};

}  // namespace

Tolerance default_tolerance() {
  return {Rational(Int128{pico_per_unit / 10'000}), Rational::ratio(1, 100'000)};
}

std::string_view StatementMapping::account_of(std::string_view account, int32_t day) const {
  for (const auto& name : accounts)
    if (name.statement == account && name.days.contains(day)) return name.account;
  return account;
}

std::string_view StatementMapping::model_of(std::string_view model, int32_t day) const {
  const ModelName* best = nullptr;
  for (const auto& name : models)
    if (name.days.contains(day) && name.statement.matches(model) &&
        (best == nullptr || name.statement.specificity() > best->statement.specificity()))
      best = &name;
  return best == nullptr ? model : std::string_view(best->model);
}

Result<StatementMapping> parse_statement_mapping(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return MappingParser(file).parse(root);
}

}  // namespace gauger::billing
