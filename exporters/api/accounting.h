// What the handlers of costs, invoices, savings and reconciliations have in common. Private to
// exporters/api.
#pragma once

#include "exporters/accounting/ledger_view.h"
#include "exporters/api/answers.h"

namespace gauger::exporters {

// The ledger as it stands, with the documents and the usage of one namespace alone.
inline Result<LedgerView> view_of(Service& service, std::string name_space) {
  LedgerView view;
  TRY(view.reader, service.ledger().reader());
  view.name_space = std::move(name_space);
  view.own_usage = true;
  return view;
}
inline Result<LedgerView> view_of(Service& service, const Call& call) {
  return view_of(service, call.principal.name_space);
}

// The answer in one of three forms, each made only when it is the one.
template <class Json, class Csv, class Text>
Response in_form(Form form, Json json, Csv csv, Text text) {
  if (form == Form::csv) return ok(csv(), form);
  if (form == Form::text) return ok(text(), form);
  return ok(json());
}

}  // namespace gauger::exporters
