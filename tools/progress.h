// A progress bar on stderr: done of total, rate and time left. It draws only when stderr is a
// terminal, at most ten times a second, and wipes itself when it is destroyed, so that logs and
// pipes never see it. Not thread-safe: one thread reports.
//
//   Progress bar("generate", "events", 20'000'000);
//   for (...) bar.advance_to(events_done);
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gauger::tools {

class Progress {
 public:
  // `total` 0: not known; rate and amount are shown without the time left.
  Progress(std::string_view task, std::string_view unit, uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap where there is no terminal; may be called per event.
  void advance_to(uint64_t done) {
    if (visible_ && done >= next_look_) look(done);
  }
  void set_total(uint64_t total) { total_ = total; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void look(uint64_t done);
  void draw(uint64_t done, SteadyTime now);

  std::string task_;
  std::string unit_;
  uint64_t total_;
  bool visible_;
  uint64_t next_look_ = 0;  // the clock is not asked before this amount is done
  SteadyTime started_at_;
  SteadyTime drawn_at_;
};

// One line of a bar, `columns` wide at most:
// "generate  [=====>    ]  50 %  10.0 M of 20.0 M events  2.1 M/s  5 s left".
std::string progress_line(std::string_view task, std::string_view unit, uint64_t done,
                          uint64_t total, std::chrono::milliseconds elapsed, size_t columns);

}  // namespace gauger::tools
