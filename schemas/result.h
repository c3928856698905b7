// Result<T>: a value, or an Error that callers can act on (code) and people can read
// (sentence). Every fallible function of Gauger returns one; exceptions of libraries are
// caught at the call. The only place that names Boost.Outcome.
//
//   Result<Price> parse_price(std::string_view text);
//   ...
//   TRY(auto price, parse_price(text));   // returns the error to our caller
//   TRY(store.sync());                    // the same, for Result<void>
#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gauger {

enum class ErrorCode : uint8_t {
  invalid_argument,  // a flag, field, file or document that cannot be meant: exit code 2
  not_found,
  conflict,      // the same key with other content; a document that overlaps another
  refused,       // understood, but the state of the ledger forbids it
  corruption,    // stored bytes are damaged
  newer_format,  // written by a newer Gauger
  io,            // disk or network failed
  unavailable,   // locked by another process, broker away: may work later
  overflow,      // an exact result does not fit
};

// The stable name used in JSON and logs, e.g. "invalid_argument".
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string sentence;
};

template <class T>
using Result = boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;

inline auto success() { return boost::outcome_v2::success(); }

inline Error invalid_argument(std::string sentence) {
  return {ErrorCode::invalid_argument, std::move(sentence)};
}
inline Error corruption(std::string sentence) {
  return {ErrorCode::corruption, std::move(sentence)};
}
inline Error io_error(std::string sentence) { return {ErrorCode::io, std::move(sentence)}; }

}  // namespace gauger

#define TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
