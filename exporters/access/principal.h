// Who asks, and the one place that says whose things they may see. Every handler that names a team
// or a namespace asks here; nothing else in exporters/ compares teams.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/usage_key.h"

namespace gauger::exporters {

// admin: everything in its namespace, tokens included. finance: money, terms and documents. team:
// reads what belongs to its teams. gateway: sends events and asks quotas. metrics: scrapes.
enum class AccessRole : uint8_t { admin, finance, team, gateway, metrics };
inline constexpr std::array<std::string_view, 5> access_role_names = {"admin", "finance", "team",
                                                                      "gateway", "metrics"};
constexpr std::string_view to_string(AccessRole role) {
  return access_role_names[static_cast<size_t>(role)];
}

using RoleMask = uint8_t;
constexpr RoleMask mask_of(AccessRole role) {
  return static_cast<RoleMask>(1U << static_cast<unsigned>(role));
}
template <class... Roles>
constexpr RoleMask roles(Roles... role) {
  return static_cast<RoleMask>((mask_of(role) | ...));
}

struct Principal {
  std::string token_id;  // empty: a loopback client of a server without tokens
  std::string name;
  std::string name_space = "default";
  AccessRole role = AccessRole::admin;
  std::vector<std::string> teams;  // sorted; empty: all

  bool sees_all_teams() const { return teams.empty(); }
  bool sees_team(std::string_view team) const {
    return teams.empty() || std::binary_search(teams.begin(), teams.end(), team);
  }
  // The author of what this principal writes.
  std::string author() const {
    return token_id.empty() ? "loopback" : name + " (" + token_id + ")";
  }
};

}  // namespace gauger::exporters
