// LiteLLM spend-log rows as JSON: one row, a list, or {"data": [...]}. LiteLLM counts every
// provider's way: prompt tokens include cache reads and writes. metadata.usage_object, where it
// is logged, splits them. A row that LiteLLM answered from its own cache reached no provider: it
// counts as a request of no tokens, and what it would have used as the extra gateway_cached_tokens.
#include <fmt/format.h>

#include "ingest/formats/adapters.h"
#include "ingest/formats/envelope.h"
#include "ingest/formats/json_records.h"
#include "ingest/formats/response.h"
#include "ingest/numbers.h"

namespace gauger::ingest {
namespace {

class LiteLlmDecoder final : public Decoder {
 public:
  explicit LiteLlmDecoder(const DecoderOptions& options) : options_(options) {}

  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    memory_.clear();
    headers_ = headers;
    const auto root = parse_record(parser_, record, sink);
    if (!root) return;
    dom::array rows;
    dom::object object;
    if (root->get_object().get(object) == simdjson::SUCCESS) {
      const auto data = array_at(object, "data");
      if (!data || find_member(object, "request_id")) return decode_row(*root, record, sink);
      rows = *data;
    } else if (root->get_array().get(rows) != simdjson::SUCCESS) {
      return sink.reject(RejectReason::undecodable, "a spend-log row is a JSON object", record);
    }
    for (const auto row : rows) decode_row(row, memory_.keep(simdjson::to_string(row)), sink);
  }

 private:
  RejectReason refuse(RejectReason reason, std::string sentence) {
    detail_ = std::move(sentence);
    return reason;
  }

  void decode_row(dom::element element, std::string_view part, EventSink& sink) {
    dom::object row;
    if (element.get_object().get(row) != simdjson::SUCCESS)
      return sink.reject(RejectReason::undecodable, "a spend-log row is a JSON object", part);
    UsageEvent event;
    auto reason = read_row(row, event);
    if (reason == RejectReason::none) reason = check(event, detail_);
    if (reason != RejectReason::none) return sink.reject(reason, detail_, part);
    memory_.keep_texts(event);
    sink.accept(event);
  }

  RejectReason read_row(dom::object row, UsageEvent& event) {
    event.source = options_.source.empty() ? std::string_view("litellm") : options_.source;
    event.id = text_at(row, "request_id");
    event.provider = text_at(row, "custom_llm_provider");
    event.model = model_of(row, event.provider);
    event.agent_session = text_at(row, "session_id");
    for (const auto& [key, into] :
         {std::pair{"startTime", &event.started_at}, std::pair{"endTime", &event.completed_at}})
      if (const auto reason = read_time(row, key, *into); reason != RejectReason::none)
        return reason;
    const auto metadata = object_of(row, "metadata", metadata_parser_);
    if (metadata) take_text(*metadata, "user_api_key_team_alias", event.team);
    if (event.team.empty()) event.team = text_at(row, "team_id");
    if (const auto reason = read_usage(row, metadata, event); reason != RejectReason::none)
      return reason;
    apply_defaults(options_, event);
    return attribute(row, event);
  }

  // LiteLLM's own name may lead with the provider's.
  static std::string_view model_of(dom::object row, std::string_view provider) {
    auto model = text_at(row, "model");
    if (!provider.empty() && model.size() > provider.size() + 1 && model.starts_with(provider) &&
        model[provider.size()] == '/')
      model.remove_prefix(provider.size() + 1);
    return model;
  }

  RejectReason read_time(dom::object row, std::string_view key, Instant& into) {
    const auto text = text_at(row, key);
    if (text.empty()) return RejectReason::none;
    into = parse_loose_timestamp(text);
    if (into != no_instant) return RejectReason::none;
    return refuse(RejectReason::invalid_time, fmt::format("{} is '{}', no time", key, shown(text)));
  }

  // A member that some exports hold as a JSON text.
  static std::optional<dom::object> object_of(dom::object row, std::string_view key,
                                              dom::parser& parser) {
    if (const auto object = object_at(row, key)) return object;
    const auto text = text_at(row, key);
    dom::object object;
    if (text.empty() || parser.parse(text.data(), text.size()).get_object().get(object) != 0)
      return std::nullopt;
    return object;
  }

  RejectReason read_usage(dom::object row, const std::optional<dom::object>& metadata,
                          UsageEvent& event) {
    usage_.clear();
    disagreement_.clear();
    if (metadata)
      for (const auto* key : {"additional_usage_values", "usage_object"})
        if (const auto object = object_at(*metadata, key)) usage_.merge(*object);
    const CountTarget target{event, memory_, detail_};
    const auto prompt = total(row, "prompt_tokens");
    const auto completion = total(row, "completion_tokens");
    const auto all = total(row, "total_tokens");
    if (usage_.reason() != RejectReason::none) return refuse(usage_.reason(), usage_.detail());
    auto reason = RejectReason::none;
    if (text_at(row, "status") == "failure" && all.value_or(0) == 0)
      event.usage_source = UsageSource::missing;
    else if (is_cache_hit(row))
      reason = count_cache_hit(all, target);
    else
      reason = count(prompt, completion, all, target);
    if (reason == RejectReason::none && usage_.reason() != RejectReason::none)
      return refuse(usage_.reason(), usage_.detail());
    if (reason != RejectReason::none) return reason;
    if (event.usage_source == UsageSource::reported && !is_cache_hit(row))
      usage_.leave_extras(event, memory_);
    return RejectReason::none;
  }

  // A total of the row, which must be what the usage object says of it.
  std::optional<int64_t> total(dom::object row, std::string_view key) {
    const auto logged = usage_.take({key});
    const auto stated = integer_at(row, key);
    if (!logged || !stated || *logged == *stated) return stated ? stated : logged;
    disagreement_ =
        fmt::format("{} is {} in the row and {} in its usage object", key, *stated, *logged);
    return stated;
  }

