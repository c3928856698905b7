// A provider, a ledger and a statement derived from the ledger's usage, into which variances of
// known class are injected: what reconciliation must find again. Random, from a seed.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "billing/rate.h"
#include "billing/reconciliation/reconciliation.h"

namespace gauger::billing {

// What a statement tells.
enum class Tells { both, amounts, quantities };

struct Injection {
  VarianceClass variance_class;
  std::set<std::pair<std::string, std::string>> where;  // class and label of each cell
};

// Where injections may fall: all of the world, or one account, model and a few days of it.
struct Window {
  int account = -1;
  int model = -1;
  int day_from = 1;
  int day_until = 12;
};

class World {
 public:
  explicit World(uint64_t seed);

  // False where this kind finds no place; nothing has happened then.
  bool inject(VarianceClass variance_class, const Window& window);
  size_t injected() const { return injections_.size() + rates_.size() + euros_.size(); }
  // With the cells that show them, as the statement stands.
  std::vector<Injection> injections() const;

  Result<Reconciliation> reconcile(Tells tells) const;

 private:
  struct Line {
    size_t key;  // of the usage table
    int day;
    Meter meter;
    int api_key;
    int64_t quantity;
  };
  // The provider's price of these cells is another one from a day on.
  struct Rate {
    size_t key;
    Meter meter;
    int from;
    Rational factor;
  };
  // An account's day is billed in euros, converted at this rate.
  struct Euro {
    StringId account;
    int day;
    Rational rate;
  };
  struct Extra {
    LineKind kind;
    std::string description;
    Rational amount;
  };

  void make_usage();
  void make_lines();
  template <class Wanted>
  std::vector<size_t> lines_where(const Window& window, Wanted&& wanted) const;
  size_t pick(const std::vector<size_t>& from) { return from[random_() % from.size()]; }
  int64_t size_up_to(int64_t most);
  Rational price(size_t key, Meter meter) const;
  std::string label(size_t key, int day, Meter meter) const;
  void note(VarianceClass variance_class, std::vector<std::string> labels);
  bool has_rate(const Line& line, const Rate& rate) const;
  const Euro* euro_of(const Line& line) const;
  Rational amount_of_line(const Line& line) const;
  bool is_metered(const Line& line) const;
  void move(size_t line, int64_t quantity, size_t key, int day, Meter meter);

  bool inject_cut_off(const Window& window);
  bool inject_tier(const Window& window);
  bool inject_cache_class(const Window& window);
  bool inject_duplicate(const Window& window);
  bool inject_missing_in_ledger(const Window& window);
  bool inject_missing_on_statement(const Window& window);
  bool inject_rate(const Window& window);
  bool inject_quantity(const Window& window);
  bool inject_currency(const Window& window);
  bool inject_outside(const Window& window);
  bool inject_extra(VarianceClass variance_class);

  std::mt19937_64 random_;
  UsageTable usage_;
  std::map<std::pair<size_t, int>, size_t> row_of_;  // key and day
  std::vector<Line> lines_;
  std::vector<Extra> extras_;
  std::vector<Injection> injections_;
  std::vector<Rate> rates_;
  std::vector<Euro> euros_;
  std::vector<int> days_left_out_;
  std::vector<std::string> covered_accounts_;
};

}  // namespace gauger::billing
