// Token classes: how finely a statement tells what was used. The meters of the ledger are the
// leaves; a statement may speak of `output` where the ledger knows text and reasoning:
//
//   tokens
//     input:  input_uncached, cache_read, cache_write (cache_write_5m, cache_write_1h),
//             input_audio, input_image
//     output: output_text (with output_reasoning), output_audio
//
// Anything else (web_searches, images, compute_us, counted extras) stands alone. A report that is
// not broken down speaks of `everything`, which holds all of them. Pure.
#pragma once

#include <functional>
#include <string_view>

namespace gauger::billing {

inline constexpr std::string_view class_everything = "everything";
inline constexpr std::string_view class_tokens = "tokens";
inline constexpr std::string_view class_input = "input";
inline constexpr std::string_view class_output = "output";
inline constexpr std::string_view class_cache_write = "cache_write";

// The class that holds this one; empty at the top.
std::string_view wider_class(std::string_view token_class);
bool is_input_class(std::string_view token_class);

// The narrowest class around `token_class`, itself included, that `is_told` accepts; itself where
// there is none.
std::string_view told_class(std::string_view token_class,
                            const std::function<bool(std::string_view)>& is_told);

}  // namespace gauger::billing
