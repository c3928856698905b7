// The stored form of a statement.
//   line 1   JSON object, canonical: kind, provider, format, zone, days, accounts, …
//   then     CSV with a heading; one row per line of the statement, in order of its columns
#include <algorithm>
#include <numeric>
#include <tuple>

#include "billing/csv_rows.h"
#include "billing/document.h"
#include "billing/json_value.h"
#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/statement.h"
#include "billing/text_table.h"
#include "schemas/usage_key.h"

namespace gauger::billing {
namespace {

constexpr std::string_view heading =
    "from,until,kind,account,api_key,model,service_tier,context_above,token_class,quantity,amount,"
    "currency,description,reference";

JsonValue list_of(const std::vector<std::string>& texts) {
  auto sorted = texts;
  std::sort(sorted.begin(), sorted.end());
  JsonValue list{JsonValue::Array()};
  for (const auto& text : sorted) list.push_back(text);
  return list;
}

std::string header_of(const Statement& statement) {
  JsonValue root;
  root["kind"] = "statement";
  root["provider"] = statement.provider;
  root["format"] = to_string(statement.format);
  root["zone"] = statement.coverage.zone.name();
  root["days"] = JsonValue::Array();
  for (const auto& range : statement.coverage.days)
    root["days"].push_back(format_day(range.from) + "/" + format_day(range.until));
  root["accounts"] = list_of(statement.coverage.accounts);
  root["excluded_tiers"] = list_of(statement.coverage.excluded_tiers);
  root["token_classes"] = list_of(statement.coverage.token_classes);
  return root.canonical();
}

// Positions of lines, in the order in which they are written: by text, not by id.
std::vector<uint32_t> ordered(const Statement& statement) {
  std::vector<TextId> by_text(statement.texts.size());
  std::iota(by_text.begin(), by_text.end(), 0U);
  std::sort(by_text.begin(), by_text.end(),
            [&](TextId a, TextId b) { return statement.texts.text(a) < statement.texts.text(b); });
  std::vector<uint32_t> rank(by_text.size());
  for (uint32_t i = 0; i < by_text.size(); ++i) rank[by_text[i]] = i;
  std::vector<uint32_t> order(statement.lines.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto texts = [&](const StatementLine& line) {
    return std::tuple(line.days, line.kind, rank[line.account], rank[line.api_key],
                      rank[line.model], rank[line.service_tier], line.context_above,
                      rank[line.token_class]);
  };
  const auto rest = [&](const StatementLine& line) {
    return std::tuple(line.has_quantity, line.quantity, line.has_amount, line.amount,
                      rank[line.currency], rank[line.description], rank[line.reference]);
  };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const auto& x = statement.lines[a];
    const auto& y = statement.lines[b];
    const auto first = texts(x);
    const auto second = texts(y);
    return first != second ? first < second : rest(x) < rest(y);
  });
  return order;
}

Result<int32_t> read_day(std::string_view text) {
  TRY(const auto instant, parse_instant(text));
  return TimeZone::utc().local_day(instant);
}

class StoredReader {
 public:
  StoredReader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  Result<Statement> read() {
    const auto end = text_.find('\n');
    if (end == std::string_view::npos) return corruption(std::string(file_) + ": not a statement");
    TRY(const auto root, parse_json(text_.substr(0, end), file_));
    TRY(read_header(root));
    CsvRows rows(text_.substr(end + 1), file_);
    TRY(const auto has_heading, rows.next());
    if (!has_heading || rows.fields().size() != 14) return corruption("a statement's columns");
    while (true) {
      TRY(const auto found, rows.next());
      if (!found) return std::move(statement_);
      if (rows.fields().size() != 14)
        return document_error(file_, rows.line(), "a statement's line has 14 columns");
      const auto line = read_line(rows.fields());
      if (!line.has_value()) return document_error(file_, rows.line(), line.error().sentence);
      statement_.lines.push_back(line.value());
    }
  }