  static bool is_cache_hit(dom::object row) {
    const auto hit = find_member(row, "cache_hit");
    bool flag = false;
    if (hit && hit->get_bool().get(flag) == simdjson::SUCCESS) return flag;
    const auto text = text_at(row, "cache_hit");
    return text == "True" || text == "true";
  }

  static RejectReason count_cache_hit(const std::optional<int64_t>& all,
                                      const CountTarget& target) {
    target.event.set(Meter::input_uncached, 0);
    target.event.set(Meter::output_text, 0);
    if (all.value_or(0) > 0) target.memory.add_extra(target.event, "gateway_cached_tokens", *all);
    return RejectReason::none;
  }

  RejectReason count(const std::optional<int64_t>& prompt, const std::optional<int64_t>& completion,
                     const std::optional<int64_t>& all, const CountTarget& target) {
    if (!disagreement_.empty())
      return refuse(RejectReason::totals_disagree, std::exchange(disagreement_, {}));
    if (!prompt && !completion)
      return refuse(RejectReason::missing_field, "neither prompt_tokens nor completion_tokens");
    auto reason =
        expect_total("total_tokens", all, prompt.value_or(0) + completion.value_or(0), target);
    if (reason == RejectReason::none && prompt) reason = count_input(*prompt, target);
    if (reason == RejectReason::none && completion) reason = count_output(*completion, target);
    return reason;
  }

  RejectReason count_input(int64_t prompt, const CountTarget& target) {
    const auto read =
        usage_.take({"cache_read_input_tokens", "prompt_tokens_details.cached_tokens"});
    const auto written =
        usage_.take({"cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens"});
    const auto hour =
        usage_.take({"prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
                     "cache_creation.ephemeral_1h_input_tokens"});
    const auto audio = usage_.take({"prompt_tokens_details.audio_tokens"});
    const auto image = usage_.take({"prompt_tokens_details.image_tokens"});
    usage_.ignore({"prompt_tokens_details.text_tokens",
                   "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
                   "cache_creation.ephemeral_5m_input_tokens"});
    int64_t minutes = 0;
    int64_t uncached = 0;
    auto reason = subtract({"cache_creation_input_tokens", written.value_or(hour.value_or(0))},
                           {hour.value_or(0)}, target, minutes);
    if (reason == RejectReason::none)
      reason = subtract(
          {"prompt_tokens", prompt},
          {read.value_or(0), minutes, hour.value_or(0), audio.value_or(0), image.value_or(0)},
          target, uncached);
    if (reason != RejectReason::none) return reason;
    target.event.set(Meter::input_uncached, uncached);
    target.set_if(Meter::cache_read, read);
    if (written) target.event.set(Meter::cache_write_5m, minutes);
    target.set_if(Meter::cache_write_1h, hour);
    target.set_if(Meter::input_audio, audio);
    target.set_if(Meter::input_image, image);
    target.event.input_total = prompt;
    return RejectReason::none;
  }

  RejectReason count_output(int64_t completion, const CountTarget& target) {
    const auto reasoning = usage_.take({"completion_tokens_details.reasoning_tokens"});
    const auto audio = usage_.take({"completion_tokens_details.audio_tokens"});
    const auto image = usage_.take({"completion_tokens_details.image_tokens"}).value_or(0);
    usage_.ignore({"completion_tokens_details.text_tokens",
                   "completion_tokens_details.accepted_prediction_tokens",
                   "completion_tokens_details.rejected_prediction_tokens"});
    int64_t text = 0;
    const auto reason = subtract({"completion_tokens", completion},
                                 {reasoning.value_or(0), audio.value_or(0), image}, target, text);
    if (reason != RejectReason::none) return reason;
    target.event.set(Meter::output_text, text);
    target.set_if(Meter::output_reasoning, reasoning);
    target.set_if(Meter::output_audio, audio);
    if (image > 0) target.memory.add_extra(target.event, "output_image", image);
    target.event.output_total = completion - image;
    target.set_if(Meter::web_searches, usage_.take({"server_tool_use.web_search_requests"}));
    return RejectReason::none;
  }

  RejectReason attribute(dom::object row, UsageEvent& event) {
    evidence_.clear();
    evidence_.push_back({"api_key", text_at(row, "api_key")});
    evidence_.push_back({"user", text_at(row, "user")});
    evidence_.push_back({"workspace", text_at(row, "organization_id")});
    if (const auto tags = list_of(row, "request_tags"))
      for (const auto tag : *tags) {
        std::string_view text;
        if (tag.get_string().get(text) == simdjson::SUCCESS) add_tag(text, memory_, evidence_);
      }
    add_transport_evidence(headers_, event, memory_, evidence_);
    attribution_of(options_).attribute(event, evidence_, memory_);
    return RejectReason::none;
  }

  std::optional<dom::array> list_of(dom::object row, std::string_view key) {
    if (const auto list = array_at(row, key)) return list;
    const auto text = text_at(row, key);
    dom::array list;
    if (text.empty() || tags_parser_.parse(text.data(), text.size()).get_array().get(list) != 0)
      return std::nullopt;
    return list;
  }

  DecoderOptions options_;
  dom::parser parser_;
  dom::parser metadata_parser_;
  dom::parser tags_parser_;
  UsageObject usage_;
  EventMemory memory_;
  std::vector<Evidence> evidence_;
  std::string detail_;
  std::string disagreement_;
  std::span<const RecordHeader> headers_;
};

}  // namespace

std::unique_ptr<Decoder> make_litellm_decoder(const DecoderOptions& options) {
  return std::make_unique<LiteLlmDecoder>(options);
}

}  // namespace gauger::ingest
