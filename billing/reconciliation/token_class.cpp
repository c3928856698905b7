#include "billing/reconciliation/token_class.h"

#include <array>
#include <utility>

namespace gauger::billing {

std::string_view wider_class(std::string_view token_class) {
  using Pair = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Pair, 12> wider = {
      Pair{"input", "tokens"},           {"output", "tokens"},
      {"input_uncached", "input"},       {"cache_read", "input"},
      {"cache_write", "input"},          {"input_audio", "input"},
      {"input_image", "input"},          {"cache_write_5m", "cache_write"},
      {"cache_write_1h", "cache_write"}, {"output_text", "output"},
      {"output_audio", "output"},        {"output_reasoning", "output_text"},
  };
  for (const auto& [narrow, wide] : wider)
    if (narrow == token_class) return wide;
  return token_class == class_everything ? std::string_view() : class_everything;
}

bool is_input_class(std::string_view token_class) {
  for (; !token_class.empty(); token_class = wider_class(token_class))
    if (token_class == class_input) return true;
  return false;
}

std::string_view told_class(std::string_view token_class,
                            const std::function<bool(std::string_view)>& is_told) {
  for (auto at = token_class; !at.empty(); at = wider_class(at))
    if (is_told(at)) return at;
  return token_class;
}

}  // namespace gauger::billing
