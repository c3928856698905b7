// Statements of providers: whatever the bytes, reading answers or refuses; what was read is the
// same statement after it was stored and read again, and its differences from an empty ledger add
// up to its total.
#include "billing/reconciliation/reconciliation.h"
#include "billing/reconciliation/statement_reader.h"
#include "tests/fuzz/fuzz_input.h"

using namespace gauger;
using namespace gauger::billing;
using gauger::ingest::require;

namespace {

const StatementMapping& mapping() {
  static const auto parsed = parse_statement_mapping(R"(kind: statement_mapping
id: fuzz
version: 1
provider: fuzz
models: [{statement: "m*", model: m}]
csv:
  columns: {day: day, model: model, tokens: quantity.output_text, cost: amount, class: token_class, kind: kind}
  constants: {currency: USD}
)",
                                                     "fuzz")
                                 .value();
  return parsed;
}

void check_stored(const Statement& statement) {
  const auto text = statement_text(statement);
  const auto again = parse_statement_text(text, "again");
  require(again.has_value(), "a statement that was stored cannot be read: " +
                                 (again.has_value() ? "" : again.error().sentence));
  require(statement_text(again.value()) == text, "a statement reads back as another one");
}

void check_reconciled(const Statement& statement) {
  const auto days = statement.coverage.whole();
  if (days.until - days.from > 400) return;
  GrainInput input;
  input.provider = statement.provider;
  input.days = days;
  input.statements = std::span(&statement, 1);
  input.mapping = &mapping();
  // Sums are checked inside; refusals are answers.
  static_cast<void>(reconcile(input));
}

}  // namespace

// The first byte chooses the format; a second page begins after a byte of zero.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto text = gauger::ingest::view(data + 1, size - 1);
  const auto cut = std::min(text.find('\0'), text.size());
  std::vector<ReportFile> files{{"first", text.substr(0, cut)}};
  if (cut < text.size()) files.push_back({"second", text.substr(cut + 1)});
  static_cast<void>(guess_format(files.front()));
  ReadOptions options;
  options.provider = "fuzz";
  options.currency = "USD";
  options.mapping = &mapping();
  if (data[0] >= 128) options.days = DayRange{20'000, 20'031};
  const auto format = static_cast<StatementFormat>(data[0] % statement_format_names.size());
  const auto statement = read_statement(format, files, options);
  if (statement.has_value()) {
    check_stored(statement.value());
    check_reconciled(statement.value());
  }
  static_cast<void>(parse_statement_text(text, "fuzz"));
  static_cast<void>(parse_statement_mapping(text, "fuzz"));
  return 0;
}
