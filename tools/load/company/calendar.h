// When requests come: the hours of the week and the bursts within an hour, by the shape of real
// tenants (ServeGen), and the company's own rhythms over them.
#pragma once

#include "schemas/instant.h"
#include "tools/load/alias_table.h"
#include "tools/load/company/plan.h"

namespace gauger::load::company {

class Calendar {
 public:
  Calendar(Interval month, Rhythm rhythm, Random& random);
  Instant draw(Random& random) const;

 private:
  static constexpr std::chrono::minutes window{10};

  Instant from_;
  AliasTable windows_;
};

}  // namespace gauger::load::company
