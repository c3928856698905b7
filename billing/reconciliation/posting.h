// What a reconciliation leaves is posted: each variance goes to teams by a rule, or to
// `unallocated`, in minor units by largest remainder, so that
//
//   what teams were charged + postings + billed elsewhere + tax = the provider's bill
//
// to the last minor unit. Postings are absolute: after a restatement the new posting replaces the
// old one, and its change is what is booked. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "billing/reconciliation/reconciliation.h"

namespace gauger::billing {

// nobody: in particular; it goes to `unallocated`. by_use: the teams whose usage the cell holds, by
// what it cost them; else of the model, else of the provider. by_account: the teams that the
// statement's accounts and api keys belong to, by what is billed there.
enum class PostingRule : uint8_t { nobody, by_use, by_account };
inline constexpr std::array<std::string_view, 3> posting_rule_names = {"unallocated", "by_use",
                                                                       "by_account"};
using PostingRules = std::map<VarianceClass, PostingRule>;  // nobody where absent

// The team of an account and api key, as the statement names them; empty where nobody says.
using TeamOf =
    std::function<std::string(std::string_view account, std::string_view api_key, int32_t day)>;

struct PostingLine {
  std::string team;            // empty: unallocated
  std::string variance_class;  // or "rounding"
  Int128 amount_minor = 0;
  friend bool operator==(const PostingLine&, const PostingLine&) = default;
};

struct Posting {
  Currency currency;
  Int128 bill_minor = 0;       // the statement, rounded once
  Int128 charged_minor = 0;    // our side, rounded once: what the allocation hands to teams
  Int128 elsewhere_minor = 0;  // of what we charged, not on this statement; below zero
  Int128 tax_minor = 0;
  std::vector<PostingLine> lines;  // by class and team; none of zero
};

Posting make_posting(const Reconciliation& reconciliation, const GrainInput& input,
                     const PostingRules& rules, const TeamOf& team_of);

// What the new posting changes of an earlier one, line by line.
std::vector<PostingLine> posting_change(const Posting& now, const Posting& before);

std::string posting_table(const Posting& posting);
std::string posting_json(const Posting& posting);
Result<Posting> parse_posting(std::string_view text, std::string_view file);

}  // namespace gauger::billing
