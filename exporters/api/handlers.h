// The handlers of every operation, by resource. Private to exporters/api.
#pragma once

#include "exporters/api/service.h"

namespace gauger::exporters {

// events.cpp
void post_events(Service& service, Call call, Reply reply);

// usage.cpp
Response get_usage(Service& service, const Call& call);
Response list_teams(Service& service, const Call& call);

// quotas.cpp
Response check_quota(Service& service, const Call& call);
Response list_quotas(Service& service, const Call& call);
Response get_quota(Service& service, const Call& call);
void post_quota(Service& service, Call call, Reply reply);
void delete_quota(Service& service, Call call, Reply reply);
void post_reservation(Service& service, Call call, Reply reply);
void settle_reservation(Service& service, Call call, Reply reply);
void delete_reservation(Service& service, Call call, Reply reply);

// terms.cpp
Response list_terms(Service& service, const Call& call);
Response get_terms(Service& service, const Call& call);
Response list_terms_versions(Service& service, const Call& call);
void post_terms(Service& service, Call call, Reply reply);

// costs.cpp
Response get_costs(Service& service, const Call& call);
Response post_quote(Service& service, const Call& call);
Response get_invoice_draft(Service& service, const Call& call);

// invoices.cpp
Response list_invoices(Service& service, const Call& call);
Response get_invoice(Service& service, const Call& call);
void post_invoice(Service& service, Call call, Reply reply);

// invoice_steps.cpp
Response get_invoice_review(Service& service, const Call& call);
Response get_invoice_correction(Service& service, const Call& call);
void post_invoice_review(Service& service, Call call, Reply reply);
void post_invoice_decision(Service& service, Call call, Reply reply);
void post_invoice_correction(Service& service, Call call, Reply reply);
void post_invoice_void(Service& service, Call call, Reply reply);

// savings.cpp
Response get_savings(Service& service, const Call& call);
Response list_savings_statements(Service& service, const Call& call);
Response get_savings_statement(Service& service, const Call& call);
void post_savings_statement(Service& service, Call call, Reply reply);
Response post_comparison(Service& service, const Call& call);
Response list_programs(Service& service, const Call& call);

// reconciliations.cpp
Response list_statements(Service& service, const Call& call);
void post_statement(Service& service, Call call, Reply reply);
Response list_reconciliations(Service& service, const Call& call);
Response get_reconciliation_report(Service& service, const Call& call);
void post_reconciliation(Service& service, Call call, Reply reply);
Response list_postings(Service& service, const Call& call);
void post_posting(Service& service, Call call, Reply reply);

// quarantine.cpp
Response list_quarantine(Service& service, const Call& call);
Response get_quarantined(Service& service, const Call& call);
Response get_quarantined_raw(Service& service, const Call& call);

// tokens.cpp
Response list_tokens(Service& service, const Call& call);
Response get_token(Service& service, const Call& call);
void post_token(Service& service, Call call, Reply reply);
void delete_token(Service& service, Call call, Reply reply);
Response list_audit(Service& service, const Call& call);

// metrics.cpp
Response get_metrics(Service& service, const Call& call);

// health.cpp
Response get_livez(Service& service, const Call& call);
Response get_readyz(Service& service, const Call& call);
Response get_status(Service& service, const Call& call);
Response get_openapi(Service& service, const Call& call);

}  // namespace gauger::exporters
