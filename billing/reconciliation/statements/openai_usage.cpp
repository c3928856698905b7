// OpenAI's usage reports: quantities only. Input counts what was cached and written to the cache,
// and audio and images count inside both; here they become disjoint, and parts that exceed their
// whole are refused with both numbers.
#include <algorithm>
#include <array>
#include <utility>

#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/report_pages.h"
#include "billing/reconciliation/statements/words.h"

namespace gauger::billing {
namespace {

class ResultReader {
 public:
  ResultReader(const ReportBucket& bucket, const Node& result, Statement& statement)
      : bucket_(bucket), result_(result), statement_(statement) {}

  Result<void> read() {
    auto& texts = statement_.texts;
    like_.days = bucket_.days;
    like_.account = texts.id_of(text_at(result_, "project_id"));
    like_.api_key = texts.id_of(text_at(result_, "api_key_id"));
    like_.model = texts.id_of(text_at(result_, "model"));
    const auto tier = text_at(result_, "service_tier");
    if (text_at(result_, "batch") == "true")
      like_.service_tier = texts.id_of("batch");
    else if (!tier.empty())
      like_.service_tier = texts.id_of(tier_of(tier));
    if (result_.find("input_tokens") != nullptr) {
      TRY(read_input());
      TRY(read_output());
    }
    return read_others();
  }

 private:
  Result<Rational> count(std::string_view name) const {
    TRY(const auto found, count_at(bucket_.file, result_, name));
    return found.value_or(Rational());
  }

  Result<void> read_input() {
    TRY(const auto all, count("input_tokens"));
    TRY(const auto cached, count("input_cached_tokens"));
    TRY(const auto written, count("input_cache_write_tokens"));
    TRY(const auto audio, count("input_audio_tokens"));
    TRY(const auto image, count("input_image_tokens"));
    const auto uncached = all - cached - written;
    TRY(const auto stated, count_at(bucket_.file, result_, "input_uncached_tokens"));
    if (stated && *stated != uncached)
      return disagree("input_uncached_tokens", *stated, "input_tokens less what was cached",
                      uncached);
    const auto text = uncached - audio - image;
    if (text.is_negative())
      return disagree("audio and image", audio + image, "input_uncached_tokens", uncached);
    add("input_uncached", text);
    add("cache_read", cached);
    add("cache_write", written);
    add("input_audio", audio);
    add("input_image", image);
    return success();
  }

  Result<void> read_output() {
    TRY(const auto all, count("output_tokens"));
    TRY(const auto audio, count("output_audio_tokens"));
    TRY(const auto image, count("output_image_tokens"));
    const auto text = all - audio - image;
    TRY(const auto stated, count_at(bucket_.file, result_, "output_text_tokens"));
    if (text.is_negative() || (stated && *stated > all))
      return disagree("audio and image", audio + image, "output_tokens", all);
    add("output_text", text);
    add("output_audio", audio);
    add("output_image", image);
    return success();
  }

  // What is no token: counted extras, by name.
  Result<void> read_others() {
    using Name = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Name, 6> names = {Name{"characters", "characters"},
                                                  {"seconds", "audio_seconds"},
                                                  {"images", "images"},
                                                  {"num_sessions", "code_sessions"},
                                                  {"usage_bytes", "vector_store_bytes"},
                                                  {"num_requests", ""}};
    for (const auto& [theirs, ours] : names) {
      TRY(const auto found, count(theirs));
      const auto object = text_at(result_, "object");
      const bool web = object.find("web_search") != std::string_view::npos;
      add(!ours.empty() ? ours : web ? "web_searches" : "file_searches", found);
    }
    return success();
  }

  void add(std::string_view token_class, const Rational& quantity) {
    if (quantity.is_zero()) return;
    auto line = like_;
    line.token_class = statement_.texts.id_of(token_class);
    line.has_quantity = true;
    line.quantity = quantity;
    statement_.lines.push_back(line);
  }

  Error disagree(std::string_view part, const Rational& a, std::string_view whole,
                 const Rational& b) const {
    return document_error(bucket_.file, 0,
                          "in the bucket of " + format_instant(bucket_.interval.from) + " " +
                              std::string(part) + " is " + exact_text(a) + ", but " +
                              std::string(whole) + " is " + exact_text(b));
  }

  const ReportBucket& bucket_;
  const Node& result_;
  Statement& statement_;
  StatementLine like_;
};

}  // namespace

Result<void> read_openai_usage(Files files, const ReadOptions& options, Statement& statement) {
  ReportPages pages;
  TRY(pages.read(files, options, statement));
  bool completions = false;
  int64_t costs = 0;
  TRY(pages.each([&](const ReportBucket& bucket, const Node& result) -> Result<void> {
    if (result.find("amount") != nullptr) {
      ++costs;
      return success();
    }
    completions = completions || result.find("output_tokens") != nullptr;
    return ResultReader(bucket, result, statement).read();
  }));
  // A report of completions says nothing of images or searches, and the other way round.
  if (completions)
    statement.coverage.token_classes = {"input_uncached", "cache_read",  "cache_write",
                                        "input_audio",    "input_image", "output_text",
                                        "output_audio",   "output_image"};
  for (const auto& line : statement.lines) {
    const auto name = std::string(statement.texts.text(line.token_class));
    auto& classes = statement.coverage.token_classes;
    if (std::find(classes.begin(), classes.end(), name) == classes.end()) classes.push_back(name);
  }
  if (costs != 0)
    statement.notes.push_back(std::to_string(costs) +
                              " results are costs; --format openai_costs reads them");
  return success();
}

}  // namespace gauger::billing
