// The quotas in force and the terms they are counted with, kept in step with the ledger's
// documents.
//
// Threads: `refresh` belongs to the committing thread, everything else to any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "exporters/access/token_book.h"
#include "exporters/quota/quota_terms.h"
#include "ledger/ledger.h"

namespace gauger::exporters {

class QuotaKeeper {
 public:
  QuotaKeeper(ledger::Ledger& ledger, const TokenBook& tokens) : ledger_(ledger), tokens_(tokens) {}

  // Reads quotas and terms again and gives them to the ledger. What cannot be read leaves all as
  // it was.
  Result<void> refresh();

  // By id.
  std::map<std::string, ledger::Quota> of(std::string_view name_space) const;
  // Fills in the model's tier and the cost, where quotas need them and the caller did not say.
  void complete(ledger::QuotaRequest& request, Instant now) const;

 private:
  struct Known {
    std::shared_ptr<const QuotaTerms> terms;
    std::map<std::string, std::map<std::string, ledger::Quota>, std::less<>> quotas;
    // Of quotas that are limited in money, per namespace; the first one.
    std::map<std::string, std::string, std::less<>> currencies;
    bool by_tier = false;
  };
  std::shared_ptr<const Known> known() const {
    const std::lock_guard guard(mutex_);
    return known_;
  }

  ledger::Ledger& ledger_;
  const TokenBook& tokens_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Known> known_ = std::make_shared<Known>();
};

// Who is bound to teams sees the quotas of those teams, not those of the whole namespace.
bool sees_quota(const Principal& principal, const ledger::Quota& quota);

}  // namespace gauger::exporters
