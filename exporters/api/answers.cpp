#include "exporters/api/answers.h"

#include <algorithm>
#include <charconv>

#include "ledger/hash.h"

namespace gauger::exporters {
namespace {

constexpr std::string_view base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode_base64(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += base64url[bits >> count & 63];
    }
  }
  if (count > 0) text += base64url[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto at = base64url.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(at);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 255);
    }
  }
  return bytes;
}

// What a cursor is bound to: the operation, its path, its query but for the page, and who asks.
uint64_t hash_of_query(const Call& call) {
  auto hash = ledger::hash64(call.head.path, 1);
  for (const auto& [name, value] : call.head.query) {
    if (name == "cursor" || name == "limit") continue;
    hash = ledger::hash64(value, ledger::hash64(name, hash));
  }
  return ledger::hash64(call.principal.token_id, hash);
}

std::string digits_of(uint64_t hash) {
  std::string text(8, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(hash >> (8 * i) & 255);
  return text;
}

struct Preference {
  std::string type;
  int quality = 1000;  // thousandths
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// "0.85" in thousandths; what cannot be read counts as 1.
int quality_of(std::string_view text) {
  int value = 0;
  int digit = 1000;
  for (const char c : text.substr(0, 5)) {
    if (c == '.') continue;
    if (c < '0' || c > '9') return 1000;
    value += (c - '0') * digit;
    digit /= 10;
  }
  return std::min(value, 1000);
}

std::vector<Preference> parse_accept(std::string_view header) {
  std::vector<Preference> preferences;
  for (size_t begin = 0; begin <= header.size() && preferences.size() < 32;) {
    const auto end = std::min(header.find(',', begin), header.size());
    auto item = header.substr(begin, end - begin);
    begin = end + 1;
    const auto semicolon = std::min(item.find(';'), item.size());
    Preference preference{lower(trimmed(item.substr(0, semicolon)))};
    const auto quality = item.find("q=", semicolon);
    if (quality != std::string_view::npos)
      preference.quality = quality_of(trimmed(item.substr(quality + 2)));
    if (!preference.type.empty()) preferences.push_back(std::move(preference));
  }
  return preferences;
}

// How much the client likes the form: its most specific range decides. -1: nothing names it.
int quality_for(const std::vector<Preference>& preferences, std::string_view type) {
  int best = -1;
  int specific = -1;
  for (const auto& [range, quality] : preferences) {
    int rank = -1;
    if (range == type) rank = 2;
    if (range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1))) rank = 1;
    if (range == "*/*") rank = 0;
    if (rank > specific) {
      specific = rank;
      best = quality;
    }
  }
  return best;
}

}  // namespace

std::string_view media_type_of(Form form) {
  switch (form) {
    case Form::json: return "application/json";
    case Form::csv: return "text/csv";
    case Form::text: return "text/plain";
    case Form::pdf: return "application/pdf";
    case Form::focus: return "application/vnd.focus+csv";
  }
  return {};
}

std::variant<Form, Response> choose_form(const Call& call, std::initializer_list<Form> offered) {
  const auto none = [&] {
    std::string names;
    for (const auto form : offered)
      names += (names.empty() ? "" : ", ") + std::string(media_type_of(form));
    return problem(Problem::not_acceptable, "this operation answers with " + names);
  };
  const auto accept = call.head.header("accept");
  if (accept.empty()) return *offered.begin();
  const auto preferences = parse_accept(accept);
  std::optional<Form> best;
  int best_quality = 0;
  for (const auto form : offered) {
    const auto quality = quality_for(preferences, media_type_of(form));
    if (quality <= best_quality) continue;
    best = form;
    best_quality = quality;
  }
  if (!best) return none();
  return *best;
}

Response ok(std::string body, Form form) {
  Response response;
  response.content_type = media_type_of(form);
  if (form == Form::csv || form == Form::text) response.content_type += "; charset=utf-8";
  response.body = std::move(body);
  return response;
}

