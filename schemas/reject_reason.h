// Why a record went to quarantine instead of being counted. Stored on disk by number: append
// only, never renumber. The names are what `gauger quarantine list` and the metrics say.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gauger {

enum class RejectReason : uint8_t {
  none = 0,
  undecodable = 1,  // not the format it claims to be
  record_too_large = 2,
  missing_identity = 3,  // no source or no id
  identity_too_long = 4,
  text_too_long = 5,  // another string over its limit
  invalid_text = 6,   // not UTF-8
  missing_field = 7,  // provider, model or completed_at of a usage event
  negative_count = 8,
  count_too_large = 9,   // over the limit of one event, or of the ledger's total
  totals_disagree = 10,  // the parts do not add up to the stated total
  unknown_enum = 11,
  unknown_field = 12,  // a JSON key that the schema does not have
  newer_schema = 13,   // a must-understand field that this version does not know
  invalid_time = 14,   // not a time, or completed before started
  too_old = 15,        // before the admission window: use --backfill
  in_future = 16,      // more than 5 minutes ahead of the ledger's clock
  too_many_extras = 17,
  target_not_usage = 18,  // retracts a retraction, or an outcome of one
  conflict = 19,          // a known identity with other content; the first one stands
  dictionary_full = 20,   // the ledger holds as many distinct names as it may
  unmapped = 21,          // an adapter's record that no mapping rule can read
};

inline constexpr std::array<std::string_view, 22> reject_reason_names = {"none",
                                                                         "undecodable",
                                                                         "record_too_large",
                                                                         "missing_identity",
                                                                         "identity_too_long",
                                                                         "text_too_long",
                                                                         "invalid_text",
                                                                         "missing_field",
                                                                         "negative_count",
                                                                         "count_too_large",
                                                                         "totals_disagree",
                                                                         "unknown_enum",
                                                                         "unknown_field",
                                                                         "newer_schema",
                                                                         "invalid_time",
                                                                         "too_old",
                                                                         "in_future",
                                                                         "too_many_extras",
                                                                         "target_not_usage",
                                                                         "conflict",
                                                                         "dictionary_full",
                                                                         "unmapped"};

constexpr std::string_view to_string(RejectReason reason) {
  return reject_reason_names[static_cast<size_t>(reason)];
}

}  // namespace gauger