 private:
  Result<void> read_header(const Node& root) {
    TRY(auto fields, Fields::of(file_, root, "a statement"));
    TRY(const auto kind, fields.text("kind"));
    if (kind != "statement") return fields.error("this is a '" + kind + "', not a statement");
    TRY(statement_.provider, fields.text("provider"));
    TRY(const auto format, fields.text("format"));
    const auto found = find_name<StatementFormat>(statement_format_names, format);
    if (!found) return fields.error("unknown statement format '" + format + "'");
    statement_.format = *found;
    TRY(const auto zone, fields.text("zone"));
    TRY(statement_.coverage.zone, TimeZone::find(zone));
    TRY(const auto days, fields.list("days"));
    for (const auto& node : days) {
      const auto slash = node.text.find('/');
      if (slash == std::string::npos) return fields.error(node, "days are FROM/UNTIL");
      TRY(const auto from, read_day(node.text.substr(0, slash)));
      TRY(const auto until, read_day(node.text.substr(slash + 1)));
      statement_.coverage.add({from, until});
    }
    TRY(read_texts(fields, "accounts", statement_.coverage.accounts));
    TRY(read_texts(fields, "excluded_tiers", statement_.coverage.excluded_tiers));
    TRY(read_texts(fields, "token_classes", statement_.coverage.token_classes));
    return fields.finish();
  }

  static Result<void> read_texts(Fields& fields, std::string_view name,
                                 std::vector<std::string>& out) {
    TRY(const auto list, fields.list(name));
    for (const auto& node : list) out.push_back(node.text);
    return success();
  }

  Result<StatementLine> read_line(std::span<const std::string_view> cells) {
    StatementLine line;
    TRY(line.days.from, read_day(cells[0]));
    TRY(line.days.until, read_day(cells[1]));
    const auto kind = find_name<LineKind>(line_kind_names, cells[2]);
    if (!kind) return invalid_argument("unknown kind of line");
    line.kind = *kind;
    auto& texts = statement_.texts;
    line.account = texts.id_of(cells[3]);
    line.api_key = texts.id_of(cells[4]);
    line.model = texts.id_of(cells[5]);
    line.service_tier = texts.id_of(cells[6]);
    if (!cells[7].empty()) {
      TRY(const auto above, parse_decimal(cells[7], 0));
      if (above < 0 || above > limits_of_context) return invalid_argument("context_above");
      line.context_above = static_cast<int64_t>(above);
    }
    line.token_class = texts.id_of(cells[8]);
    line.has_quantity = !cells[9].empty();
    if (line.has_quantity) {
      TRY(line.quantity, read_exact(cells[9]));
    }
    line.has_amount = !cells[10].empty();
    if (line.has_amount) {
      TRY(line.amount, read_exact(cells[10], money_digits));
    }
    line.currency = texts.id_of(cells[11]);
    line.description = texts.id_of(cells[12]);
    line.reference = texts.id_of(cells[13]);
    return line;
  }

  static constexpr int64_t limits_of_context = 1'000'000'000'000;
  std::string_view text_;
  std::string_view file_;
  Statement statement_;
};

}  // namespace

std::string statement_text(const Statement& statement) {
  auto out = header_of(statement) + "\n" + std::string(heading) + "\n";
  const auto& texts = statement.texts;
  for (const auto index : ordered(statement)) {
    const auto& line = statement.lines[index];
    const auto put = [&](std::string_view cell) {
      out += csv_field(cell);
      out += ',';
    };
    put(format_day(line.days.from));
    put(format_day(line.days.until));
    put(to_string(line.kind));
    put(texts.text(line.account));
    put(texts.text(line.api_key));
    put(texts.text(line.model));
    put(texts.text(line.service_tier));
    put(line.context_above == context_not_told ? std::string()
                                               : std::to_string(line.context_above));
    put(texts.text(line.token_class));
    put(line.has_quantity ? exact_text(line.quantity) : std::string());
    put(line.has_amount ? exact_text(line.amount, money_digits) : std::string());
    put(texts.text(line.currency));
    put(texts.text(line.description));
    out += csv_field(texts.text(line.reference));
    out += '\n';
  }
  return out;
}

Result<Statement> parse_statement_text(std::string_view text, std::string_view file) {
  return StoredReader(text, file).read();
}

}  // namespace gauger::billing
