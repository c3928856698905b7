// Both sides on one grain: what the provider states and what the ledger metered and rated, cell by
// cell of day, account, model, service tier, context tier and token class.
//
// A side that tells less decides: where the statement does not break down by tier, neither do we.
// Which dimensions are told is judged per token class, since a report that names models for tokens
// may not name them for searches. Statements that tell only quantities or only amounts complete
// each other. Quantities are exact and in single units, amounts exact and in pico-units of one
// currency. Days are civil days of the statements' zone; their midnights must lie on the ledger's
// grain. Pure; values.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "billing/charge.h"
#include "billing/chargeback/exchange_rates.h"
#include "billing/reconciliation/statement.h"
#include "billing/reconciliation/statement_mapping.h"

namespace gauger::billing {

// Why a cell lies outside of what the statements declare to cover.
enum class Outside : uint8_t { no, day, account, service_tier, token_class };

struct CellKey {
  int32_t day = 0;
  LineKind kind = LineKind::usage;
  Outside outside = Outside::no;
  TextId account = 0;
  TextId model = 0;
  TextId service_tier = 0;
  TextId token_class = 0;
  int64_t context_above = context_not_told;
  auto operator<=>(const CellKey&) const = default;
};

struct Cell {
  CellKey key;
  bool on_statement = false;    // a line says something that is not zero
  bool in_ledger = false;       // there is usage
  bool quantity_told = false;   // by the statement; otherwise it follows from the amount
  bool amount_told = false;     // by the statement; otherwise it is valued at our price
  bool unpriced = false;        // usage of ours that has no price
  bool foreign = false;         // stated in another currency
  TextId foreign_currency = 0;  // which
  bool has_price = false;
  Rational statement_quantity;
  Rational statement_amount;
  Rational ledger_quantity;
  Rational ledger_amount;
  // Ours, pico-units per unit: of the cell, else of the nearest day of the same price, else the
  // provider's.
  Rational price;
};

// A line of a statement, and the cell it fell into.
struct CellLine {
  uint32_t cell = 0;
  uint32_t statement = 0;
  uint32_t line = 0;
};

struct GrainInput {
  std::string provider;
  DayRange days;  // what is compared, in the statements' zone
  std::span<const Statement> statements;
  // Rated by day of the same zone; unpriced usage is listed there too.
  std::span<const Rated> rated;
  std::vector<int64_t> context_boundaries;  // the ledger's
  std::chrono::minutes grain{30};           // the ledger's
  const StatementMapping* mapping = nullptr;
  const ExchangeRates* exchange_rates = nullptr;
};

struct Grain {
  std::string provider;
  DayRange days;
  TimeZone zone = TimeZone::utc();
  Currency currency;
  Texts texts;
  std::vector<Cell> cells;
  std::vector<CellLine> lines;                        // by cell
  std::vector<std::vector<uint32_t>> cell_of_charge;  // per Rated; no_cell where left out
  std::map<std::string, Rational> foreign;            // amounts that nothing converts
  std::vector<std::string> notes;                     // what was supposed, for people
  uint64_t as_of_sequence = 0;

  std::string_view text(TextId id) const { return texts.text(id); }
};
inline constexpr uint32_t no_cell = UINT32_MAX;

// conflict: two statements tell the amounts, or the quantities, of one day. invalid_argument: zones
// that differ or lie off the ledger's grain, days that no statement covers, mixed currencies of
// ours.
Result<Grain> put_on_grain(const GrainInput& input);

// "2026-08-03 acct-7 claude-opus-4-7 batch above 200000 output_text", for people.
std::string cell_label(const Grain& grain, const CellKey& key);

}  // namespace gauger::billing
