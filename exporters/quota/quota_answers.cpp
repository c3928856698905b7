#include "exporters/quota/quota_answers.h"

#include "billing/quotas/quota_document.h"
#include "billing/text_table.h"

namespace gauger::exporters {
namespace {

using billing::format_amount;
using billing::JsonValue;
using ledger::Quota;

billing::TextTable table_of(const std::vector<ledger::QuotaAnswer>& answers) {
  using billing::Align;
  billing::TextTable table({{"quota"},
                            {"measure"},
                            {"mode"},
                            {"limit", Align::right},
                            {"used", Align::right},
                            {"held", Align::right},
                            {"overrun", Align::right},
                            {"resets at"}});
  for (const auto& answer : answers)
    table.add({answer.quota, to_string(answer.measure),
               std::string(ledger::quota_mode_names[static_cast<size_t>(answer.mode)]),
               format_amount(answer.measure, answer.limit),
               format_amount(answer.measure, answer.used),
               format_amount(answer.measure, answer.held),
               format_amount(answer.measure, answer.overrun), format_instant(answer.resets_at)});
  return table;
}

}  // namespace

Result<std::vector<Quota>> read_quotas(const ledger::Documents& documents,
                                       const std::vector<std::string>& name_spaces) {
  std::vector<Quota> quotas;
  for (const auto& name_space : name_spaces) {
    TRY(const auto versions, documents.list(name_space, quota_kind));
    for (const auto& version : versions) {
      if (version.content_bytes == 0) continue;
      TRY(const auto stored, documents.read(version));
      TRY(auto quota, billing::parse_quota(stored.content, "quota " + version.key.id));
      quota.name_space = name_space;
      quotas.push_back(std::move(quota));
    }
  }
  return quotas;
}

JsonValue quota_json(const Quota& quota) {
  JsonValue json;
  json["id"] = quota.id;
  json["kind"] = quota_kind;
  json["scope"] = JsonValue();
  for (const auto& filter : quota.scope)
    json["scope"][ledger::dimension_names[static_cast<size_t>(filter.dimension)]] = filter.value;
  if (!quota.model_tier.empty()) json["scope"]["model_tier"] = quota.model_tier;
  json["measure"] = to_string(quota.measure);
  json["limit"] = format_amount(quota.measure, quota.limit);
  if (!quota.currency.empty()) json["currency"] = quota.currency;
  const auto& window = quota.window;
  if (window.kind == ledger::QuotaWindow::Kind::rolling) {
    json["rolling"] = std::to_string(window.length.count()) + "m";
  } else {
    json["window"] = ledger::quota_window_names[static_cast<size_t>(window.kind)];
    json["time_zone"] = window.zone.name();
  }
  json["mode"] = ledger::quota_mode_names[static_cast<size_t>(quota.mode)];
  json["failure"] = ledger::quota_failure_names[static_cast<size_t>(quota.failure)];
  json["warn_percent"] = JsonValue::Array();
  for (const auto percent : quota.warn_percent) json["warn_percent"].push_back(int64_t{percent});
  return json;
}

JsonValue answer_json(const ledger::QuotaAnswer& answer) {
  JsonValue json;
  const auto& measure = answer.measure;
  json["quota"] = answer.quota;
  json["measure"] = to_string(measure);
  json["mode"] = ledger::quota_mode_names[static_cast<size_t>(answer.mode)];
  json["limit"] = format_amount(measure, answer.limit);
  json["used"] = format_amount(measure, answer.used);
  json["held"] = format_amount(measure, answer.held);
  json["overrun"] = format_amount(measure, answer.overrun);
  json["requested"] = format_amount(measure, answer.requested);
  json["unpriced"] = answer.unpriced;
  json["exceeded"] = answer.exceeded;
  json["warn_percent"] = int64_t{answer.warn_percent};
  json["window_from"] = format_instant(answer.window_from);
  json["resets_at"] = format_instant(answer.resets_at);
  return json;
}

std::string decision_text(const ledger::QuotaDecision& decision) {
  std::string out;
  out.reserve(96 + 384 * decision.answers.size());
  const auto put = [&](std::string_view name, std::string_view text) {
    out.append(",\"").append(name).append("\":");
    out.append("\"").append(text).append("\"");
  };
  const auto put_plain = [&](std::string_view name, std::string_view text) {
    out.append(",\"").append(name).append("\":").append(text);
  };
  const auto truth = [](bool value) { return std::string_view(value ? "true" : "false"); };
  out.append("{\"allowed\":").append(truth(decision.allowed));
  put_plain("as_of_sequence", std::to_string(decision.as_of_sequence));
  out += ",\"quotas\":[";
  for (const auto& answer : decision.answers) {
    const auto& measure = answer.measure;
    if (&answer != &decision.answers.front()) out += ',';
    out.append("{\"exceeded\":").append(truth(answer.exceeded));
    put("held", format_amount(measure, answer.held));
    put("limit", format_amount(measure, answer.limit));
    put("measure", to_string(measure));
    put("mode", ledger::quota_mode_names[static_cast<size_t>(answer.mode)]);
    put("overrun", format_amount(measure, answer.overrun));
    put_plain("quota", JsonValue(answer.quota).canonical());  // the only text that needs escapes
    put("requested", format_amount(measure, answer.requested));
    put("resets_at", format_instant(answer.resets_at));
    put_plain("unpriced", truth(answer.unpriced));
    put("used", format_amount(measure, answer.used));
    put_plain("warn_percent", std::to_string(answer.warn_percent));
    put("window_from", format_instant(answer.window_from));
    out += '}';
  }
  return out += "]}";
}

JsonValue decision_json(const ledger::QuotaDecision& decision) {
  JsonValue json;
  json["allowed"] = decision.allowed;
  json["as_of_sequence"] = static_cast<int64_t>(decision.as_of_sequence);
  json["quotas"] = JsonValue::Array();
  for (const auto& answer : decision.answers) json["quotas"].push_back(answer_json(answer));
  return json;
}

std::string quotas_table(const std::vector<ledger::QuotaAnswer>& answers) {
  return table_of(answers).text();
}
std::string quotas_csv(const std::vector<ledger::QuotaAnswer>& answers) {
  return table_of(answers).csv();
}

}  // namespace gauger::exporters
