// gauger invoice correct: what changed in invoiced months, posted where no invoice follows, and the
// voiding of a document.
#include <fmt/format.h>

#include <memory>

#include "exporters/accounting/invoice_correcting.h"
#include "exporters/documents/invoice_csv.h"
#include "tools/gauger/invoice_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/server_documents.h"

namespace gauger::tools {
namespace {

struct CorrectOptions {
  InvoiceOptions common;
  ServerOptions server;
  std::string number;
  bool post = false;
  bool voids = false;
};

using billing::Invoice;

Result<Invoice> find(const InvoiceLedger& at, const CorrectOptions& options) {
  TRY(const auto* invoice, at.store->invoice(options.number));
  return *invoice;
}

Result<exporters::Correction> correction(const CorrectOptions& options, const InvoiceLedger& at) {
  TRY(const auto invoice, find(at, options));
  std::optional<InvoiceTerms> terms;
  if (!options.common.terms.book.empty()) {
    TRY(terms, read_invoice_terms(options.common.terms));
  }
  return exporters::correction_of(at.books(), invoice, std::move(terms), options.common.reason);
}

Result<void> run_void(const CorrectOptions& options) {
  if (options.common.reason.empty()) return invalid_argument("--void needs --reason");
  TRY(auto writer, InvoiceWriter::open(options.common));
  TRY(const auto invoice, find(writer.at, options));
  TRY(const auto seal, exporters::void_of(writer.at.books(), invoice, options.common.reason));
  TRY(const auto note, writer.post(seal, {}, options.common.author()));
  TRY(writer.ledger->close());
  print_invoice(note, options.common.output);
  return success();
}

Result<void> ask_server(const CorrectOptions& options) {
  const auto& common = options.common;
  const auto path = "/v1/invoices/" + exporters::percent_encode(options.number);
  if (!options.post && !options.voids) {
    QueryText query(path + "/correction");
    query.add("issuer", common.issuer);
    add_terms(query, common.terms);
    exporters::ClientRequest request;
    request.target = query.text();
    return options.server.print(std::move(request), common.output);
  }
  if (!common.by.empty()) return invalid_argument("--by goes with --data");
  billing::JsonValue body;
  body["reason"] = common.reason;
  put_text(body, "issuer", common.issuer);
  if (!options.voids) put_terms(body, common.terms);
  return post_document(options.server, path + (options.voids ? "/void" : "/correction"), body,
                       options.common.output);
}

Result<void> run_correct(const CorrectOptions& options) {
  if (options.server.given()) return ask_server(options);
  if (options.voids) return run_void(options);
  if (!options.post) {
    TRY(const auto at, InvoiceLedger::open(options.common));
    TRY(const auto found, correction(options, at));
    Invoice note;
    TRY(at.store->drafts_of(found.seal, "preview", note));
    print_invoice(note, options.common.output);
    if (options.common.output == Output::table)
      fmt::print("nothing is posted: the next invoice carries it, or --post makes it a note now\n");
    return success();
  }
  if (options.common.reason.empty()) return invalid_argument("--post needs --reason");
  TRY(auto writer, InvoiceWriter::open(options.common));
  TRY(const auto found, correction(options, writer.at));
  TRY(const auto note, writer.post(found.seal, found.terms, options.common.author()));
  TRY(writer.ledger->close());
  print_invoice(note, options.common.output);
  return success();
}

}  // namespace

void add_invoice_correct_command(CLI::App& invoice, Run& run) {
  auto options = std::make_shared<CorrectOptions>();
  auto* command = invoice.add_subcommand(
      "correct", "what an invoiced month now costs more or less; void a document");
  command->footer(
      "Late usage and retractions come as correction lines of the bill-to's next invoice by\n"
      "themselves. Where none follows, --post makes them a credit or debit note. With --book the\n"
      "month is rated anew under other terms.\n"
      "Example: gauger invoice correct --data ./ledger LF-000007\n"
      "         gauger invoice correct --data ./ledger LF-000007 --post --reason 'team is closed'\n"
      "         gauger invoice correct --data ./ledger LF-000007 --void --reason 'wrong bill-to'");
  auto& common = options->common;
  options->server.add_to(*command, common.data);
  common.add_issuer_to(*command);
  common.add_who_to(*command);
  common.terms.add_to(*command);
  command->add_option("number", options->number, "of the invoice, such as LF-000007")->required();
  command->add_flag("--post", options->post, "post it as a note now");
  command->add_flag("--void", options->voids, "take the document back in full");
  command->add_option("--now", common.now, "the time that it is; else the system's");
  command->add_option("--wait", common.wait_s, "seconds to wait for another writer");
  add_output_option(*command, common.output);
  command->callback([options, &run] { run = [options] { return run_correct(*options); }; });
}

}  // namespace gauger::tools
