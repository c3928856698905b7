#include "exporters/quota/quota_terms.h"

#include "billing/quote.h"
#include "billing/rate.h"

namespace gauger::exporters {
namespace {

using billing::Rational;
using billing::Rounding;

// The table with the rows of one namespace only, and where each of them came from.
struct Part {
  UsageTable table;
  std::vector<size_t> rows;
};

Part part_of(const UsageTable& usage, std::string_view name_space) {
  Part part;
  part.table = usage;
  part.table.rows.clear();
  for (size_t i = 0; i < usage.rows.size(); ++i) {
    if (usage.text(usage.key(usage.rows[i]).name_space) != name_space) continue;
    part.table.rows.push_back(usage.rows[i]);
    part.rows.push_back(i);
  }
  return part;
}

// What a contract's volume makes of prices is known at the end of a month; quotas count before it,
// at the price of the first unit, so that what is counted does not depend on what came with it.
billing::Price before_tiers(const billing::Price& price) {
  using billing::Schedule;
  auto flat = price;
  flat.schedule = Schedule::flat;
  if (price.schedule == Schedule::package) flat.unit.units *= price.package_size;
  flat.package_size = 1;
  if (!price.tiers.empty()) flat.unit = price.tiers.front().price;
  flat.tiers.clear();
  return flat;
}

void flatten(billing::Prices& prices) {
  for (auto& item : prices)
    if (item.price) item.price = before_tiers(*item.price);
}

void flatten(billing::PriceBook& book) {
  for (auto& entry : book.entries) {
    flatten(entry.prices);
    for (auto& context : entry.context_above) flatten(context.prices);
  }
}

using RowName = std::pair<uint32_t, Instant>;  // key and period

// Adds what one book says of rows that have no cost yet.
void add_costs(const Part& part, const billing::PriceBook& book,
               std::vector<std::optional<Int128>>& costs) {
  billing::RateOptions options;
  options.grouping = billing::Grouping::period;
  const auto rated = billing::rate(part.table, book, options);
  if (!rated) return;
  std::map<RowName, Rational> amounts;
  std::map<RowName, bool> unpriced;
  for (const auto& charge : rated.value().charges) {
    auto [sum, fresh] = amounts.try_emplace({charge.key, charge.from});
    sum->second += charge.amount;
  }
  for (const auto& missing : rated.value().unpriced) unpriced[{missing.key, missing.from}] = true;
  for (size_t i = 0; i < part.rows.size(); ++i) {
    const auto& row = part.table.rows[i];
    const RowName name{row.key, row.period};
    auto& cost = costs[part.rows[i]];
    if (cost || unpriced.contains(name)) continue;
    const auto found = amounts.find(name);
    cost = found == amounts.end() ? 0 : found->second.rounded(Rounding::half_even);
  }
}

std::string_view attribute(const ledger::QuotaRequest& request, ledger::Dimension dimension) {
  for (const auto& filter : request.attributes)
    if (filter.dimension == dimension) return filter.value;
  return {};
}

}  // namespace

Result<std::shared_ptr<const QuotaTerms>> QuotaTerms::read(
    const ledger::Documents& documents, const std::vector<std::string>& name_spaces) {
  auto terms = std::make_shared<QuotaTerms>();
  for (const auto& name : name_spaces) {
    auto& own = terms->name_spaces_[name];
    TRY(const auto catalogs, documents.list(name, "model_catalog"));
    for (const auto& version : catalogs) {
      TRY(const auto document, documents.read(version));
      TRY(auto catalog, billing::parse_model_catalog(document.content, version.key.id));
      own.catalogs.push_back(std::move(catalog));
    }
    TRY(const auto books, documents.list(name, "price_book"));
    for (const auto& version : books) {
      TRY(const auto document, documents.read(version));
      TRY(auto book, billing::parse_price_book(document.content, version.key.id));
      flatten(book);
      own.books.push_back(std::move(book));
    }
  }
  return std::shared_ptr<const QuotaTerms>(std::move(terms));
}

std::string QuotaTerms::tier_of(std::string_view name_space, std::string_view provider,
                                std::string_view model, Instant at) const {
  const auto found = name_spaces_.find(name_space);
  if (found == name_spaces_.end()) return {};
  for (const auto& catalog : found->second.catalogs) {
    const auto tier = billing::model_tier(catalog, provider, model, at);
    if (tier && tier.value() != billing::unclassified) return tier.value();
  }
  return {};
}

std::vector<std::optional<Int128>> QuotaTerms::cost_of(const UsageTable& usage,
                                                       std::string_view currency) const {
  std::vector<std::optional<Int128>> costs(usage.rows.size());
  for (const auto& [name, own] : name_spaces_) {
    const auto part = part_of(usage, name);
    if (part.rows.empty()) continue;
    for (const auto& book : own.books)
      if (book.currency.code() == currency) add_costs(part, book, costs);
  }
  return costs;
}

std::optional<Int128> QuotaTerms::cost_of(const ledger::QuotaRequest& request,
                                          std::string_view currency, Instant at) const {
  using ledger::Dimension;
  const auto found = name_spaces_.find(request.name_space);
  if (found == name_spaces_.end()) return std::nullopt;
  billing::QuoteRequest wanted;
  wanted.provider = attribute(request, Dimension::provider);
  wanted.model = attribute(request, Dimension::model);
  wanted.region = attribute(request, Dimension::region);
  wanted.accelerator = attribute(request, Dimension::accelerator);
  const auto tier = attribute(request, Dimension::service_tier);
  wanted.service_tier =
      find_name<ServiceTier>(service_tier_names, tier).value_or(ServiceTier::standard);
  wanted.at = at;
  wanted.counts = request.amounts.counts;
  if (wanted.provider.empty() || wanted.model.empty()) return std::nullopt;
  for (const auto& book : found->second.books) {
    if (book.currency.code() != currency) continue;
    const auto quoted = billing::quote(wanted, book);
    if (quoted && quoted.value().unpriced.empty())
      return quoted.value().total.rounded(Rounding::half_even);
  }
  return std::nullopt;
}

ledger::QuotaTerms QuotaTerms::for_ledger(std::shared_ptr<const QuotaTerms> terms) {
  ledger::QuotaTerms functions;
  functions.tier_of = [terms](std::string_view name_space, std::string_view provider,
                              std::string_view model, Instant at) {
    return terms->tier_of(name_space, provider, model, at);
  };
  functions.cost_of = [terms](const UsageTable& usage, std::string_view currency) {
    return terms->cost_of(usage, currency);
  };
  return functions;
}

}  // namespace gauger::exporters
