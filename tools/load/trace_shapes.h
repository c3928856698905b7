// What the synthetic traffic takes from real traces: order statistics of lengths, cache shares,
// service times, sessions and bursts. derive_shapes.py made the tables in trace_shapes.cpp from
// the traces that are named there; no row of a trace is in them.
#pragma once

#include <array>
#include <cstdint>

#include "tools/load/quantiles.h"

namespace gauger::load::shapes {

// One-shot code completion: long prompts, short answers (Azure 2023).
extern const Quantiles code_input;
extern const Quantiles code_output;

// A service of conversations (Azure 2023).
extern const Quantiles conversation_input;
extern const Quantiles conversation_output;

// People chatting (BurstGPT).
extern const Quantiles chat_input;
extern const Quantiles chat_output;

// Conversations about documents with shared prefixes (Mooncake).
extern const Quantiles document_input;
extern const Quantiles document_output;
extern const Quantiles document_cached_permille;

// Coding agents: sessions whose context grows with each request (Claude Code).
extern const Quantiles agent_first_input;
extern const Quantiles agent_input_growth;
extern const Quantiles agent_output;
extern const Quantiles agent_turns;
extern const Quantiles agent_think_us;

// How long a frontier model computes (Claude Code): to the first token, and per further token.
extern const Quantiles first_token_us;
extern const Quantiles output_token_us;

// Arrivals (ServeGen): ten minutes against their hour, and the hours of a week.
extern const Quantiles burst_permille;
extern const std::array<uint32_t, 168> week_permille;

}  // namespace gauger::load::shapes
