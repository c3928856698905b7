// What quotas need to know of terms: the tier of a model and the price of usage, from the
// documents of each namespace as they are now. Immutable, and so shared by threads; made anew when
// terms are posted.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "billing/model_catalog.h"
#include "billing/price_book.h"
#include "ledger/documents.h"
#include "ledger/quota_book.h"

namespace gauger::exporters {

class QuotaTerms {
 public:
  static Result<std::shared_ptr<const QuotaTerms>> read(
      const ledger::Documents& documents, const std::vector<std::string>& name_spaces);

  // Empty: no catalogue, or it does not know the model.
  std::string tier_of(std::string_view name_space, std::string_view provider,
                      std::string_view model, Instant at) const;
  // Pico-units of the currency, per row; none where no price book of the row's namespace prices
  // all of it.
  std::vector<std::optional<Int128>> cost_of(const UsageTable& usage,
                                             std::string_view currency) const;
  // What a request would cost; none where it is not priced.
  std::optional<Int128> cost_of(const ledger::QuotaRequest& request, std::string_view currency,
                                Instant at) const;

  // For Ledger::define_quotas.
  static ledger::QuotaTerms for_ledger(std::shared_ptr<const QuotaTerms> terms);

 private:
  struct NameSpace {
    std::vector<billing::ModelCatalog> catalogs;
    std::vector<billing::PriceBook> books;
  };
  std::map<std::string, NameSpace, std::less<>> name_spaces_;
};

}  // namespace gauger::exporters
