#include "billing/quotas/quota_document.h"

#include <charconv>

#include "billing/document.h"
#include "schemas/money.h"

namespace gauger::billing {
namespace {

using ledger::Quota;
using ledger::QuotaMeasure;
using ledger::QuotaWindow;

constexpr size_t thresholds_max = 16;

Result<ledger::Filter> read_filter(std::string_view file, const Node::Member& member) {
  for (size_t i = 0; i < ledger::dimension_names.size(); ++i) {
    if (ledger::dimension_names[i] != member.name) continue;
    TRY(auto value, read_text(file, member.value, member.name));
    return ledger::Filter{static_cast<ledger::Dimension>(i), std::move(value)};
  }
  return document_error(file, member.line,
                        "'" + member.name + "' is not something usage is told apart by");
}

Result<void> read_scope(Fields& fields, Quota& quota) {
  const auto* scope = fields.optional("scope");
  if (scope == nullptr) return success();
  if (scope->kind != Node::Kind::map)
    return fields.error(*scope, "a scope is a map such as {team: search}");
  for (const auto& member : scope->members) {
    if (member.name == "model_tier") {
      TRY(quota.model_tier, read_text(fields.file(), member.value, member.name));
      continue;
    }
    TRY(auto filter, read_filter(fields.file(), member));
    quota.scope.push_back(std::move(filter));
  }
  return success();
}

Result<void> read_measure(Fields& fields, Quota& quota) {
  TRY(const auto name, fields.text("measure"));
  TRY(const auto* limit, fields.required("limit"));
  TRY(quota.currency, fields.text_or("currency", ""));
  if (name == "tokens") {
    quota.measure.kind = QuotaMeasure::Kind::tokens;
  } else if (name == "requests") {
    quota.measure.kind = QuotaMeasure::Kind::requests;
  } else if (name == "cost") {
    quota.measure.kind = QuotaMeasure::Kind::cost;
  } else if (const auto meter = find_meter(name)) {
    quota.measure = {QuotaMeasure::Kind::meter, *meter};
  } else {
    return fields.error("'measure: " + name + "' is not tokens, requests, cost or a meter");
  }
  const bool money = quota.measure.kind == QuotaMeasure::Kind::cost;
  if (money == quota.currency.empty())
    return fields.error(money ? "a quota of cost needs a 'currency'"
                              : "only a quota of cost has a 'currency'");
  TRY(quota.limit, read_decimal(fields.file(), *limit, money ? money_digits : 0));
  if (quota.limit < 0) return fields.error(*limit, "a limit is not below zero");
  return success();
}

// "90m", "24h", "7d".
Result<std::chrono::minutes> read_length(const Fields& fields, const Node& node) {
  TRY(const auto text, read_text(fields.file(), node, "rolling"));
  int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const auto unit = std::string_view(at, static_cast<size_t>(end - at));
  const int64_t minutes = unit == "m" ? 1 : unit == "h" ? 60 : unit == "d" ? 24 * 60 : 0;
  if (error != std::errc() || minutes == 0 || number < 1 || number > 100'000)
    return fields.error(node, "'" + text + "' is not a length such as 90m, 24h or 7d");
  return std::chrono::minutes{number * minutes};
}

Result<void> read_window(Fields& fields, Quota& quota) {
  const auto* rolling = fields.optional("rolling");
  const auto* window = fields.optional("window");
  TRY(const auto zone, fields.text_or("time_zone", "UTC"));
  if ((rolling == nullptr) == (window == nullptr))
    return fields.error("a quota has a 'window' (hour, day, week, month) or a 'rolling' length");
  if (rolling != nullptr) {
    quota.window.kind = QuotaWindow::Kind::rolling;
    TRY(quota.window.length, read_length(fields, *rolling));
    return success();
  }
  TRY(const auto name, read_text(fields.file(), *window, "window"));
  const auto kind = find_name<QuotaWindow::Kind>(ledger::quota_window_names, name);
  if (!kind || *kind == QuotaWindow::Kind::rolling)
    return fields.error(*window, "'" + name + "' is not hour, day, week or month");
  quota.window.kind = *kind;
  auto found = TimeZone::find(zone);
  if (!found) return fields.error(found.error().sentence);
  quota.window.zone = std::move(found.value());
  return success();
}

Result<void> read_modes(Fields& fields, Quota& quota) {
  TRY(const auto mode, fields.text_or("mode", "hard"));
  TRY(const auto failure, fields.text_or("failure", "deny"));
  const auto known_mode = find_name<ledger::QuotaMode>(ledger::quota_mode_names, mode);
  const auto known_failure = find_name<ledger::QuotaFailure>(ledger::quota_failure_names, failure);
  if (!known_mode) return fields.error("'mode: " + mode + "' is not hard, soft or shadow");
  if (!known_failure) return fields.error("'failure: " + failure + "' is not deny or allow");
  quota.mode = *known_mode;
  quota.failure = *known_failure;
  TRY(const auto thresholds, fields.list("warn_percent"));
  if (thresholds.size() > thresholds_max)
    return fields.error("a quota warns at " + std::to_string(thresholds_max) +
                        " thresholds at most");
  for (const auto& node : thresholds) {
    TRY(const auto percent, read_integer(fields.file(), node, 1, 1000));
    quota.warn_percent.push_back(static_cast<int>(percent));
  }
  return success();
}

}  // namespace

Result<Quota> parse_quota(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  TRY(auto fields, Fields::of(file, root, "a quota"));
  TRY(const auto kind, fields.text("kind"));
  if (kind != "quota") return fields.error("'kind: " + kind + "' is not a quota");
  Quota quota;
  TRY(quota.id, fields.text("id"));
  TRY(read_scope(fields, quota));
  TRY(read_measure(fields, quota));
  TRY(read_window(fields, quota));
  TRY(read_modes(fields, quota));
  TRY(fields.finish());
  return quota;
}

std::string format_amount(const QuotaMeasure& measure, Int128 amount) {
  return measure.kind == QuotaMeasure::Kind::cost ? format_decimal(amount, money_digits, 2)
                                                  : to_string(amount);
}

}  // namespace gauger::billing
