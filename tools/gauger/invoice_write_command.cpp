// gauger invoice issuer|review|decide|finalize: from a month's usage to a document that stands.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "exporters/accounting/invoice_review.h"
#include "exporters/documents/invoice_csv.h"
#include "tools/gauger/invoice_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/server_documents.h"
#include "tools/gauger/text_file.h"
#include "tools/progress.h"

namespace gauger::tools {
namespace {

using billing::Invoice;

struct WriteOptions {
  InvoiceOptions common;
  ServerOptions server;
  std::string file;
  std::vector<std::string> blockers;
  std::string kind;
  std::string action;
  std::string price;
  bool force = false;
};

Result<void> run_issuer(const WriteOptions& options) {
  TRY(auto text, read_text_file(options.file));
  TRY(const auto issuer, billing::parse_issuer(text, options.file));
  TRY(const auto writer, InvoiceWriter::open(options.common));
  TRY(const auto versions, writer.ledger->append_documents({writer.at.store->draft_of_issuer(
                               issuer, std::move(text), options.common.author())}));
  TRY(writer.ledger->close());
  fmt::print("issuer {} version {}: numbers {}, {} bill-tos named, months of {}\n", issuer.party.id,
             versions.front().version, billing::invoice_id(issuer.number_prefix, 1),
             issuer.bill_tos.size(), issuer.zone.name());
  return success();
}

// The month's bill-tos that the flags ask for.
Result<std::vector<std::string>> chosen(const InvoiceOptions& options, const RatedBillTos& rated) {
  if (options.bill_tos.empty() && !options.all)
    return invalid_argument("--bill-to names who is billed, --all means everybody with usage");
  std::vector<std::string> names = options.bill_tos;
  if (options.all)
    for (const auto& [bill_to, one] : rated) names.push_back(bill_to);
  for (const auto& name : names)
    if (!rated.contains(name))
      return Error{ErrorCode::not_found, name + " has no usage in " + options.period};
  return names;
}

void print_rows(const std::vector<exporters::ReviewRow>& rows, Output output) {
  if (output == Output::json) {
    fmt::print("[");
    for (const auto& row : rows)
      fmt::print("{}{{\"bill_to\": {}, \"state\": {}, \"total\": {}, \"blockers\": {}}}",
                 &row == &rows.front() ? "" : ", ", json_text(row.bill_to), json_text(row.state),
                 json_text(row.total + " " + row.currency), row.open.size());
    fmt::print("]\n");
    return;
  }
  print(exporters::review_table(rows), output);
}

Result<void> record_review(InvoiceWriter& writer, InvoiceRating& rating, const InvoiceTerms& terms,
                           const InvoiceOptions& options, int32_t month,
                           const RatedBillTos& months) {
  TRY(const auto names, chosen(options, months));
  std::vector<ledger::DocumentDraft> drafts;
  for (const auto& name : names) {
    const auto& rated = months.at(name);
    TRY(const auto review,
        exporters::review_of(writer.at.books(), rating, terms, name, month, rated, options.by));
    drafts.push_back(writer.at.store->draft_of(review));
    fmt::print("{} of {} is in review at {} {}\n", options.period, name,
               rated.currency.format_minor(review.total_minor), rated.currency.code());
  }
  TRY(writer.ledger->append_documents(std::move(drafts)));
  return writer.ledger->close();
}

// One request for each bill-to, since each is one document.
Result<void> post_each(const WriteOptions& options, const std::string& path,
                       billing::JsonValue body) {
  const auto& common = options.common;
  if (common.all || common.bill_tos.empty())
    return invalid_argument("with --server each bill-to is named: --bill-to NAME");
  body["period"] = common.period;
  put_text(body, "issuer", common.issuer);
  put_text(body, "reason", common.reason);
  put_terms(body, common.terms);
  for (const auto& bill_to : common.bill_tos) {
    body["bill_to"] = bill_to;
    TRY(post_document(options.server, path, body, common.output));
  }
  return success();
}

Result<void> ask_review(const WriteOptions& options) {
  const auto& common = options.common;
  if (!common.by.empty()) {
    if (!common.reason.empty()) return invalid_argument("a review needs no --reason");
    return post_each(options, "/v1/invoices/review", {});
  }
  QueryText query("/v1/invoices/review");
  query.add("period", common.period).add("issuer", common.issuer);
  if (common.bill_tos.size() == 1) query.add("bill_to", common.bill_tos.front());
  add_terms(query, common.terms);
  exporters::ClientRequest request;
  request.target = query.text();
  return options.server.print(std::move(request), common.output, "items");
}

Result<void> run_review(const WriteOptions& options) {
  const auto& common = options.common;
  if (options.server.given()) return ask_review(options);
  TRY(const auto month, parse_month(common.period));
  TRY(const auto terms, read_invoice_terms(common.terms));
  if (!common.by.empty()) {
    TRY(auto writer, InvoiceWriter::open(common));
    TRY(auto rating, InvoiceRating::open(writer.at.view, *writer.at.store, writer.at.clock->now()));
    TRY(const auto months, rating.month(month, terms));
    return record_review(writer, rating, terms, common, month, months);
  }
  if (common.bill_tos.size() == 1) return preview_invoice(common, common.bill_tos.front());
  TRY(const auto at, InvoiceLedger::open(common));
  TRY(auto rating, InvoiceRating::open(at.view, *at.store, at.clock->now()));
  TRY(const auto months, rating.month(month, terms));
  std::vector<exporters::ReviewRow> rows;
  Progress bar("review", "bill-tos", months.size());
  for (const auto& [bill_to, rated] : months) {
    TRY(auto row, exporters::review_row(at.books(), rating, terms, bill_to, month, rated));
    rows.push_back(std::move(row));
    bar.advance_to(rows.size());
  }
  print_rows(rows, common.output);
  if (rating.unattributable() != 0 && common.output == Output::table)
    fmt::print("{} records in quarantine name no team; see `gauger quarantine list`\n",
               rating.unattributable());
  return success();
}

Result<void> run_decide(const WriteOptions& options) {
  const auto& common = options.common;
  if (options.blockers.empty() == options.kind.empty())
    return invalid_argument("name what is decided: --blocker ID, or --kind for all of a kind");
  if (common.reason.empty()) return invalid_argument("a decision needs --reason");
  if (options.server.given()) {
    if (options.blockers.size() > 1)
      return invalid_argument("with --server one --blocker is decided at a time");
    billing::JsonValue body;
    auto action = options.action;
    std::replace(action.begin(), action.end(), '-', '_');
    body["action"] = action;
    put_text(body, "kind", options.kind);
    put_text(body, "price", options.price);
    if (!options.blockers.empty()) body["blocker"] = options.blockers.front();
    return post_each(options, "/v1/invoices/decisions", std::move(body));
  }
  TRY(const auto month, parse_month(common.period));
  exporters::Deciding deciding{options.blockers, options.kind, {}, {},
                               common.author(),  common.reason};
  TRY(deciding.action, exporters::parse_decision_action(options.action, "--action"));
  if (!options.price.empty()) {
    TRY(deciding.price, billing::parse_price_text(options.price));
  }
  TRY(const auto terms, read_invoice_terms(common.terms));
  TRY(auto writer, InvoiceWriter::open(common));
  TRY(auto rating, InvoiceRating::open(writer.at.view, *writer.at.store, writer.at.clock->now()));
  TRY(const auto months, rating.month(month, terms));
  TRY(const auto names, chosen(common, months));
  std::vector<ledger::DocumentDraft> drafts;
  for (const auto& name : names) {
    TRY(const auto decisions,
        exporters::decisions_of(deciding, name, month, months.at(name), writer.at.clock->now()));
    for (const auto& decision : decisions) {
      fmt::print("{} of {}: {} of {} {}\n", common.period, name, to_string(decision.action),
                 decision.quantity, decision.blocker);
      drafts.push_back(writer.at.store->draft_of(decision));
    }
  }
  if (drafts.empty())
    return Error{ErrorCode::not_found, "nothing such is open; `gauger invoice review` lists it"};
  TRY(writer.ledger->append_documents(std::move(drafts)));
  return writer.ledger->close();
}

Result<Invoice> finalize_one(InvoiceWriter& writer, InvoiceRating& rating,
                             const InvoiceTerms& terms, const WriteOptions& options,
                             const std::string& bill_to, int32_t month, const RatedBillTo& rated) {
  const exporters::Finalizing how{options.common.author(), options.force, options.common.reason};
  TRY(const auto seal,
      exporters::seal_month(writer.at.books(), rating, terms, how, bill_to, month, rated));
  return writer.post(seal, terms, how.author);
}

Result<void> run_finalize(const WriteOptions& options) {
  const auto& common = options.common;
  if (options.force && common.reason.empty())
    return invalid_argument("--force needs --reason, which goes on record");
  if (options.server.given()) {
    billing::JsonValue body;
    body["force"] = options.force;
    return post_each(options, "/v1/invoices", std::move(body));
  }
  TRY(const auto month, parse_month(common.period));
  TRY(const auto terms, read_invoice_terms(common.terms));
  TRY(auto writer, InvoiceWriter::open(common));
  TRY(auto rating, InvoiceRating::open(writer.at.view, *writer.at.store, writer.at.clock->now()));
  TRY(const auto months, rating.month(month, terms));
  TRY(const auto names, chosen(common, months));
  size_t refused = 0;
  Progress bar("finalize", "bill-tos", names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto done =
        finalize_one(writer, rating, terms, options, names[i], month, months.at(names[i]));
    bar.advance_to(i + 1);
    if (done.has_value()) {
      const auto& invoice = done.value();
      fmt::print("{} {} {} {} {}\n", invoice.id(), invoice.header.bill_to.id, common.period,
                 invoice.header.currency.format_minor(invoice.total_minor),
                 invoice.header.currency.code());
      continue;
    }
    if (done.error().code != ErrorCode::refused || names.size() == 1) return done.error();
    fmt::print(stderr, "{}: {}\n", names[i], done.error().sentence);
    ++refused;
  }
  TRY(writer.ledger->close());
  if (refused != 0)
    return Error{ErrorCode::refused,
                 fmt::format("{} of {} bill-tos were not finalized", refused, names.size())};
  return success();
}

}  // namespace

Result<void> preview_invoice(const InvoiceOptions& options, const std::string& bill_to) {
  TRY(const auto month, parse_month(options.period));
  TRY(const auto terms, read_invoice_terms(options.terms));
  TRY(const auto at, InvoiceLedger::open(options));
  TRY(auto rating, InvoiceRating::open(at.view, *at.store, at.clock->now()));
  TRY(const auto months, rating.month(month, terms));
  const auto rated = months.find(bill_to);
  if (rated == months.end())
    return Error{ErrorCode::not_found, bill_to + " has no usage in " + options.period};
  TRY(const auto invoice,
      exporters::preview_invoice(at.books(), rating, terms, bill_to, month, rated->second));
  TRY(const auto earlier, rating.earlier(bill_to, rated->second.currency, month));
  print_invoice(invoice, options.output);
  const auto open = exporters::all_open(rated->second, earlier);
  if (options.output == Output::table)
    fmt::print("a draft: it has no number yet\n{}{}\n", open.empty() ? "nothing blocks it" : "",
               open.empty() ? "" : billing::blockers_text(open, month));
  return success();
}

void add_invoice_write_commands(CLI::App& invoice, Run& run) {
  auto options = std::make_shared<WriteOptions>();
  auto& common = options->common;

  auto* issuer = invoice.add_subcommand("issuer", "post the legal entity that invoices");
  issuer->footer("Example: gauger invoice issuer --data ./ledger larkfield.yaml");
  common.add_ledger_to(*issuer);
  common.add_who_to(*issuer);
  issuer->add_option("--now", common.now, "the time that it is; else the system's");
  issuer->add_option("file", options->file, "the issuer's document, YAML")->required();
  issuer->callback([options, &run] { run = [options] { return run_issuer(*options); }; });

  auto* review = invoice.add_subcommand(
      "review", "every bill-to's state, total and blockers; with --by, put it in review");
  review->footer(
      "Example: gauger invoice review --data ./ledger --period 2026-10 --book prices.yaml");
  options->server.add_to(*review, common.data);
  common.add_issuer_to(*review);
  common.add_scope_to(*review);
  common.add_who_to(*review);
  common.terms.add_to(*review);
  review->add_flag("--all", common.all, "everybody with usage");
  add_output_option(*review, common.output);
  review->callback([options, &run] { run = [options] { return run_review(*options); }; });

  auto* decide = invoice.add_subcommand("decide", "decide what blocks invoices, on record");
  decide->footer(
      "Example: gauger invoice decide --data ./ledger --period 2026-10 --bill-to search \\\n"
      "           --book prices.yaml --blocker unpriced:acme/x1/output_text \\\n"
      "           --action provisional-price --price '5 per million' --reason 'no list price yet'");
  options->server.add_to(*decide, common.data);
  common.add_issuer_to(*decide);
  common.add_scope_to(*decide);
  common.add_who_to(*decide);
  common.terms.add_to(*decide);
  decide->add_flag("--all", common.all, "of every bill-to that has it");
  decide->add_option("--blocker", options->blockers, "its id; may be repeated");
  decide->add_option("--kind", options->kind, "every open blocker of a kind, such as unpriced");
  decide->add_option("--action", options->action, "what to do")
      ->required()
      ->option_text("provisional-price|defer|waive REQUIRED");
  decide->add_option("--price", options->price, "the provisional price, such as '5 per million'");
  decide->callback([options, &run] { run = [options] { return run_decide(*options); }; });

  auto* finalize =
      invoice.add_subcommand("finalize", "seal a month's invoice and give it a number");
  finalize->footer(
      "Example: gauger invoice finalize --data ./ledger --period 2026-10 --bill-to search \\\n"
      "           --book prices.yaml --models models.yaml");
  options->server.add_to(*finalize, common.data);
  common.add_issuer_to(*finalize);
  common.add_scope_to(*finalize);
  common.add_who_to(*finalize);
  common.terms.add_to(*finalize);
  finalize->add_flag("--all", common.all, "everybody with usage");
  finalize->add_flag("--force", options->force, "in spite of what blocks it; needs --reason");
  finalize->callback([options, &run] { run = [options] { return run_finalize(*options); }; });
}

}  // namespace gauger::tools
