#include "exporters/accounting/usage_reading.h"

#include <algorithm>
#include <tuple>

#include "schemas/time_zone.h"

namespace gauger::exporters {

Result<std::vector<billing::Reattribution>> posted_reattributions(
    const ledger::Documents& documents, std::string_view name_space) {
  TRY(auto versions, documents.list(name_space, "reattribution"));
  std::ranges::sort(versions, [](const auto& a, const auto& b) {
    return std::tie(a.known_from, a.index) < std::tie(b.known_from, b.index);
  });
  std::vector<billing::Reattribution> posted;
  for (const auto& version : versions) {
    TRY(const auto document, documents.read(version));
    TRY(auto parsed,
        billing::parse_reattribution(document.content, "re-attribution " + version.key.id));
    posted.push_back(std::move(parsed));
  }
  return posted;
}

Result<UsageTable> read_usage(const LedgerView& view, const ledger::UsageQuery& query) {
  TRY(const auto documents, posted_reattributions(view.documents(), view.name_space));
  return read_usage(view, query, documents);
}

Result<UsageTable> read_usage(const LedgerView& view, const ledger::UsageQuery& query,
                              const std::vector<billing::Reattribution>& documents) {
  const auto wanted = view.narrowed(query);
  TRY(auto answer, view.reader->usage(wanted));
  if (documents.empty()) return answer;
  TRY(const auto unclaimed, view.reader->usage(billing::unclaimed_query(wanted)));
  TRY(const auto zone, TimeZone::find(view.reader->config().time_zone));
  return billing::reattribute_answer(answer, unclaimed, wanted, zone, documents);
}

}  // namespace gauger::exporters
