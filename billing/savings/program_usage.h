// Which part each usage key plays in a programme, and which problems stand in a statement's way.
// Rows after the end of a licence get keys of their own, so that sums of keys can be told apart.
// Pure; sized for a million rows.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "billing/savings/program.h"
#include "schemas/usage_table.h"

namespace gauger::billing {

enum class Part : uint8_t {
  none,           // no programme's usage
  accepted,       // root requests of the student, by outcome
  escalated,      //
  failed,         //
  open,           // no outcome yet
  retry,          // the student again
  fallback,       // another model after all, nearly always the teacher
  teacher_retry,  // the teacher again
  direct,         // a root request that went to the teacher: nothing was substituted
  shadow,         // benchmark traffic of either model
  distillation,   // teacher output made to train the student
  stray,          // a model that is neither student nor teacher
};
inline constexpr std::array<std::string_view, 12> part_names = {
    "none",     "accepted",      "escalated", "failed", "open",         "retry",
    "fallback", "teacher_retry", "direct",    "shadow", "distillation", "stray"};
constexpr std::string_view to_string(Part part) { return part_names[static_cast<size_t>(part)]; }

struct KeyPart {
  int32_t program = -1;  // index into the programmes
  Part part = Part::none;
  bool student = false;       // answered by the student
  bool breach = false;        // outside the student's licence
  bool new_workload = false;  // a workload that the programme does not name
};

struct ProgramUsage {
  UsageTable table;
  std::vector<KeyPart> parts;  // by key
};

// invalid_argument where a licence ends inside a usage period.
Result<ProgramUsage> find_parts(UsageTable usage, const std::vector<Program>& programs);

// Each keeps a statement from being finalized.
enum class SavingsProblem : uint8_t {
  outcome_absent,   // root requests whose end nobody reported
  no_ratio,         // counts of the student that nothing converts
  no_profile,       // a regime by compute time, and no compute profile
  no_contract,      // nothing prices the teacher or the student
  unpriced,         // terms without a price
  uncertain,        // usage that was estimated, or is missing
  unknown_program,  // usage that names a programme without a document
  stray_model,      // usage of a programme by a model that is not in it
  no_months,        // metered distillation without the months to write it off
  incomplete,       // the period is not over, or not everything has come
};
inline constexpr std::array<std::string_view, 10> savings_problem_names = {
    "outcome_absent", "no_ratio",        "no_profile",  "no_contract", "unpriced",
    "uncertain",      "unknown_program", "stray_model", "no_months",   "incomplete"};
constexpr std::string_view to_string(SavingsProblem problem) {
  return savings_problem_names[static_cast<size_t>(problem)];
}

// Problems by month, kind and sentence, with the quantities added up.
class SavingsProblems {
 public:
  using Key = std::tuple<int32_t, SavingsProblem, std::string>;
  void add(int32_t month, SavingsProblem problem, std::string sentence, Int128 quantity) {
    all_[{month, problem, std::move(sentence)}] += quantity;
  }
  void append(const SavingsProblems& more) {
    for (const auto& [key, quantity] : more.all_) all_[key] += quantity;
  }
  const std::map<Key, Int128>& all() const { return all_; }

 private:
  std::map<Key, Int128> all_;
};

}  // namespace gauger::billing
