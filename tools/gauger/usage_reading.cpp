#include "tools/gauger/usage_reading.h"

#include <algorithm>
#include <tuple>

#include "schemas/time_zone.h"

namespace gauger::tools {

Result<std::vector<billing::Reattribution>> posted_reattributions(
    const ledger::Documents& documents) {
  TRY(auto versions, documents.list("default", "reattribution"));
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

Result<UsageTable> read_usage(const ledger::Reader& reader, const ledger::UsageQuery& query) {
  TRY(const auto documents, posted_reattributions(reader.documents()));
  return read_usage(reader, query, documents);
}

Result<UsageTable> read_usage(const ledger::Reader& reader, const ledger::UsageQuery& query,
                              const std::vector<billing::Reattribution>& documents) {
  TRY(auto answer, reader.usage(query));
  if (documents.empty()) return answer;
  TRY(const auto unclaimed, reader.usage(billing::unclaimed_query(query)));
  TRY(const auto zone, TimeZone::find(reader.config().time_zone));
  return billing::reattribute_answer(answer, unclaimed, query, zone, documents);
}

}  // namespace gauger::tools
