// The table of operations: the only place that says which request is which, and who may call it.
// schemas/openapi.yaml describes each; tests/unit/exporters holds the two equal.
#include "exporters/api/handlers.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

using enum AccessRole;

constexpr RoleMask anybody = 0;
constexpr auto readers = roles(admin, finance, team);
constexpr auto askers = roles(admin, gateway);
constexpr auto accountants = roles(admin, finance);
constexpr auto everyone = roles(admin, finance, AccessRole::team, gateway, metrics);

template <size_t N>
using Names = std::array<std::string_view, N>;

constexpr Names<5> events_query = {"format", "source", "provider", "provider_account", "backfill"};
constexpr Names<22> usage_query = {"by",
                                   "period",
                                   "from",
                                   "until",
                                   "limit",
                                   "cursor",
                                   "team",
                                   "project",
                                   "workload",
                                   "provider",
                                   "provider_account",
                                   "model",
                                   "region",
                                   "accelerator",
                                   "program",
                                   "service_tier",
                                   "context_tier",
                                   "role",
                                   "outcome",
                                   "purpose",
                                   "exposure",
                                   "usage_source"};
constexpr Names<2> page_query = {"limit", "cursor"};
constexpr Names<1> reason_query = {"reason"};
constexpr Names<4> draft_query = {"team", "period", "book", "zone"};
constexpr Names<4> costs_query = {"period", "contract", "policy", "currency"};
constexpr Names<5> invoices_query = {"issuer", "period", "bill_to", "limit", "cursor"};
constexpr Names<1> issuer_query = {"issuer"};
constexpr Names<8> review_query = {"issuer",        "period",       "bill_to", "price_book",
                                   "model_catalog", "organisation", "limit",   "cursor"};
constexpr Names<4> correction_query = {"issuer", "price_book", "model_catalog", "organisation"};
constexpr Names<4> savings_query = {"period", "by", "basis", "list"};
constexpr Names<1> period_query = {"period"};
constexpr Names<7> statement_query = {"format",   "provider", "period", "zone",
                                      "currency", "account",  "cost"};
constexpr Names<4> reconciliation_query = {"provider", "period", "statement", "book"};
constexpr Names<3> quarantine_query = {"limit", "cursor", "reason"};
constexpr Names<2> audit_query = {"limit", "kind"};

constexpr size_t no_body = 0;
constexpr size_t small_body = limits::http_body_bytes_max;

