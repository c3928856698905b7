// A function in a process of its own, for what may end the process.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gauger::testing {

// What a child says to its parent; it arrives although the child is killed afterwards.
using Tell = std::function<void(std::string_view)>;

struct Child {
  std::string told;
  int signal = 0;  // which ended it, or none
};

// Forks: to be called before this process has threads of its own. A child that ends by an
// exception, or with a failed requirement, fails the test.
Child in_child(const std::function<void(const Tell&)>& work);

}  // namespace gauger::testing
