#include "billing/reconciliation/statements/report_pages.h"

#include <algorithm>

#include "billing/reconciliation/exact_number.h"

namespace gauger::billing {
namespace {

bool same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.members.size() != b.members.size())
    return false;
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!same(a.items[i], b.items[i])) return false;
  for (size_t i = 0; i < a.members.size(); ++i)
    if (a.members[i].name != b.members[i].name || !same(a.members[i].value, b.members[i].value))
      return false;
  return true;
}

// RFC 3339 or Unix seconds, as the two providers write them.
Result<Instant> instant_of(std::string_view file, const Node& node) {
  if (node.quoted) return read_instant(file, node);
  // 9999-12-31.
  TRY(const auto seconds, read_integer(file, node, 0, 253'402'300'799));
  return Instant{std::chrono::seconds{seconds}};
}

const Node* first_of(const Node& node, std::string_view a, std::string_view b) {
  const auto* found = node.find(a);
  return found != nullptr ? found : node.find(b);
}

}  // namespace

std::string_view text_at(const Node& node, std::string_view name) {
  const auto* found = node.find(name);
  return found == nullptr || found->kind != Node::Kind::scalar ? std::string_view() : found->text;
}

Result<std::optional<Rational>> count_at(std::string_view file, const Node& node,
                                         std::string_view name) {
  const auto* found = node.find(name);
  if (found == nullptr || found->kind == Node::Kind::null) return std::optional<Rational>();
  if (found->kind != Node::Kind::scalar)
    return document_error(file, 0, "'" + std::string(name) + "' is a number");
  const auto count = read_exact(found->text);
  if (!count.has_value())
    return document_error(file, 0, "'" + std::string(name) + "': " + count.error().sentence);
  return std::optional(count.value());
}

Result<void> ReportPages::read(std::span<const ReportFile> files, const ReadOptions& options,
                               Statement& statement) {
  for (const auto& file : files) {
    TRY(auto root, parse_json(file.bytes, file.name));
    roots_.push_back(std::move(root));
    const auto& page = roots_.back();
    if (page.kind == Node::Kind::list) {
      for (const auto& item : page.items) {
        TRY(add_page(file.name, item, options));
      }
    } else {
      TRY(add_page(file.name, page, options));
    }
  }
  TRY(join());
  cover(options.zone, statement.coverage);
  if (!next_page_.empty() &&
      (buckets_.empty() || buckets_.back().interval.from <= next_page_after_))
    statement.notes.push_back("the report goes on at page " + next_page_ +
                              ", which was not given: only the days of these pages are covered");
  return success();
}

Result<void> ReportPages::add_page(std::string_view file, const Node& page,
                                   const ReadOptions& options) {
  if (page.kind != Node::Kind::map) return document_error(file, 0, "a page is an object");
  const auto* data = page.find("data");
  if (data == nullptr && page.find("results") != nullptr) return add_bucket(file, page, options);
  if (data == nullptr) {
    // Results by name, without a bucket.
    Node results;
    results.kind = Node::Kind::list;
    for (const auto& member : page.members)
      if (member.value.kind == Node::Kind::map) results.items.push_back(member.value);
    if (results.items.empty() || text_at(results.items.front(), "object").empty())
      return document_error(file, 0, "a page of a report has a list named 'data'");
    if (!options.days) return document_error(file, 0, "these results name no days: say --period");
    made_.push_back(std::move(results));
    buckets_.push_back(
        {{options.zone.day_begin(options.days->from), options.zone.day_begin(options.days->until)},
         *options.days,
         &made_.back(),
         file});
    return success();
  }
  if (data->kind != Node::Kind::list) return document_error(file, 0, "'data' is a list of buckets");
  auto latest = Instant::min();
  for (const auto& bucket : data->items) {
    TRY(add_bucket(file, bucket, options));
    latest = std::max(latest, buckets_.back().interval.from);
  }
  const auto next = text_at(page, "has_more") == "true" ? text_at(page, "next_page") : "";
  if (latest >= next_page_after_) {
    next_page_after_ = latest;
    next_page_ = next;
  }
  return success();
}

Result<void> ReportPages::add_bucket(std::string_view file, const Node& node,
                                     const ReadOptions& options) {
  ReportBucket bucket;
  bucket.file = file;
  bucket.results = node.find("results");
  const auto* from = first_of(node, "starting_at", "start_time");
  const auto* until = first_of(node, "ending_at", "end_time");
  if (bucket.results == nullptr || bucket.results->kind != Node::Kind::list || from == nullptr ||
      until == nullptr)
    return document_error(file, 0, "a bucket has a start, an end and a list of results");
  TRY(bucket.interval.from, instant_of(file, *from));
  TRY(bucket.interval.until, instant_of(file, *until));
  const auto day = options.zone.local_day(bucket.interval.from);
  bucket.days = {day, day + 1};
  if (bucket.interval.from >= bucket.interval.until ||
      bucket.interval.until > options.zone.day_begin(day + 1))
    return document_error(file, 0,
                          "the bucket from " + format_instant(bucket.interval.from) + " to " +
                              format_instant(bucket.interval.until) + " is no day of " +
                              options.zone.name() + ", nor a part of one");
  buckets_.push_back(bucket);
  return success();
}

Result<void> ReportPages::join() {
  std::stable_sort(buckets_.begin(), buckets_.end(),
                   [](const auto& a, const auto& b) { return a.interval.from < b.interval.from; });
  std::vector<ReportBucket> joined;
  for (const auto& bucket : buckets_) {
    if (!joined.empty() && bucket.interval.from < joined.back().interval.until) {
      const auto& before = joined.back();
      if (bucket.interval == before.interval && same(*bucket.results, *before.results)) continue;
      return Error{ErrorCode::conflict, "the bucket of " + format_instant(bucket.interval.from) +
                                            " in " + std::string(bucket.file) +
                                            " is not the one in " + std::string(before.file) +
                                            ": pages of two reports, or of two versions of one"};
    }
    joined.push_back(bucket);
  }
  buckets_ = std::move(joined);
  return success();
}

void ReportPages::cover(const TimeZone& zone, Coverage& coverage) const {
  for (size_t i = 0; i < buckets_.size();) {
    auto whole = buckets_[i].interval;
    for (++i; i < buckets_.size() && buckets_[i].interval.from == whole.until; ++i)
      whole.until = buckets_[i].interval.until;
    auto from = zone.local_day(whole.from);
    if (zone.day_begin(from) < whole.from) ++from;
    coverage.add({from, zone.local_day(whole.until)});
  }
}

Result<void> ReportPages::each(const Visit& visit) const {
  for (const auto& bucket : buckets_)
    for (const auto& result : bucket.results->items) {
      if (result.kind != Node::Kind::map)
        return document_error(bucket.file, 0, "a result is an object");
      TRY(visit(bucket, result));
    }
  return success();
}

}  // namespace gauger::billing
