// Terms: everything that rating reads, gathered from dated documents and checked against each
// other, so that a company's month can be rated with it. Pure: texts in, values out.
//
// Two times. A document applies from a month (`applies_from`; ever where it says nothing) and was
// known from a block of the ledger. Of the versions of one document that are known, the one known
// last among those that apply is in force; so a later version changes the past exactly as far back
// as it says. What changes inside a month is dated inside a document; of programmes and
// alternatives, all is.
//
// Errors: invalid_argument and conflict name file and line. Nothing is gathered by half.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "billing/chargeback/chargeback.h"
#include "billing/chargeback/exchange_rates.h"
#include "billing/chargeback/organisation.h"
#include "billing/contracts/company.h"
#include "billing/savings/program.h"

namespace gauger::billing {

enum class TermsKind : uint8_t {
  price_book,
  model_catalog,
  contract,
  capacity,
  chargeback_policy,
  exchange_rates,
  organisation,
  program,
  alternative,
};
inline constexpr std::array<std::string_view, 9> terms_kind_names = {
    "price_book",     "model_catalog", "contract", "capacity",   "chargeback_policy",
    "exchange_rates", "organisation",  "program",  "alternative"};
constexpr std::string_view to_string(TermsKind kind) {
  return terms_kind_names[static_cast<size_t>(kind)];
}
// Where the ledger keeps price books that nobody has accepted yet.
inline constexpr std::string_view proposed_price_book_kind = "proposed_price_book";

// In the order of TermsKind.
using TermsContent =
    std::variant<PriceBook, ModelCatalog, Contract, CapacityRecords, ChargebackPolicy,
                 ExchangeRates, Organisation, Program, Alternative>;

struct TermsDocument {
  TermsContent content;
  std::string content_hash;                       // SHA-256 of its text, in hexadecimal digits
  std::map<std::string, int, std::less<>> lines;  // of its keys

  int line(std::string_view key) const {
    const auto found = lines.find(key);
    return found == lines.end() ? 0 : found->second;
  }

  TermsKind kind() const { return static_cast<TermsKind>(content.index()); }
  const std::string& file() const;
  const std::string& id() const;
  const std::string& version() const;
  std::optional<Instant> applies_from() const;
  // A price book that bills nothing before it is accepted.
  bool is_proposal() const;
  // What is in it, for people: "12 prices in USD".
  std::string summary() const;
};

// Any of the kinds, by its key `kind`.
Result<TermsDocument> parse_terms(std::string_view text, std::string_view file);

// A stored version of one document, without its content.
struct TermsVersion {
  std::optional<Instant> applies_from;
  uint64_t known_from = 0;  // sequence of the block
};

// Which of the versions of one document, in the order in which they became known, is in force for
// the month; none where nothing applies yet.
std::optional<size_t> version_in_force(std::span<const TermsVersion> versions, int32_t month);

struct Terms {
  CompanyTerms company;  // contracts, price books, capacity records, model catalogue
  std::map<std::string, ChargebackPolicy, std::less<>> policies;  // by id
  std::vector<ExchangeRates> exchange_rates;
  std::optional<Organisation> organisation;
  std::vector<Program> programs;
  std::vector<Alternative> alternatives;
  std::vector<TermsReference> references;  // of all documents, in order
};

// conflict: a document stands twice, contracts overlap, a second model catalogue or organisation.
// invalid_argument: a contract without its price book or with one in another currency, capacity
// of a contract that is not there, a policy without its rate card.
Result<Terms> gather_terms(std::vector<TermsDocument> documents);

// Refuses what a ledger with these settings cannot keep apart: a context boundary, a change of
// price, tier or regime, or a civil month off its grain.
Result<void> check_ledger_keeps(const Terms& terms, std::span<const int64_t> context_boundaries,
                                std::chrono::minutes grain);

// The documents that one contract's cost rests on; what changes in others changes nothing of it.
std::vector<TermsReference> references_of(const Terms& terms, const Contract& contract);

// The policy of that id; the only one there is where the id is empty, or one that passes cost
// through where there is none. not_found, or conflict where there are several.
Result<ChargebackPolicy> find_policy(const Terms& terms, std::string_view id);

}  // namespace gauger::billing
