#include "billing/savings/program_usage.h"

#include <algorithm>

namespace gauger::billing {
namespace {

constexpr uint32_t no_key = UINT32_MAX;

Part part_of_root(Outcome outcome) {
  switch (outcome) {
    case Outcome::absent: return Part::open;
    case Outcome::accepted: return Part::accepted;
    case Outcome::escalated: return Part::escalated;
    case Outcome::failed: return Part::failed;
  }
  return Part::open;
}

Part part_of(const UsageKey& key, bool student, bool teacher) {
  if (key.purpose == Purpose::shadow) return Part::shadow;
  if (key.purpose == Purpose::distillation) return Part::distillation;
  if (key.role == Role::fallback) return Part::fallback;
  if (student) return key.role == Role::retry ? Part::retry : part_of_root(key.outcome);
  if (!teacher) return Part::stray;
  return key.role == Role::retry ? Part::teacher_retry : Part::direct;
}

KeyPart find_part(const UsageTable& usage, const UsageKey& key,
                  const std::vector<Program>& programs) {
  KeyPart found;
  const auto name = usage.text(key.program);
  for (size_t i = 0; i < programs.size(); ++i)
    if (programs[i].id == name) found.program = static_cast<int32_t>(i);
  if (found.program < 0) return found;
  const auto& program = programs[static_cast<size_t>(found.program)];
  const auto is = [&](const auto& model) {
    return usage.text(key.provider) == model.provider && usage.text(key.model) == model.model;
  };
  found.part = part_of(key, is(program.student), is(program.teacher));
  found.student =
      is(program.student) && found.part != Part::fallback && found.part != Part::distillation;
  found.breach = found.student && key.exposure == Exposure::external && !program.licence.external;
  found.new_workload =
      !program.workloads.empty() && std::find(program.workloads.begin(), program.workloads.end(),
                                              usage.text(key.workload)) == program.workloads.end();
  return found;
}

}  // namespace

Result<ProgramUsage> find_parts(UsageTable usage, const std::vector<Program>& programs) {
  ProgramUsage found{std::move(usage), {}};
  auto& table = found.table;
  for (const auto& key : table.keys) found.parts.push_back(find_part(table, key, programs));
  std::vector<uint32_t> after_licence(table.keys.size(), no_key);
  for (auto& row : table.rows) {
    const auto part = found.parts[row.key];
    if (!part.student || part.breach) continue;
    const auto& program = programs[static_cast<size_t>(part.program)];
    const auto ends = program.licence.ends;
    if (row.period >= ends) {
      auto& key = after_licence[row.key];
      if (key == no_key) {
        key = static_cast<uint32_t>(table.keys.size());
        const auto copy = table.keys[row.key];
        table.keys.push_back(copy);
        found.parts.push_back(part);
        found.parts.back().breach = true;
      }
      row.key = key;
    } else if (end_of_time - table.grain > row.period && row.period + table.grain > ends) {
      return invalid_argument(program.file + ": the licence ends at " + format_instant(ends) +
                              ", inside the usage period that begins at " +
                              format_instant(row.period) + "; it ends on the ledger's grain");
    }
  }
  return found;
}

}  // namespace gauger::billing
