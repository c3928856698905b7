#include "exporters/invoice_blockers.h"

#include <fmt/format.h>

#include "ledger/quarantine.h"

namespace gauger::exporters {

Result<void> add_ledger_blockers(const ledger::Store& store, const ledger::Head& head,
                                 std::string_view name_space, billing::InvoiceDraft& draft) {
  using billing::BlockerKind;
  if (head.block_time < draft.period.until)
    draft.blockers.push_back({BlockerKind::incomplete,
                              "the period ends at " + format_instant(draft.period.until) +
                                  ", and the ledger's clock stands at " +
                                  format_instant(head.block_time),
                              1});
  int64_t conflicts = 0;
  int64_t others = 0;
  TRY(ledger::each_quarantined(store, head.sequence, 0, 0,
                               [&](const ledger::QuarantinedRecord& record) {
                                 if (name_space.empty() || record.name_space == name_space)
                                   ++(record.reason == RejectReason::conflict ? conflicts : others);
                                 return true;
                               }));
  if (conflicts != 0)
    draft.blockers.push_back(
        {BlockerKind::conflicting,
         fmt::format("{} records have a known identity and other content; see `gauger quarantine "
                     "list --reason conflict`",
                     conflicts),
         conflicts});
  if (others != 0)
    draft.blockers.push_back(
        {BlockerKind::quarantined,
         fmt::format("{} records are in quarantine; see `gauger quarantine list`", others),
         others});
  return success();
}

}  // namespace gauger::exporters
