// gauger-bench: the measurements that `./dev bench` puts together. Each prints one JSON object.
#include <cstdio>

#include "tests/bench/pipeline/measure.h"

namespace {
constexpr const char* usage_text =
    "usage: gauger-bench stages FILE EVENTS         what each stage of the event path costs\n"
    "       gauger-bench fill DIR IDENTITIES        a ledger that knows so many\n"
    "       gauger-bench settle FILE DIR            a file into a settled ledger\n"
    "       gauger-bench latency FILE DIR RATE SECONDS   commit and event-to-visible times\n"
    "       gauger-bench open DIR                   how long a ledger takes to open for writing\n"
    "       gauger-bench queries DIR MONTH          query times, and bytes by part\n"
    "       gauger-bench consume BROKERS TOPIC RECORDS   the bare librdkafka consumer\n";
}

int main(int count, char** arguments) {
  using namespace gauger::bench;
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const auto is = [&](const char* name, size_t size) {
    return words.size() == size + 1 && words[0] == name;
  };
  if (is("stages", 2))
    measure_stages(words[1], std::stoull(words[2]));
  else if (is("fill", 2))
    measure_fill(words[1], std::stoull(words[2]));
  else if (is("settle", 2))
    measure_settle(words[1], words[2]);
  else if (is("latency", 4))
    measure_latency(words[1], words[2], std::stod(words[3]), std::stod(words[4]));
  else if (is("open", 1))
    measure_open(words[1]);
  else if (is("queries", 2))
    measure_queries(words[1], words[2]);
  else if (is("consume", 3))
    measure_consumer(words[1], words[2], std::stoull(words[3]));
  else
    return std::fputs(usage_text, stderr), 2;
  return 0;
}
