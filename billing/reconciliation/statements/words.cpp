#include "billing/reconciliation/statements/words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "billing/price_book.h"
#include "billing/reconciliation/token_class.h"
#include "schemas/money.h"

namespace gauger::billing {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Words of letters and digits, in lower case.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : lower(text)) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter && !inside) words.emplace_back();
    if (letter) words.back() += c;
    inside = letter;
  }
  return words;
}

class Words {
 public:
  explicit Words(std::string_view text) : words_(words_of(text)) {}
  bool has(std::initializer_list<std::string_view> any) const {
    return std::any_of(words_.begin(), words_.end(), [&](const std::string& word) {
      return std::find(any.begin(), any.end(), word) != any.end();
    });
  }

 private:
  std::vector<std::string> words_;
};

std::string cache_class(const Words& words) {
  if (words.has({"write", "creation", "writes"})) {
    if (words.has({"1h", "1hr", "1hour"})) return "cache_write_1h";
    if (words.has({"5m", "5min"})) return "cache_write_5m";
    return std::string(class_cache_write);
  }
  return "cache_read";
}

std::string class_of(const Words& words) {
  if (words.has({"cache", "cached"})) return cache_class(words);
  if (words.has({"input", "prompt"})) {
    if (words.has({"audio"})) return "input_audio";
    if (words.has({"image"})) return "input_image";
    return "input_uncached";
  }
  if (words.has({"reasoning", "thinking"})) return "output_reasoning";
  if (words.has({"output", "completion", "response"}))
    return words.has({"audio"}) ? "output_audio" : std::string(class_output);
  if (words.has({"web"}) && words.has({"search", "searches"})) return "web_searches";
  if (words.has({"image", "images"})) return "images";
  if (words.has({"token", "tokens"})) return std::string(class_tokens);
  return {};
}

std::string tier_in(const Words& words) {
  for (const std::string_view tier : {"batch", "flex", "priority", "provisioned"})
    if (words.has({tier})) return std::string(tier);
  return {};
}

}  // namespace

std::string tier_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> known = {{
      {"default", "standard"},
      {"on_demand", "standard"},
      {"priority_on_demand", "priority"},
      {"flex_discount", "flex"},
      {"scale", "provisioned"},
      {"reserved", "provisioned"},
      {"auto", "standard"},
      {"on-demand", "standard"},
  }};
  auto text = lower(name);
  for (const auto& [theirs, ours] : known)
    if (theirs == text) return std::string(ours);
  return text;
}

std::optional<int64_t> context_above_of(std::string_view window) {
  auto text = lower(trimmed(window));
  if (!text.empty() && text[0] == '>') text.erase(0, 1);
  int64_t number = 0;
  size_t at = 0;
  for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at) {
    if (number > 1'000'000'000) return std::nullopt;
    number = number * 10 + (text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  if (at < text.size() && text[at] == 'k') number *= 1'000;
  if (at < text.size() && text[at] == 'm') number *= 1'000'000;
  return number;
}

SkuWords usage_type_words(std::string_view usage_type) {
  SkuWords words;
  // "USE1-", "EUC1-", "APN1-": the region.
  const auto dash = usage_type.find('-');
  const auto prefix = usage_type.substr(0, dash);
  const bool region = dash != std::string_view::npos && prefix.size() >= 3 && prefix.size() <= 5 &&
                      std::all_of(prefix.begin(), prefix.end(), [](char c) {
                        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
                      });
  if (region) usage_type.remove_prefix(dash + 1);
  // The model's name ends where the words of the kind of usage begin.
  static constexpr std::array<std::string_view, 12> kinds = {
      "input", "output",   "cache",       "cached", "mantle", "batch",
      "flex",  "priority", "provisioned", "cross",  "text",   "tokens"};
  size_t begin = 0;
  while (begin < usage_type.size()) {
    const auto end = std::min(usage_type.find('-', begin), usage_type.size());
    const auto part = lower(usage_type.substr(begin, end - begin));
    if (begin > 0 && std::find(kinds.begin(), kinds.end(), part) != kinds.end()) break;
    begin = end + 1;
  }
  begin = std::min(begin, usage_type.size() + 1);
  if (begin > usage_type.size()) return words;  // no kind of usage that we know
  words.model = std::string(usage_type.substr(0, begin - 1));
  const Words kind(usage_type.substr(begin));
  words.token_class = class_of(kind);
  words.service_tier = tier_in(kind);
  if (words.service_tier.empty() && !words.token_class.empty()) words.service_tier = "standard";
  return words;
}

SkuWords line_item_words(std::string_view line_item) {
  SkuWords found;
  std::string_view kind = line_item;
  if (const auto bar = line_item.find('|'); bar != std::string_view::npos) {
    kind = trimmed(line_item.substr(0, bar));
    found.model = std::string(trimmed(line_item.substr(bar + 1)));
  } else if (const auto comma = line_item.rfind(", "); comma != std::string_view::npos) {
    found.model = std::string(trimmed(line_item.substr(0, comma)));
    kind = trimmed(line_item.substr(comma + 2));
  }
  const Words words(kind);
  found.token_class = class_of(words);
  found.service_tier = tier_in(words);
  if (found.token_class.empty()) found.model.clear();
  return found;
}

std::optional<PricingUnit> pricing_unit_of(std::string_view text) {
  const auto plain = lower(trimmed(text));
  PricingUnit unit;
  size_t at = 0;
  int64_t number = 0;
  for (; at < plain.size() && std::isdigit(static_cast<unsigned char>(plain[at])) != 0; ++at) {
    if (number > 1'000'000'000'000) return std::nullopt;
    number = number * 10 + (plain[at] - '0');
  }
  if (at != 0) unit.units = number;
  if (unit.units <= 0) return std::nullopt;
  auto rest = plain.substr(at);
  if (at != 0 && !rest.empty() && (rest[0] == 'k' || rest[0] == 'm')) {
    unit.units *= rest[0] == 'k' ? 1'000 : 1'000'000;
    rest.erase(0, 1);
  }
  const auto words = words_of(rest);
  unit.is_tokens = std::any_of(words.begin(), words.end(), [](const auto& word) {
    return word == "tokens" || word == "token";
  });
  unit.is_hours = words.size() <= 2 && !words.empty() &&
                  (words.back() == "hours" || words.back() == "hrs" || words.back() == "hour");
  if (unit.is_hours) {
    if (unit.units > 1'000'000) return std::nullopt;
    unit.units *= compute_us_per_hour;
  }
  return unit;
}

}  // namespace gauger::billing
