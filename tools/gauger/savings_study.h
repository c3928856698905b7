// Sub-commands of `gauger savings` that study rather than state: ratios from shadow pairs, the
// events behind a figure, what-if, and dependence on providers.
#pragma once

#include "tools/gauger/command.h"

namespace gauger::tools {

void add_savings_studies(CLI::App& savings, Run& run);

}  // namespace gauger::tools
