// Cost and charge of a rated month, contract by contract.
#pragma once

#include <string>
#include <vector>

#include "billing/chargeback/cost_view.h"
#include "exporters/accounting/company_month.h"

namespace gauger::exporters {

// Under the policy of that id, else the one there is, else cost is passed through. In another
// currency, where one is named, at the rate of the period's last instant.
Result<std::vector<billing::CostView>> cost_views(const RatedMonth& rated,
                                                  const std::string& policy,
                                                  const std::string& currency);
// For people, with the usage that no contract covers.
std::string costs_text(const RatedMonth& rated, const std::vector<billing::CostView>& views);

}  // namespace gauger::exporters
