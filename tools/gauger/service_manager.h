// Telling systemd how a service is (sd_notify(3)): READY=1, STOPPING=1, WATCHDOG=1. Does nothing
// where nobody listens.
#pragma once

#include <string_view>

namespace gauger::tools {

void notify_service_manager(std::string_view state);

}  // namespace gauger::tools
