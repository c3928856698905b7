#include "tools/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace gauger::tools {
namespace {

constexpr std::chrono::milliseconds redraw_interval{100};
constexpr size_t bar_columns = 24;

size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// "950", "12.3 k", "20.0 M", "1.5 G".
std::string short_count(uint64_t count) {
  static constexpr std::array<const char*, 4> suffixes = {"", " k", " M", " G"};
  size_t suffix = 0;
  uint64_t unit = 1;
  while (suffix + 1 < suffixes.size() && count / unit >= 1000) {
    unit *= 1000;
    ++suffix;
  }
  if (suffix == 0) return std::to_string(count);
  return std::to_string(count / unit) + "." + std::to_string(count % unit / (unit / 10)) +
         suffixes[suffix];
}

std::string short_time(uint64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h";
}

}  // namespace

std::string progress_line(std::string_view task, std::string_view unit, uint64_t done,
                          uint64_t total, std::chrono::milliseconds elapsed, size_t columns) {
  const auto elapsed_ms = static_cast<uint64_t>(std::max<int64_t>(elapsed.count(), 1));
  std::string line(task);
  if (total > 0) {
    const auto shown = std::min(done, total);
    const auto filled = static_cast<size_t>(shown * bar_columns / total);
    line += "  [" + std::string(filled, '=') + (filled < bar_columns ? ">" : "") +
            std::string(bar_columns - std::min(filled + 1, bar_columns), ' ') + "]  " +
            std::to_string(shown * 100 / total) + " %";
  }
  line += "  " + short_count(done);
  if (total > 0) line += " of " + short_count(total);
  line += " " + std::string(unit) + "  " + short_count(done * 1000 / elapsed_ms) + "/s";
  if (total > done && done > 0)
    line += "  " + short_time((total - done) * elapsed_ms / done / 1000) + " left";
  if (line.size() > columns) line.resize(columns);
  return line;
}

Progress::Progress(std::string_view task, std::string_view unit, uint64_t total)
    : task_(task),
      unit_(unit),
      total_(total),
      visible_(isatty(STDERR_FILENO) == 1),
      started_at_(std::chrono::steady_clock::now()),
      drawn_at_(started_at_) {}

Progress::~Progress() {
  if (visible_) std::fputs("\r\033[K", stderr);
}

void Progress::look(uint64_t done) {
  const auto now = std::chrono::steady_clock::now();
  // The next look is due after about a quarter of the redraw interval at the rate so far.
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_at_);
  const auto elapsed_ms = static_cast<uint64_t>(std::max<int64_t>(elapsed.count(), 1));
  next_look_ = done + std::min<uint64_t>(done / elapsed_ms * 25, 1U << 20);
  if (now - drawn_at_ < redraw_interval) return;
  draw(done, now);
}

void Progress::draw(uint64_t done, SteadyTime now) {
  drawn_at_ = now;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_at_);
  const auto line = progress_line(task_, unit_, done, total_, elapsed, terminal_columns() - 1);
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
  std::fflush(stderr);
}

}  // namespace gauger::tools
