#include "ledger/config.h"

#include <algorithm>

#include "ledger/bytes.h"

namespace gauger::ledger {

Result<void> check(const LedgerConfig& config) {
  const auto grain = config.grain.count();
  if (grain != 15 && grain != 30 && grain != 60)
    return invalid_argument("a ledger's grain is 15, 30 or 60 minutes, not " +
                            std::to_string(grain));
  TRY(auto zone, TimeZone::find(config.time_zone));
  static_cast<void>(zone);
  const auto& boundaries = config.context_boundaries;
  if (boundaries.size() > limits::context_boundaries_max)
    return invalid_argument("a ledger keeps at most " +
                            std::to_string(limits::context_boundaries_max) + " context boundaries");
  if (!std::is_sorted(boundaries.begin(), boundaries.end(), std::less_equal<>()) ||
      (!boundaries.empty() && boundaries.front() <= 0))
    return invalid_argument("context boundaries are positive and ascending");
  return success();
}

std::string encode(const LedgerConfig& config) {
  std::string bytes;
  put(bytes, disk_format);
  put(bytes, static_cast<uint16_t>(config.grain.count()));
  put(bytes, config.identity_key);
  put_text(bytes, config.time_zone);
  put_varint(bytes, config.context_boundaries.size());
  for (const auto boundary : config.context_boundaries)
    put_varint(bytes, static_cast<uint64_t>(boundary));
  return bytes;
}

Result<LedgerConfig> decode_config(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto format = reader.get<uint16_t>();
  if (!reader.bad() && format > disk_format)
    return Error{ErrorCode::newer_format, "this ledger has disk format " + std::to_string(format) +
                                              "; this gauger reads up to " +
                                              std::to_string(disk_format)};
  LedgerConfig config;
  config.grain = std::chrono::minutes{reader.get<uint16_t>()};
  config.identity_key = reader.get<uint64_t>();
  config.time_zone = std::string(reader.text());
  const auto count = reader.varint();
  config.context_boundaries.clear();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i)
    config.context_boundaries.push_back(static_cast<int64_t>(reader.varint()));
  if (!reader.complete() || format == 0 || !check(config))
    return corruption("the ledger's configuration record is damaged");
  return config;
}

}  // namespace gauger::ledger
