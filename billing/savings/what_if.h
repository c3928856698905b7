// What if: part of a workload moved from the teacher to its student, another price, another date
// of the switch. Each changes usage or terms; the difference of what they cost is the answer. Pure.
#pragma once

#include "billing/savings/company_cost.h"
#include "billing/savings/program.h"

namespace gauger::billing {

struct MoveShare {
  std::string program;
  std::string workload;  // empty: every workload
  std::string team;      // empty: every team
  Rational share;        // of the teacher's root requests, 0 to 1
  Rational acceptance;   // of the moved requests; the others go to the teacher after all
};

// Moves requests in the months: the teacher's become the student's, with tokens divided by the
// programme's ratios and compute time as the student takes it per token in these months. What is
// not accepted is charged at both. Counts are whole, and fractions are carried on. not_found
// where there is nothing to move, or the student has no usage to measure by.
Result<UsageTable> move_to_student(const UsageTable& usage, std::span<const Program> programs,
                                   const MoveShare& move, Interval months);

// The same contract with its second regime from another date.
Result<Contract> with_switch(const Contract& contract, Instant at);

// Every price of the item for that model in the book.
struct PriceChange {
  std::string book;
  std::string model;
  std::string item;
  Int128 pico_per_unit_price;
};
// not_found where the book prices no such thing.
Result<PriceBook> with_price(const PriceBook& book, const PriceChange& change);

}  // namespace gauger::billing
