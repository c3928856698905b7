#include "exporters/access/token_book.h"

#include <set>

#include "billing/document.h"
#include "billing/json_value.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

using billing::JsonValue;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::text_bytes_max &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

JsonValue json_of(const AccessToken& token) {
  JsonValue json;
  const auto& principal = token.principal;
  json["id"] = principal.token_id;
  json["name"] = principal.name;
  json["namespace"] = principal.name_space;
  json["role"] = to_string(principal.role);
  json["teams"] = JsonValue::Array();
  for (const auto& team : principal.teams) json["teams"].push_back(team);
  json["created_at"] = format_instant(token.created_at);
  if (token.expires_at) json["expires_at"] = format_instant(*token.expires_at);
  json["revoked"] = token.revoked;
  return json;
}

}  // namespace

Result<void> check(const TokenRequest& request, Instant now) {
  if (!is_name(request.name)) return invalid_argument("a token's name has 1 to 256 characters");
  if (!is_name(request.name_space) || request.name_space.starts_with('_'))
    return invalid_argument(
        "a token's namespace has 1 to 256 characters and does not begin with '_'");
  if (request.role == AccessRole::team && request.teams.empty())
    return invalid_argument("a token of the role team names the teams that it is for");
  const bool whole = request.role == AccessRole::admin || request.role == AccessRole::finance;
  if (whole && !request.teams.empty())
    return invalid_argument("a token of the role " + std::string(to_string(request.role)) +
                            " is for its whole namespace, not for teams");
  if (request.teams.size() > limits::access_teams_max)
    return invalid_argument("a token is bound to at most 1,000 teams");
  for (const auto& team : request.teams)
    if (!is_name(team)) return invalid_argument("a team's name has 1 to 256 characters");
  if (request.expires_at && *request.expires_at <= now)
    return invalid_argument("the token would have expired already");
  return success();
}

Result<NewToken> make_access_token(const TokenRequest& request, const TokenKey& key, Instant now) {
  TRY(check(request, now));
  NewToken made;
  TRY(made.secret, make_token());
  auto& principal = made.token.principal;
  TRY(principal.token_id, make_token_id());
  principal.name = request.name;
  principal.name_space = request.name_space;
  principal.role = request.role;
  principal.teams = request.teams;
  std::sort(principal.teams.begin(), principal.teams.end());
  principal.teams.erase(std::unique(principal.teams.begin(), principal.teams.end()),
                        principal.teams.end());
  made.token.hash = key.hash(made.secret);
  made.token.created_at = now;
  made.token.expires_at = request.expires_at;
  return made;
}

ledger::DocumentDraft draft_of(const AccessToken& token, std::string_view author,
                               std::string_view reason) {
  ledger::DocumentDraft draft;
  draft.key = {std::string(system_name_space), std::string(access_token_kind),
               token.principal.token_id};
  draft.author = author;
  draft.reason = reason;
  auto json = json_of(token);
  json["hash"] = to_hex(token.hash);
  draft.content = json.canonical();
  return draft;
}

std::string token_json(const AccessToken& token) { return json_of(token).canonical(); }

Result<AccessToken> parse_access_token(const ledger::Document& document) {
  const auto file = "access token " + document.version.key.id;
  TRY(const auto node, billing::parse_json(document.content, file));
  TRY(auto fields, billing::Fields::of(file, node, "an access token"));
  AccessToken token;
  auto& principal = token.principal;
  TRY(principal.token_id, fields.text("id"));
  TRY(principal.name, fields.text("name"));
  TRY(principal.name_space, fields.text("namespace"));
  TRY(const auto role, fields.text("role"));
  const auto found = find_name<AccessRole>(access_role_names, role);
  if (!found) return corruption(file + " has the unknown role '" + role + "'");
  principal.role = *found;
  TRY(const auto teams, fields.list("teams"));
  for (const auto& team : teams) principal.teams.push_back(team.text);
  TRY(const auto created, fields.instant("created_at"));
  if (!created) return corruption(file + " does not say when it was made");
  token.created_at = *created;
  TRY(token.expires_at, fields.instant("expires_at"));
  TRY(const auto revoked, fields.text("revoked"));
  token.revoked = revoked != "false";
  TRY(const auto hash, fields.text("hash"));
  TRY(token.hash, parse_token_hash(hash));
  TRY(fields.finish());
  return token;
}

Result<std::unique_ptr<TokenBook>> TokenBook::load(const ledger::Documents& documents,
                                                   TokenKey key) {
  auto book = std::unique_ptr<TokenBook>(new TokenBook(key));
  TRY(const auto versions, documents.list(system_name_space, access_token_kind));
  for (const auto& version : versions) {
    TRY(const auto document, documents.read(version));
    TRY(auto token, parse_access_token(document));
    book->replace(std::move(token));
  }
  return book;
}

bool TokenBook::empty() const {
  const std::lock_guard guard(mutex_);
  return tokens_.empty();
}

size_t TokenBook::size() const {
  const std::lock_guard guard(mutex_);
  return tokens_.size();
}

std::optional<Principal> TokenBook::find(std::string_view secret, Instant now) const {
  if (!is_well_formed_token(secret)) return std::nullopt;
  const auto hash = key_.hash(secret);
  const std::lock_guard guard(mutex_);
  const auto found = tokens_.find(hash);
  if (found == tokens_.end() || !equal_hashes(found->second.hash, hash)) return std::nullopt;
  const auto& token = found->second;
  if (token.revoked || (token.expires_at && *token.expires_at <= now)) return std::nullopt;
  return token.principal;
}

std::vector<AccessToken> TokenBook::list(std::string_view name_space) const {
  std::vector<AccessToken> found;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [hash, token] : tokens_)
      if (token.principal.name_space == name_space) found.push_back(token);
  }
  std::sort(found.begin(), found.end(), [](const AccessToken& a, const AccessToken& b) {
    return a.principal.token_id < b.principal.token_id;
  });
  return found;
}

std::optional<AccessToken> TokenBook::find_id(std::string_view name_space,
                                              std::string_view id) const {
  const std::lock_guard guard(mutex_);
  for (const auto& [hash, token] : tokens_)
    if (token.principal.token_id == id && token.principal.name_space == name_space) return token;
  return std::nullopt;
}

std::vector<std::string> TokenBook::name_spaces() const {
  std::set<std::string> names{"default"};
  const std::lock_guard guard(mutex_);
  for (const auto& [hash, token] : tokens_) names.insert(token.principal.name_space);
  return {names.begin(), names.end()};
}

void TokenBook::replace(AccessToken token) {
  const std::lock_guard guard(mutex_);
  tokens_.insert_or_assign(token.hash, std::move(token));
}

}  // namespace gauger::exporters
