// The mapping document of a provider's statements: which of its accounts and models are which of
// the ledger's, how a CSV of its own is read, and how small a difference does not matter. Dated,
// half-open by the line's day.
//
//   kind: statement_mapping
//   id: anthropic
//   version: 1
//   provider: anthropic                   # in the ledger's words
//   tolerance: {absolute: 0.01, relative: 0.0001}     # per cell; the larger of the two holds
//   accounts:                             # workspace, project or account -> provider_account
//     - {statement: wrkspc_01Jw, account: research, from: 2026-01-01, until: 2027-01-01}
//   models:                               # patterns as in a price book
//     - {statement: "Claude4.6Sonnet", model: claude-sonnet-4-6}
//   csv:                                  # for the format mapped_csv
//     delimiter: ";"
//     per: 1000                           # the quantities count thousands; default 1
//     columns:                            # column: field
//       Date: day                         # also until, account, api_key, model, service_tier,
//       Workspace: account                #   context_above, token_class, kind, quantity, amount,
//       Prompt: quantity.input_uncached   #   currency, description, reference; or one column per
//       Cost: amount                      #   token class: quantity.CLASS, amount.CLASS
//     constants: {currency: USD, service_tier: standard}
//     values:                             # field: what the file says -> what is meant
//       token_class: {"Prompt tokens": input_uncached}
//
// Values; no threads.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "billing/pattern.h"
#include "billing/reconciliation/statement.h"

namespace gauger::billing {

struct Tolerance {
  Rational absolute;  // pico-units of the currency
  Rational relative;  // of our side; 0.0001 is a hundredth of a percent
};
// A hundredth of a cent, or a hundred-thousandth: what rounding on the provider's side leaves.
Tolerance default_tolerance();

struct CsvField {
  std::string column;
  std::string field;        // "day", …, "quantity", "amount"
  std::string token_class;  // of "quantity.CLASS" and "amount.CLASS"
};

struct CsvStatement {
  char delimiter = ',';
  int64_t per = 1;
  std::vector<CsvField> columns;
  std::map<std::string, std::string, std::less<>> constants;
  using Values = std::map<std::string, std::string, std::less<>>;
  std::map<std::string, Values, std::less<>> values;
};

struct AccountName {
  std::string statement;
  std::string account;
  DayRange days;
};

struct ModelName {
  Pattern statement;
  std::string model;
  DayRange days;
};

struct StatementMapping {
  std::string id;
  std::string version;
  std::string provider;
  Tolerance tolerance = default_tolerance();
  std::vector<AccountName> accounts;
  std::vector<ModelName> models;
  CsvStatement csv;

  // The ledger's name; the statement's own where no rule names it.
  std::string_view account_of(std::string_view account, int32_t day) const;
  std::string_view model_of(std::string_view model, int32_t day) const;
};

Result<StatementMapping> parse_statement_mapping(std::string_view text, std::string_view file);

}  // namespace gauger::billing
