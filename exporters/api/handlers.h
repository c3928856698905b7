// The handlers of every operation, by resource. Private to exporters/api.
#pragma once

#include "exporters/api/service.h"

namespace gauger::exporters {

// A handler is declared by its kind: it answers when it returns, or later.
using Answers = Response(Service& service, const Call& call);
using AnswersLater = void(Service& service, Call call, Reply reply);

// events.cpp
AnswersLater post_events;

// usage.cpp
Answers get_usage, list_teams;

// quotas.cpp
Answers check_quota, list_quotas, get_quota;
AnswersLater post_quota, delete_quota, post_reservation, settle_reservation, delete_reservation;

// terms.cpp
Answers list_terms, get_terms, list_terms_versions;
AnswersLater post_terms;

// costs.cpp
Answers get_costs, post_quote, get_invoice_draft;

// invoices.cpp
Answers list_invoices, get_invoice;
AnswersLater post_invoice;

// invoice_steps.cpp
Answers get_invoice_review, get_invoice_correction;
AnswersLater post_invoice_review, post_invoice_decision, post_invoice_correction, post_invoice_void;

// savings.cpp
Answers get_savings, list_savings_statements, get_savings_statement;
AnswersLater post_savings_statement;
Answers post_comparison, list_programs;

// reconciliations.cpp
Answers list_statements;
AnswersLater post_statement;
Answers list_reconciliations, get_reconciliation_report;
AnswersLater post_reconciliation;
Answers list_postings;
AnswersLater post_posting;

// quarantine.cpp
Answers list_quarantine, get_quarantined, get_quarantined_raw;

// tokens.cpp
Answers list_tokens, get_token;
AnswersLater post_token, delete_token;
Answers list_audit;

// metrics.cpp
Answers get_metrics;

// health.cpp
Answers get_livez, get_readyz, get_status, get_openapi;

}  // namespace gauger::exporters
