// How a sub-command of `gauger-load` is made: a file <name>_command.cpp with one function that
// adds it to the parser and says what to run. The handler parses flags and calls one of the
// generators or converters beside it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "schemas/result.h"

namespace gauger::load {

// Set by the sub-command that was given; run after parsing.
using Run = std::function<Result<void>()>;

void add_convert_command(CLI::App& app, Run& run);   // real traces -> events
void add_generate_command(CLI::App& app, Run& run);  // the benchmark's seeded events
void add_company_command(CLI::App& app, Run& run);   // a month of a fictional company
void add_produce_command(CLI::App& app, Run& run);   // files -> a Kafka topic

}  // namespace gauger::load
