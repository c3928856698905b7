// How long a synthetic request is: the lengths of one trace's requests, drawn from its order
// statistics (trace_shapes.h).
#pragma once

#include "tools/load/random.h"
#include "tools/load/trace_shapes.h"

namespace gauger::load {

// The kinds of traffic that the traces show.
enum class Shape : uint8_t {
  agent,         // a coding session: most of the context was sent before
  document,      // long prompts with shared prefixes
  code,          // completion: long prompts, short answers
  conversation,  // a service of conversations
  chat,          // people chatting
};

inline int64_t draw(const Quantiles& quantiles, Random& random) {
  return static_cast<int64_t>(quantiles.at(random.next()));
}

// Tokens of a prompt, and how many of them were sent before.
struct InputLength {
  int64_t tokens;
  int64_t cached;
};

// Of an agent: a request somewhere in a session.
InputLength draw_input(Shape shape, Random& random);
int64_t draw_output(Shape shape, Random& random);
// How long a frontier model takes for an answer, in microseconds.
int64_t draw_latency_us(int64_t output_tokens, Random& random);

}  // namespace gauger::load
