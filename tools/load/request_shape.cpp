#include "tools/load/request_shape.h"

namespace gauger::load {

// One draw per statement throughout: the order within an expression is the compiler's.

InputLength draw_input(Shape shape, Random& random) {
  switch (shape) {
    case Shape::agent: {
      const auto growth = draw(shapes::agent_input_growth, random);
      auto cached = draw(shapes::agent_first_input, random);
      cached += random.between(0, 120'000);
      return {cached + growth, cached};
    }
    case Shape::document: {
      const auto tokens = draw(shapes::document_input, random);
      return {tokens, tokens * draw(shapes::document_cached_permille, random) / 1000};
    }
    case Shape::code: return {draw(shapes::code_input, random), 0};
    case Shape::conversation: return {draw(shapes::conversation_input, random), 0};
    case Shape::chat: return {draw(shapes::chat_input, random), 0};
  }
  return {0, 0};
}

int64_t draw_output(Shape shape, Random& random) {
  switch (shape) {
    case Shape::agent: return draw(shapes::agent_output, random);
    case Shape::document: return draw(shapes::document_output, random);
    case Shape::code: return draw(shapes::code_output, random);
    case Shape::conversation: return draw(shapes::conversation_output, random);
    case Shape::chat: return draw(shapes::chat_output, random);
  }
  return 0;
}

int64_t draw_latency_us(int64_t output_tokens, Random& random) {
  const auto first_token_us = draw(shapes::first_token_us, random);
  return first_token_us + output_tokens * draw(shapes::output_token_us, random);
}

}  // namespace gauger::load
