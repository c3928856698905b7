#include "tools/gauger/clock.h"

namespace gauger::tools {
namespace {

class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(Duration shift) : shift_(shift) {}
  Instant now() const override { return SystemClock().now() + shift_; }

 private:
  Duration shift_;
};

}  // namespace

Result<std::unique_ptr<Clock>> make_clock(const std::string& now) {
  if (now.empty()) return std::unique_ptr<Clock>(std::make_unique<SystemClock>());
  TRY(const auto instant, parse_instant(now));
  return std::unique_ptr<Clock>(std::make_unique<ShiftedClock>(instant - SystemClock().now()));
}

}  // namespace gauger::tools
