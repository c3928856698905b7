#include "schemas/result.h"

namespace gauger {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::refused: return "refused";
    case ErrorCode::corruption: return "corruption";
    case ErrorCode::newer_format: return "newer_format";
    case ErrorCode::io: return "io";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::overflow: return "overflow";
  }
  return "unknown";
}

}  // namespace gauger
