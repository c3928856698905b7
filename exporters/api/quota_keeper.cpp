#include "exporters/api/quota_keeper.h"

#include "exporters/quota/quota_answers.h"

namespace gauger::exporters {

Result<void> QuotaKeeper::refresh() {
  const auto documents = ledger_.documents();
  const auto name_spaces = tokens_.name_spaces();
  TRY(const auto quotas, read_quotas(documents, name_spaces));
  auto fresh = std::make_shared<Known>();
  TRY(fresh->terms, QuotaTerms::read(documents, name_spaces));
  for (const auto& quota : quotas) {
    fresh->quotas[quota.name_space].emplace(quota.id, quota);
    if (!quota.currency.empty()) fresh->currencies.try_emplace(quota.name_space, quota.currency);
    fresh->by_tier = fresh->by_tier || !quota.model_tier.empty();
  }
  TRY(ledger_.define_quotas(quotas, QuotaTerms::for_ledger(fresh->terms)));
  const std::lock_guard guard(mutex_);
  known_ = std::move(fresh);
  return success();
}

std::map<std::string, ledger::Quota> QuotaKeeper::of(std::string_view name_space) const {
  const auto now = known();
  const auto found = now->quotas.find(name_space);
  return found == now->quotas.end() ? std::map<std::string, ledger::Quota>() : found->second;
}

void QuotaKeeper::complete(ledger::QuotaRequest& request, Instant now) const {
  using ledger::Dimension;
  const auto present = known();
  if (present->by_tier && request.model_tier.empty()) {
    std::string_view provider;
    std::string_view model;
    for (const auto& filter : request.attributes) {
      if (filter.dimension == Dimension::provider) provider = filter.value;
      if (filter.dimension == Dimension::model) model = filter.value;
    }
    if (!model.empty())
      request.model_tier = present->terms->tier_of(request.name_space, provider, model, now);
  }
  if (request.amounts.cost) return;
  const auto currency = present->currencies.find(request.name_space);
  if (currency != present->currencies.end())
    request.amounts.cost = present->terms->cost_of(request, currency->second, now);
}

}  // namespace gauger::exporters
