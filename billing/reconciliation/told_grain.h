// How finely the statements of one reconciliation tell: which dimensions per token class, and to
// which told class each of the ledger's meters belongs. Private to billing/reconciliation.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "billing/reconciliation/grain.h"

namespace gauger::billing {

struct ToldDimensions {
  bool day = false;  // every line lies within one day
  bool account = false;
  bool model = false;
  bool service_tier = false;
  bool context_tier = false;
};

class ToldGrain {
 public:
  // What the ledger tells apart of this provider joins in: accounts it never names cannot be
  // compared.
  void read(const GrainInput& input, std::vector<std::string>& notes);

  // The class that the statements know this one by.
  std::string_view fold(std::string_view token_class) const;
  ToldDimensions of(std::string_view folded_class) const;
  // The boundary that the statements know this one by.
  int64_t fold_context(int64_t context_above) const;

 private:
  struct OfStatement {
    std::set<std::string, std::less<>> classes;
    std::map<std::string, ToldDimensions, std::less<>> dimensions;  // by class as stated
  };

  static OfStatement read_statement(const Statement& statement);
  void read_context(const GrainInput& input, std::vector<std::string>& notes);

  std::vector<OfStatement> statements_;
  std::map<std::string, ToldDimensions, std::less<>> by_class_;
  ToldDimensions otherwise_;  // of classes that no statement speaks of
  std::set<int64_t> cuts_;
  bool context_told_ = true;
  bool account_told_ = true;
  mutable std::map<std::string, std::string, std::less<>> folded_;
};

}  // namespace gauger::billing
