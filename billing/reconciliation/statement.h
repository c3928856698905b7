// A statement: what a provider says was used and is owed, as lines, and what it declares to cover.
//
// Days are civil days of the statement's own zone, counted since 1970-01-01; amounts are exact, in
// pico-units of their currency, and may be below zero (credits); quantities are exact, in single
// tokens or other units. What a line does not tell is empty, and is not the same as zero. Names are
// the provider's: billing/reconciliation/statement_mapping.h turns them into the ledger's.
// Values; no threads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "billing/currency.h"
#include "billing/rational.h"
#include "schemas/time_zone.h"

namespace gauger::billing {

enum class StatementFormat : uint8_t {
  anthropic_cost,   // GET /v1/organizations/cost_report
  anthropic_usage,  // GET /v1/organizations/usage_report/messages
  openai_costs,     // GET /organization/costs
  openai_usage,     // GET /organization/usage/…
  aws_cur,          // CUR 2.0, as CSV
  focus,            // FOCUS 1.0 and 1.2, as CSV
  mapped_csv,       // any CSV, by the columns of a mapping
};
inline constexpr std::array<std::string_view, 7> statement_format_names = {
    "anthropic_cost", "anthropic_usage", "openai_costs", "openai_usage",
    "aws_cur",        "focus",           "mapped_csv"};
constexpr std::string_view to_string(StatementFormat format) {
  return statement_format_names[static_cast<size_t>(format)];
}

// A fee is whatever is charged and is no metered usage: subscriptions, support, credits.
enum class LineKind : uint8_t { usage, fee, tax };
inline constexpr std::array<std::string_view, 3> line_kind_names = {"usage", "fee", "tax"};
constexpr std::string_view to_string(LineKind kind) {
  return line_kind_names[static_cast<size_t>(kind)];
}

// [from, until) in days.
struct DayRange {
  int32_t from = 0;
  int32_t until = 0;
  constexpr bool contains(int32_t day) const { return from <= day && day < until; }
  auto operator<=>(const DayRange&) const = default;
};

// A text of the statement; 0 is the empty one.
using TextId = uint32_t;

class Texts {
 public:
  TextId id_of(std::string_view text);
  std::string_view text(TextId id) const { return texts_[id]; }
  // Of a text that is there; none otherwise.
  std::optional<TextId> find(std::string_view text) const;
  size_t size() const { return texts_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::vector<std::string> texts_{std::string()};
  std::unordered_map<std::string, TextId, Hash, std::equal_to<>> ids_{{std::string(), 0}};
};

inline constexpr int64_t context_not_told = -1;

struct StatementLine {
  DayRange days;
  LineKind kind = LineKind::usage;
  bool has_quantity = false;
  bool has_amount = false;
  TextId account = 0;       // account, workspace or project
  TextId api_key = 0;       // key or principal; leads to a team
  TextId model = 0;         // empty: not told
  TextId service_tier = 0;  // in the ledger's words where it has one; empty: not told
  TextId token_class = 0;   // billing/reconciliation/token_class.h, or a counted extra by its name
  TextId description = 0;   // the provider's words
  TextId reference = 0;     // the provider's id of this line
  TextId currency = 0;      // of the amount
  int64_t context_above = context_not_told;  // the request's input lies above so many tokens
  Rational quantity;
  Rational amount;

  friend bool operator==(const StatementLine&, const StatementLine&) = default;
};

struct Coverage {
  TimeZone zone = TimeZone::utc();
  std::vector<DayRange> days;               // ascending, apart
  std::vector<std::string> accounts;        // empty: all
  std::vector<std::string> excluded_tiers;  // service tiers that this report leaves out
  std::vector<std::string> token_classes;   // empty: all

  bool covers_day(int32_t day) const;
  DayRange whole() const;  // from the first day to the last
  // Puts ranges in order and joins those that touch.
  void add(DayRange range);
};

struct Statement {
  std::string provider;  // in the ledger's words
  StatementFormat format = StatementFormat::mapped_csv;
  Coverage coverage;
  Texts texts;
  std::vector<StatementLine> lines;
  // What was left out or supposed while reading, for people.
  std::vector<std::string> notes;

  bool tells_quantities() const;
  bool tells_amounts() const;
  // provider/format/first day: versions of one id restate one another.
  std::string id() const;
};

// Canonical text: one line of JSON (coverage and provider), then CSV. Lines are in a fixed order,
// so that the same statement is the same bytes however its pages came. This is what is stored.
std::string statement_text(const Statement& statement);
// corruption where the text is none of ours.
Result<Statement> parse_statement_text(std::string_view text, std::string_view file);

}  // namespace gauger::billing
