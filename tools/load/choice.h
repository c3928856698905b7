// A flag that takes one of a few names, with a sentence when it is given another.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/load/output_file.h"

namespace gauger::load {

template <class Value>
using Choices = std::vector<std::pair<std::string, Value>>;

inline const Choices<EventFormat> format_choices = {{"jsonl", EventFormat::jsonl},
                                                    {"proto", EventFormat::protobuf}};

// `value` keeps what it has where the flag is not given. `choices` must outlive the parser.
template <class Value>
CLI::Option* add_choice(CLI::App& command, const std::string& name, Value& value,
                        const Choices<Value>& choices, const std::string& description) {
  const auto choose = [&value, &choices, name](const std::string& text) {
    std::string names;
    for (const auto& [choice, chosen] : choices) {
      if (choice == text) {
        value = chosen;
        return;
      }
      names += (names.empty() ? "" : ", ") + choice;
    }
    throw CLI::ValidationError(name, "'" + text + "' is not one of " + names);
  };
  return command.add_option_function<std::string>(name, choose, description);
}

}  // namespace gauger::load
