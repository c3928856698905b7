// Scenarios of billing as plain text: terms and usage in, the charges, shares or the refusal
// out. A file holds cases; a case holds sections, each begun by a line "== name":
//
//   == case a sentence about behaviour
//   == ledger              grain=30 boundaries=128000,200000 (optional)
//   == book NAME           YAML of a price book
//   == catalog | == contract | == capacity | == program    YAML of these documents
//   == usage               one request or sum per line: TIME name=value ...
//   == rate                or "== month 2027-01" to rate the contract's month, or
//                          "== savings 2027-01 by=team basis=list" (savings_scenario.h)
//   == before terms | == before usage    takes them over from the case before; a later document
//                          replaces one with the same id, usage is added
//   == expect              the result, line by line
//
// Usage names are those of the event (team, project, workload, program, provider, account, model,
// region, accelerator, service_tier, usage_source, role, outcome, purpose, exposure), meters,
// requests, and extras as x.NAME=count. The context tier follows from the input of the line unless
// `input=` states the request's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "billing/rational.h"
#include "schemas/result.h"

namespace gauger::billing {

// Exact, in units of the currency: a decimal, or a fraction in lowest terms.
std::string exact(const Rational& pico);

struct Scenario {
  std::string title;
  std::string expected;
  std::string actual;
};

// Runs every case of the text. An error is one of the file's form; what billing refuses is a
// result: "refused SENTENCE".
Result<std::vector<Scenario>> run_scenarios(std::string_view text, std::string_view file);

}  // namespace gauger::billing
