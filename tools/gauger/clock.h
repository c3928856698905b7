// The clock of a command: the system's, or one that begins at --now and goes on from there.
#pragma once

#include <memory>
#include <string>

#include "schemas/clock.h"
#include "schemas/result.h"

namespace gauger::tools {

Result<std::unique_ptr<Clock>> make_clock(const std::string& now);

}  // namespace gauger::tools
