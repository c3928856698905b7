// A quota: how much of one measure a scope may use within a window. Definitions are documents
// (kind `quota`); balances are folded from the journal (quota_book.h).
//
// Scopes nest by themselves: a request is checked against every quota whose scope it lies in, so
// a project's quota stands beside its team's and the organisation's. A quota whose scope names
// something that a request does not state (a model, say) does not apply to that request; it
// applies to the event that comes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/usage_query.h"
#include "schemas/instant.h"
#include "schemas/int128.h"
#include "schemas/meter.h"
#include "schemas/result.h"
#include "schemas/time_zone.h"

namespace gauger::ledger {

// What a quota counts: one meter, all tokens, requests, or money (in 10^-12 of a currency).
struct QuotaMeasure {
  enum class Kind : uint8_t { meter, tokens, requests, cost };
  Kind kind = Kind::tokens;
  Meter meter = Meter::input_uncached;  // where kind is meter
  bool operator==(const QuotaMeasure&) const = default;
};
std::string to_string(const QuotaMeasure& measure);

// An amount of usage, in whatever measures may be asked for. No cost: nobody knows the price.
struct QuotaAmounts {
  int64_t requests = 0;
  Counts counts{};
  std::optional<Int128> cost = std::nullopt;
};
// None: unpriced.
std::optional<Int128> amount_of(const QuotaMeasure& measure, const QuotaAmounts& amounts);

enum class QuotaMode : uint8_t { hard, soft, shadow };
inline constexpr std::array<std::string_view, 3> quota_mode_names = {"hard", "soft", "shadow"};
enum class QuotaFailure : uint8_t { deny, allow };
inline constexpr std::array<std::string_view, 2> quota_failure_names = {"deny", "allow"};

// A window is a function of time: no job resets anything.
struct QuotaWindow {
  enum class Kind : uint8_t { hour, day, week, month, rolling };
  Kind kind = Kind::month;
  TimeZone zone = TimeZone::utc();  // of calendar windows; weeks begin on Monday
  std::chrono::minutes length{0};   // of rolling ones: whole grains, up to now

  // The window that holds the instant. A rolling one ends with the grain period that holds it.
  Interval at(Instant instant, std::chrono::minutes grain) const;
};
inline constexpr std::array<std::string_view, 5> quota_window_names = {"hour", "day", "week",
                                                                       "month", "rolling"};

struct Quota {
  std::string name_space = "default";
  std::string id;
  std::vector<Filter> scope;  // all must hold; empty: everything in the namespace
  std::string model_tier;     // beside it; empty: any
  QuotaMeasure measure;
  Int128 limit = 0;
  std::string currency;  // of a limit in money
  QuotaWindow window;
  QuotaMode mode = QuotaMode::hard;
  QuotaFailure failure = QuotaFailure::deny;  // what to say where use cannot be known
  std::vector<int> warn_percent;              // of the limit, ascending
};

// Refuses a quota that this ledger cannot keep, with a sentence.
Result<void> check(const Quota& quota, std::chrono::minutes grain);

// What somebody wants to do, as far as it is known before it is done.
struct QuotaRequest {
  std::string name_space = "default";
  std::vector<Filter> attributes;  // team, project, model, ...: what the request will say
  std::string model_tier;
  QuotaAmounts amounts;  // an upper bound
};

// What one quota has to say about a request, or just how it stands.
struct QuotaAnswer {
  std::string quota;
  QuotaMeasure measure;
  QuotaMode mode = QuotaMode::hard;
  Int128 limit = 0;
  Int128 used = 0;
  Int128 held = 0;
  Int128 overrun = 0;    // of the window: used beyond what had been reserved
  Int128 requested = 0;  // of this request
  bool unpriced = false;
  bool exceeded = false;  // the request would pass the limit, or its price is unknown and denied
  int warn_percent = 0;   // the highest threshold that the request would reach; 0: none
  Instant window_from{};
  Instant resets_at{};
};

struct QuotaDecision {
  bool allowed = true;  // no hard quota is exceeded
  uint64_t as_of_sequence = 0;
  std::vector<QuotaAnswer> answers;  // of every quota that applies, by id
};

}  // namespace gauger::ledger
