// Statements that were loaded, and the trend of what was signed off: per provider and period, the
// latest version of each.
#pragma once

#include "billing/json_value.h"
#include "billing/text_table.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

class ReconciliationLists {
 public:
  static Result<ReconciliationLists> read(const ledger::Documents& documents,
                                          std::string_view name_space = documents_name_space);

  std::string json() const { return json_.canonical(); }
  std::string csv() const { return reconciliations_.csv(); }
  std::string text() const { return statements_.text() + "\n" + reconciliations_.text(); }

 private:
  Result<void> read_statements(const ledger::Documents& documents, std::string_view name_space);
  Result<void> read_reconciliations(const ledger::Documents& documents,
                                    std::string_view name_space);

  billing::TextTable statements_{{{"statement"},
                                  {"version", billing::Align::right},
                                  {"bytes", billing::Align::right},
                                  {"loaded at"},
                                  {"by"}}};
  billing::TextTable reconciliations_{{{"provider"},
                                       {"from"},
                                       {"until"},
                                       {"statement", billing::Align::right},
                                       {"ledger", billing::Align::right},
                                       {"difference", billing::Align::right},
                                       {"currency"},
                                       {"matched", billing::Align::right},
                                       {"explained", billing::Align::right},
                                       {"signed by"},
                                       {"at"},
                                       {"why"}}};
  billing::JsonValue json_;
};

}  // namespace gauger::exporters
