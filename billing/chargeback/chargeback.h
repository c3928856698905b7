// Chargeback: what teams pay, beside what their usage cost. Both views stand side by side; their
// difference is the margin (or the loss) of the platform.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/contracts/allocation_document.h"

namespace gauger::billing {

// pass_through: teams pay their cost. mark_up: their cost and a percentage. rate_card: the
// prices of an internal book, whatever the provider charges.
enum class ChargeBasis : uint8_t { pass_through, mark_up, rate_card };
// Who keeps what cache hits save. platform: teams pay cache reads like any other input.
enum class CacheBenefit : uint8_t { team, platform };
// Who bears idle capacity: those who used the rest of it, or the platform.
enum class IdleBearer : uint8_t { users, platform };
// Who bears usage without a team: the platform, or all teams by what they pay.
enum class UnattributedBearer : uint8_t { platform, teams };

struct ChargebackPolicy {
  std::string file;
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  ChargeBasis basis = ChargeBasis::pass_through;
  Rational mark_up;       // 0.08 for 8 percent
  std::string rate_card;  // id of a price book
  CacheBenefit cache_benefit = CacheBenefit::team;
  IdleBearer idle = IdleBearer::users;
  UnattributedBearer unattributed = UnattributedBearer::platform;
};

Result<ChargebackPolicy> parse_chargeback_policy(std::string_view text, std::string_view file);
Result<ChargebackPolicy> read_chargeback_policy(const Node& root, std::string_view file);

struct TeamCharge {
  std::string team;
  Int128 cost_minor = 0;
  Int128 charge_minor = 0;
};

struct ChargeView {
  Currency currency;
  std::vector<TeamCharge> teams;       // by name; without the unnamed team
  std::vector<InvoiceDraft> invoices;  // what each team is charged, line by line
  Int128 cost_minor = 0;               // of the contract's month, unallocated included
  Int128 charge_minor = 0;
  Int128 margin_minor = 0;  // charge - cost, on the platform
};

// One contract's month under a policy. A rate card is in the contract's currency and stands
// among `terms.books`.
Result<ChargeView> charge_month(const UsageTable& usage, const ContractTerms& terms, int32_t month,
                                const ChargebackPolicy& policy);

}  // namespace gauger::billing
