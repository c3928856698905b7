// The traces that are JSON lines: Mooncake's conversations and Claude Code sessions.
#pragma once

#include <memory>

#include "tools/load/trace_reader.h"

namespace gauger::load {

// Milliseconds from the start, lengths, and the ids of the prompt's 512-token blocks. The
// blocks at the front of a prompt that any earlier request had are its reusable prefix: they
// become cache_read, never more than the prompt; the rest is input_uncached.
std::unique_ptr<TraceReader> make_mooncake_reader(Instant base);

// One request per line, in sessions. `request_arrival_delta_s` is the arrival since the start
// of the session (it already contains think and service times); the n-th session of the file
// starts n hours after `base`. `input_tokens` is the whole context; how much of it the
// provider read from its cache is not in the file and not derivable from it (block hashes are
// folded into one), so all of it becomes input_uncached. `api_time_s` becomes compute_us.
std::unique_ptr<TraceReader> make_claude_code_reader(Instant base);

}  // namespace gauger::load
