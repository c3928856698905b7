// What the ledger answers, held against the model.
#include "ledger/documents.h"
#include "ledger/store.h"
#include "tests/faults/answers.h"
#include "tests/simulation/world.h"

namespace gauger::simulation {
namespace {

std::string counts_text(const std::array<uint64_t, ledger::disposition_count>& counts) {
  std::string text;
  for (size_t i = 0; i < counts.size(); ++i)
    text += std::string(i == 0 ? "" : ", ") + std::string(ledger::disposition_names[i]) + ' ' +
            std::to_string(counts[i]);
  return text;
}

ledger::UsageQuery everything() {
  ledger::UsageQuery query;
  query.interval = {parse_instant("2026-01-01").value(), parse_instant("2028-01-01").value()};
  return query;
}

}  // namespace

void World::check_all() {
  check_usage();
  check_records();
  check_quota();
  read_invoices();
  check_invoices();
}

void World::check_usage() {
  auto query = everything();
  query.group =
      ledger::mask_of(ledger::Dimension::team) | ledger::mask_of(ledger::Dimension::outcome);
  const auto usage = ledger_->usage(query);
  require(usage.has_value(), usage ? "" : "asking for usage: " + usage.error().sentence);
  auto expected = model_.sums();
  for (const auto& row : usage.value().rows) {
    const auto& key = usage.value().key(row);
    const auto team = std::string(usage.value().text(key.team));
    const auto name =
        "usage of " + team + " with outcome " + std::string(gauger::to_string(key.outcome));
    auto& [requests, input] = expected[{team, static_cast<int>(key.outcome)}];
    require(row.requests == requests && row.counts[0] == input,
            name + " is " + std::to_string(row.requests) + " requests and " +
                std::to_string(row.counts[0]) + " tokens, and should be " +
                std::to_string(requests) + " and " + std::to_string(input));
    requests = input = 0;
  }
  for (const auto& [key, sums] : expected)
    require(sums.first == 0 && sums.second == 0, "usage of " + key.first + " is missing");
}

void World::check_records() {
  const auto status = ledger_->status();
  require(status.head.records == model_.records, "records are " + counts_text(status.head.records) +
                                                     ", and should be " +
                                                     counts_text(model_.records));
  require(status.waiting == model_.usage.waiting(), std::to_string(status.waiting) +
                                                        " amendments wait, and should be " +
                                                        std::to_string(model_.usage.waiting()));
  require(status.head.block_time == model_.block_time || status.head.sequence == 0,
          "block time is " + format_instant(status.head.block_time) + ", and should be " +
              format_instant(model_.block_time));
  const auto positions = ledger_->positions(SimulatedLog::name);
  require(positions.size() == model_.positions.size(), "a partition's position is missing");
  for (const auto& position : positions) {
    const auto& expected = model_.positions[position.partition];
    require(position.next_offset == expected.next_offset && position.records == expected.records &&
                position.gaps == expected.gaps,
            "partition " + std::to_string(position.partition) + " is at " +
                std::to_string(position.next_offset) + ", and should be at " +
                std::to_string(expected.next_offset));
  }
  size_t kept = 0;
  const auto scanned = ledger_->store().scan(
      ledger::Family::quarantine, "R", "S",
      [&](std::string_view, std::string_view) -> Result<bool> { return ++kept, true; });
  require(scanned.has_value() && kept == model_.quarantined.size(),
          std::to_string(kept) + " records are in quarantine, and should be " +
              std::to_string(model_.quarantined.size()));
}

void World::check_quota() {
  for (const auto& answer : ledger_->quotas().list("default", clock_.now())) {
    const auto text = [](Int128 used, Int128 held, Int128 over) {
      return "used " + gauger::to_string(used) + ", held " + gauger::to_string(held) +
             ", overrun " + gauger::to_string(over);
    };
    const auto found = text(answer.used, answer.held, answer.overrun);
    const auto expected = text(model_.tokens_of_quota(), model_.held_of_quota(), model_.overrun);
    require(found == expected, "the quota is " + found + ", and should be " + expected);
  }
}

std::string World::answers() const {
  auto query = everything();
  query.bucket = ledger::Bucket::grain;
  auto text = testing::usage_text(ledger_->usage(query).value()) +
              testing::positions_text(ledger_->positions(SimulatedLog::name)) +
              counts_text(ledger_->status().head.records);
  for (const auto& invoice : invoices_) text += invoice.hash;
  return text;
}

}  // namespace gauger::simulation
