// What a ledger holds, in plain maps: the oracle. Copied whole before every commit.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger/columns.h"
#include "schemas/instant.h"
#include "schemas/int128.h"
#include "schemas/limits.h"
#include "tests/simulation/simulated_log.h"
#include "tests/usage_model.h"

namespace gauger::simulation {

inline const std::array<std::string, 2> months = {"2026-12", "2027-01"};
// Pico-units per token: prices that leave fractions of a cent.
inline constexpr std::array<int64_t, 3> prices = {3'000'000'001, 15'000'000'000, 1'234'567'891};
inline constexpr int64_t quota_limit = 4'000;
inline constexpr std::string_view billed_team = "search";  // and the quota's

std::string team_of(const std::string& id);
int64_t to_minutes(Instant instant);
// The month of a time in minutes, as its place in `months`; none for others.
std::optional<size_t> month_of_minutes(int64_t minutes);

struct Model {
  struct Position {
    int64_t next_offset = 0;
    uint64_t records = 0;
    uint64_t gaps = 0;
    bool operator==(const Position&) const = default;
  };

  testing::UsageModel usage;
  std::array<uint64_t, ledger::disposition_count> records{};
  std::map<int32_t, Position> positions;
  std::set<std::string> quarantined;  // raw bytes
  Instant block_time{};

  // Quotas.
  struct Hold {
    int64_t tokens = 0;
    Instant expires_at{};
  };
  std::map<std::string, Hold> held;
  std::set<std::string> ended;
  std::map<std::string, int64_t> asked;  // by reservation, what it was granted for
  int64_t overrun = 0;

  // Invoices of one bill-to.
  size_t price = 0;
  uint32_t price_versions = 0;
  struct Books {
    std::array<std::optional<int64_t>, 2> invoice_of{};  // per month
    std::array<size_t, 2> closed_price{};
    std::array<Int128, 2> charged{};  // in cents
  };
  Books books;
  struct Document {
    std::string json;  // as it was posted, byte for byte
    std::string seal;
    Books before;
    Books after;
    std::optional<size_t> voids;  // the place of another one
  };
  std::vector<Document> invoices;  // and notes, by number
  // Since the last restore somebody said which number was the last.
  bool numbers_confirmed = true;

  void deliver(const SimulatedSource::Delivered& delivered, Instant now);
  // The records of one request, in one block.
  void deliver(const std::vector<LogRecord>& request, Instant now);
  int64_t tokens_of_quota() const;  // used in the quota's month
  int64_t held_of_quota() const;
  // What a month costs at a price, in cents.
  Int128 cost(size_t month, size_t price_of_month) const;
  // Rows as answers.h writes them: by team and outcome.
  std::map<std::pair<std::string, int>, std::pair<int64_t, int64_t>> sums() const;

 private:
  ledger::Disposition decide(const LogRecord& record);
  void take(const LogRecord& record);
  void use_reservation(const testing::ModelEvent& event);
};

}  // namespace gauger::simulation
