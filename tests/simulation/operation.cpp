#include "tests/simulation/operation.h"

#include <array>

namespace gauger::simulation {
namespace {

struct Weighted {
  Act act;
  std::string_view name;
  uint64_t weight;
};

constexpr std::array<Weighted, act_count> acts = {{
    {Act::produce, "produce", 24},    {Act::consume, "consume", 24},  {Act::fail, "fail", 3},
    {Act::request, "request", 8},     {Act::truncate, "truncate", 2}, {Act::flush, "flush", 10},
    {Act::tick, "tick", 5},           {Act::reserve, "reserve", 6},   {Act::settle, "settle", 3},
    {Act::cancel, "cancel", 2},       {Act::expire, "expire", 2},     {Act::price, "price", 2},
    {Act::close, "close", 2},         {Act::rerate, "rerate", 2},     {Act::void_one, "void", 1},
    {Act::backup, "backup", 3},       {Act::restore, "restore", 2},   {Act::retain, "retain", 2},
    {Act::rebuild, "rebuild", 1},     {Act::restart, "restart", 2},   {Act::kill, "kill", 3},
    {Act::power_cut, "power_cut", 4}, {Act::fault, "fault", 5},       {Act::verify, "verify", 1},
}};

}  // namespace

std::string_view to_string(Act act) { return acts[static_cast<size_t>(act)].name; }

std::string to_string(const Operation& operation) {
  return std::string(to_string(operation.act)) + " " + std::to_string(operation.seed);
}

std::vector<Operation> operations_of(uint64_t seed) {
  Choices choices(seed);
  uint64_t weights = 0;
  for (const auto& act : acts) weights += act.weight;
  std::vector<Operation> operations(10 + choices.below(110));
  for (auto& operation : operations) {
    auto at = choices.below(weights);
    for (const auto& act : acts) {
      if (at < act.weight) {
        operation.act = act.act;
        break;
      }
      at -= act.weight;
    }
    operation.seed = choices.below(1'000'000'000);
  }
  return operations;
}

DiskFault fault_of(Choices& choices) {
  constexpr std::array<DiskOperation, 9> operations = {
      DiskOperation::write,  DiskOperation::write,  DiskOperation::write,
      DiskOperation::sync,   DiskOperation::sync,   DiskOperation::directory_sync,
      DiskOperation::create, DiskOperation::rename, DiskOperation::read};
  constexpr std::array<FileKind, 6> kinds = {FileKind::log,   FileKind::log,      FileKind::anchor,
                                             FileKind::table, FileKind::manifest, FileKind::any};
  constexpr std::array<DiskFailure, 4> failures = {DiskFailure::halt, DiskFailure::halt,
                                                   DiskFailure::error, DiskFailure::full};
  DiskFault fault;
  fault.operation = operations[choices.below(operations.size())];
  const bool of_files = fault.operation == DiskOperation::write ||
                        fault.operation == DiskOperation::sync ||
                        fault.operation == DiskOperation::read;
  fault.kind = of_files ? kinds[choices.below(kinds.size())] : FileKind::any;
  fault.failure = failures[choices.below(failures.size())];
  fault.after = choices.below(choices.one_in(2) ? 3 : 40);
  return fault;
}

}  // namespace gauger::simulation
