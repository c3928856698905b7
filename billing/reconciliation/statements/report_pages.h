// Reports of Anthropic and OpenAI: JSON pages of buckets, each with results. Pages are joined in
// the order of time; private to billing/reconciliation.
//
// A bucket that comes twice with the same content counts once; with other content it is refused as
// a conflict. A bucket that is no civil day of the statement's zone, or a part of one, is refused.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "billing/document.h"
#include "billing/reconciliation/statement_reader.h"

namespace gauger::billing {

struct ReportBucket {
  Interval interval;
  DayRange days;
  const Node* results = nullptr;  // a list
  std::string_view file;
};

// Reads the pages into buckets, puts the days they cover whole into the statement, and says so
// where the report goes on beyond them. A map of results without buckets (as an API's description
// shows them) is one bucket of options.days.
class ReportPages {
 public:
  Result<void> read(std::span<const ReportFile> files, const ReadOptions& options,
                    Statement& statement);
  // Each result of each bucket, in order.
  using Visit = std::function<Result<void>(const ReportBucket&, const Node&)>;
  Result<void> each(const Visit& visit) const;

 private:
  Result<void> add_page(std::string_view file, const Node& page, const ReadOptions& options);
  Result<void> add_bucket(std::string_view file, const Node& node, const ReadOptions& options);
  Result<void> join();
  void cover(const TimeZone& zone, Coverage& coverage) const;

  std::deque<Node> roots_;
  std::deque<Node> made_;  // results that came without a bucket
  std::vector<ReportBucket> buckets_;
  // Of the page whose buckets are the latest: the name of the one that follows it.
  Instant next_page_after_ = Instant::min();
  std::string next_page_;
};

// Text of a member; empty where it is absent or null.
std::string_view text_at(const Node& node, std::string_view name);
// A count that is absent or null is none.
Result<std::optional<Rational>> count_at(std::string_view file, const Node& node,
                                         std::string_view name);

}  // namespace gauger::billing
