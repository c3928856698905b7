// What a record shows of its sender, and what is kept of it with usage that nobody claimed, so
// that a document posted later can claim it (billing/reattribution.h).
//
// Kept evidence is one text in place of the workload, or of the project where the producer names
// a workload: pieces name=value between blanks, in a fixed order,
//
//     api_key=key_search workspace=ml source=gateway-1
//
// with blank, '=', '%' and control characters as %XX, at most limits::text_bytes_max bytes. A
// piece that does not fit is left out whole. Pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauger {

// The team of usage that nobody claimed.
inline constexpr std::string_view unattributed_team = "unattributed";

// "api_key", "workspace", "user", "subject", "provider_account", "source", "tag.<name>",
// "header.<name in lower case>".
struct Evidence {
  std::string_view name;
  std::string_view value;
};

bool is_evidence_name(std::string_view name);

// `also`: names that are kept beside api_key, workspace, subject and source. Empty: nothing to
// keep. The account has a field of its own.
std::string keep_evidence(std::span<const Evidence> evidence, std::span<const std::string> also);

// The pieces of kept evidence; nullopt for any other text.
using KeptEvidence = std::vector<std::pair<std::string, std::string>>;
std::optional<KeptEvidence> read_kept_evidence(std::string_view text);

// A value as it is kept. An API key that may be the secret itself, and not its id, is kept as its
// first eight bytes and a digest: a ledger is read by many.
std::string kept_value(std::string_view name, std::string_view value);

}  // namespace gauger