Result<Page> parse_page(const Call& call) {
  Page page;
  if (const auto limit = call.query("limit"); !limit.empty()) {
    const auto [end, error] =
        std::from_chars(limit.data(), limit.data() + limit.size(), page.limit);
    if (error != std::errc() || end != limit.data() + limit.size() || page.limit == 0 ||
        page.limit > limits::page_rows_max)
      return invalid_argument("limit is a number from 1 to 1000");
  }
  if (const auto cursor = call.query("cursor"); !cursor.empty()) {
    const auto bytes = decode_base64(cursor);
    if (!bytes || bytes->size() <= 8 || bytes->substr(0, 8) != digits_of(hash_of_query(call)))
      return invalid_argument("the cursor is not one of this query's");
    page.after = bytes->substr(8);
  }
  return page;
}

std::string make_cursor(const Call& call, std::string_view last) {
  return encode_base64(digits_of(hash_of_query(call)) + std::string(last));
}

std::string media_type(std::string_view content_type) {
  return lower(trimmed(content_type.substr(0, content_type.find(';'))));
}

std::variant<billing::Node, Response> json_body(const Call& call) {
  const auto type = media_type(call.head.header("content-type"));
  if (type != "application/json")
    return problem(Problem::unsupported_media_type, "the body is application/json");
  auto node = billing::parse_json(call.body, "the body");
  if (!node) return problem_of(node.error());
  if (node.value().kind != billing::Node::Kind::map)
    return problem(Problem::invalid_request, "the body is a JSON object");
  return std::move(node.value());
}

Result<std::string> text_of(billing::Fields& fields, std::string_view name) {
  TRY(const auto* node, fields.required(name));
  if (!node->quoted) return fields.error("'" + std::string(name) + "' is a string");
  return billing::read_text("the body", *node, name);
}

Result<std::string> text_or(billing::Fields& fields, std::string_view name,
                            std::string_view otherwise) {
  const auto* node = fields.optional(name);
  if (node == nullptr) return std::string(otherwise);
  if (!node->quoted) return fields.error("'" + std::string(name) + "' is a string");
  return billing::read_text("the body", *node, name);
}

Result<int64_t> integer_of(const billing::Node& node, int64_t min, int64_t max) {
  if (node.quoted) return invalid_argument("the body: '" + node.text + "' is no number");
  return billing::read_integer("the body", node, min, max);
}

Result<bool> flag_of(billing::Fields& fields, std::string_view name) {
  const auto* node = fields.optional(name);
  if (node == nullptr) return false;
  if (node->quoted || (node->text != "true" && node->text != "false"))
    return fields.error("'" + std::string(name) + "' is true or false");
  return node->text == "true";
}

bool etag_matches(std::string_view header, std::string_view etag) {
  if (trimmed(header) == "*") return true;
  for (size_t begin = 0; begin <= header.size();) {
    const auto end = std::min(header.find(',', begin), header.size());
    auto item = trimmed(header.substr(begin, end - begin));
    begin = end + 1;
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag) return true;
  }
  return false;
}

std::optional<Reply> once(Service& service, const Call& call, Reply reply) {
  using State = IdempotencyBook::State;
  const auto read = idempotency_key_of(call);
  if (!read) {
    reply(problem_of(read.error()));
    return std::nullopt;
  }
  if (!read.value()) return reply;
  auto& book = service.idempotency();
  const auto key = *read.value();
  auto known = book.begin(key);
  if (auto* before = std::get_if<Response>(&known)) {
    reply(std::move(*before));
    return std::nullopt;
  }
  const auto state = std::get<State>(known);
  if (state != State::first) {
    reply(problem(Problem::idempotency_conflict,
                  state == State::running ? "the first request with this Idempotency-Key runs still"
                                          : "this Idempotency-Key was used for another request"));
    return std::nullopt;
  }
  return Reply([&book, key, reply = std::move(reply)](Response response) {
    if (response.status >= 500 || response.status == 429)
      book.forget(key);
    else
      book.finish(key, response);
    reply(std::move(response));
  });
}

void answer_from_task(Service& service, Reply reply,
                      std::function<Response(ledger::Ledger& ledger)> task) {
  auto shared = std::make_shared<Reply>(std::move(reply));
  const auto submitted = service.committer().submit(CommitTask(
      [shared, task = std::move(task)](ledger::Ledger& ledger) { (*shared)(task(ledger)); }));
  if (!submitted) (*shared)(problem_of(submitted.error()));
}

int64_t as_json(uint64_t number) { return static_cast<int64_t>(number); }

}  // namespace gauger::exporters