const Route table[] = {
    {Method::post, "/v1/events", "postEvents", roles(admin, gateway), Lane::quick,
     limits::http_events_bytes_max, post_events, events_query},

    {Method::get, "/v1/usage", "getUsage", readers, Lane::slow, no_body, get_usage, usage_query},
    {Method::get, "/v1/teams", "listTeams", readers, Lane::slow, no_body, list_teams, page_query},

    {Method::post, "/v1/quotas/check", "checkQuota", askers, Lane::quick, small_body, check_quota},
    {Method::get, "/v1/quotas", "listQuotas", roles(admin, finance, AccessRole::team, gateway),
     Lane::slow, no_body, list_quotas, page_query},
    {Method::get, "/v1/quotas/{id}", "getQuota", readers, Lane::slow, no_body, get_quota},
    {Method::post, "/v1/quotas/{id}", "postQuota", accountants, Lane::slow, small_body, post_quota,
     reason_query},
    {Method::delete_, "/v1/quotas/{id}", "deleteQuota", accountants, Lane::slow, no_body,
     delete_quota, reason_query},
    {Method::post, "/v1/reservations", "postReservation", askers, Lane::quick, small_body,
     post_reservation},
    {Method::post, "/v1/reservations/{id}/settle", "settleReservation", askers, Lane::quick,
     small_body, settle_reservation},
    {Method::delete_, "/v1/reservations/{id}", "deleteReservation", askers, Lane::quick, no_body,
     delete_reservation},

    {Method::post, "/v1/quotes", "postQuote", roles(admin, finance, AccessRole::team, gateway),
     Lane::slow, small_body, post_quote},
    {Method::get, "/v1/invoices/draft", "getInvoiceDraft", readers, Lane::slow, no_body,
     get_invoice_draft, draft_query},
    {Method::get, "/v1/costs", "getCosts", accountants, Lane::slow, no_body, get_costs,
     costs_query},
    {Method::get, "/v1/invoices", "listInvoices", readers, Lane::slow, no_body, list_invoices,
     invoices_query},
    {Method::post, "/v1/invoices", "postInvoice", accountants, Lane::slow, small_body,
     post_invoice},
    {Method::get, "/v1/invoices/{id}", "getInvoice", readers, Lane::slow, no_body, get_invoice,
     issuer_query},

    {Method::get, "/v1/invoices/review", "getInvoiceReview", accountants, Lane::slow, no_body,
     get_invoice_review, review_query},
    {Method::post, "/v1/invoices/review", "postInvoiceReview", accountants, Lane::slow, small_body,
     post_invoice_review},
    {Method::post, "/v1/invoices/decisions", "postInvoiceDecision", accountants, Lane::slow,
     small_body, post_invoice_decision},
    {Method::get, "/v1/invoices/{id}/correction", "getInvoiceCorrection", accountants, Lane::slow,
     no_body, get_invoice_correction, correction_query},
    {Method::post, "/v1/invoices/{id}/correction", "postInvoiceCorrection", accountants, Lane::slow,
     small_body, post_invoice_correction},
    {Method::post, "/v1/invoices/{id}/void", "postInvoiceVoid", accountants, Lane::slow, small_body,
     post_invoice_void},
    {Method::get, "/v1/credit-notes", "listCreditNotes", readers, Lane::slow, no_body,
     list_invoices, invoices_query},
    {Method::get, "/v1/credit-notes/{id}", "getCreditNote", readers, Lane::slow, no_body,
     get_invoice, issuer_query},

    {Method::get, "/v1/savings", "getSavings", accountants, Lane::slow, no_body, get_savings,
     savings_query},
    {Method::get, "/v1/savings/statements", "listSavingsStatements", accountants, Lane::slow,
     no_body, list_savings_statements, page_query},
    {Method::post, "/v1/savings/statements", "postSavingsStatement", accountants, Lane::slow,
     small_body, post_savings_statement},
    {Method::get, "/v1/savings/statements/{period}/{basis}", "getSavingsStatement", accountants,
     Lane::slow, no_body, get_savings_statement},
    {Method::get, "/v1/programs", "listPrograms", accountants, Lane::slow, no_body, list_programs,
     period_query},
    {Method::post, "/v1/comparisons", "postComparison", accountants, Lane::slow,
     limits::document_bytes_max, post_comparison},

    {Method::get, "/v1/statements", "listStatements", accountants, Lane::slow, no_body,
     list_statements, page_query},
    {Method::post, "/v1/statements", "postStatement", accountants, Lane::slow,
     limits::document_bytes_max, post_statement, statement_query},
    {Method::get, "/v1/reconciliations", "listReconciliations", accountants, Lane::slow, no_body,
     list_reconciliations},
    {Method::get, "/v1/reconciliations/report", "getReconciliationReport", accountants, Lane::slow,
     no_body, get_reconciliation_report, reconciliation_query},
    {Method::post, "/v1/reconciliations", "postReconciliation", accountants, Lane::slow, small_body,
     post_reconciliation},
    {Method::get, "/v1/reconciliations/postings", "listPostings", accountants, Lane::slow, no_body,
     list_postings, page_query},
    {Method::post, "/v1/reconciliations/postings", "postPosting", accountants, Lane::slow,
     small_body, post_posting},

    {Method::get, "/v1/terms/{kind}", "listTerms", accountants, Lane::slow, no_body, list_terms,
     page_query},
    {Method::get, "/v1/terms/{kind}/{id}", "getTerms", accountants, Lane::slow, no_body, get_terms},
    {Method::post, "/v1/terms/{kind}/{id}", "postTerms", accountants, Lane::slow,
     limits::document_bytes_max, post_terms, reason_query},
    {Method::get, "/v1/terms/{kind}/{id}/versions", "listTermsVersions", accountants, Lane::slow,
     no_body, list_terms_versions},

    {Method::get, "/v1/quarantine", "listQuarantine", accountants, Lane::slow, no_body,
     list_quarantine, quarantine_query},
    {Method::get, "/v1/quarantine/{id}", "getQuarantined", accountants, Lane::slow, no_body,
     get_quarantined},
    {Method::get, "/v1/quarantine/{id}/raw", "getQuarantinedRaw", accountants, Lane::slow, no_body,
     get_quarantined_raw},

    {Method::get, "/v1/tokens", "listTokens", roles(admin), Lane::slow, no_body, list_tokens,
     page_query},
    {Method::post, "/v1/tokens", "postToken", roles(admin), Lane::slow, small_body, post_token,
     reason_query},
    {Method::get, "/v1/tokens/{id}", "getToken", roles(admin), Lane::quick, no_body, get_token},
    {Method::delete_, "/v1/tokens/{id}", "deleteToken", roles(admin), Lane::slow, no_body,
     delete_token},
    {Method::get, "/v1/audit", "listAudit", roles(admin), Lane::slow, no_body, list_audit,
     audit_query},

    {Method::get, "/metrics", "getMetrics", roles(admin, metrics), Lane::slow, no_body,
     get_metrics},
    {Method::get, "/v1/status", "getStatus", everyone, Lane::quick, no_body, get_status},
    {Method::get, "/v1/openapi.yaml", "getOpenapi", anybody, Lane::quick, no_body, get_openapi},
    {Method::get, "/livez", "getLivez", anybody, Lane::quick, no_body, get_livez},
    {Method::get, "/readyz", "getReadyz", anybody, Lane::quick, no_body, get_readyz},
};

}  // namespace

std::span<const Route> routes() { return table; }

}  // namespace gauger::exporters
