// gauger invoice correct: what changed in invoiced months, posted where no invoice follows, and the
// voiding of a document.
#include <fmt/format.h>

#include <memory>

#include "exporters/documents/invoice_csv.h"
#include "tools/gauger/invoice_options.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {
namespace {

struct CorrectOptions {
  InvoiceOptions common;
  std::string number;
  bool post = false;
  bool voids = false;
};

using billing::Invoice;

Result<Invoice> find(const InvoiceLedger& at, const CorrectOptions& options) {
  TRY(const auto* invoice, at.store->invoice(options.number));
  return *invoice;
}

// The document's own month as it is rated now: with the terms of the flags, which is a re-rating,
// or with those that it was invoiced with.
Result<RatedBillTo> current(const InvoiceRating& rating, const InvoiceTerms& terms,
                            const Invoice& invoice) {
  TRY(auto months, rating.month(invoice.header.month, terms));
  const auto found = months.find(invoice.header.bill_to.id);
  if (found == months.end())
    return RatedBillTo{{{invoice.header.month, {}}, {}, {}}, invoice.header.currency, {}, {}};
  if (found->second.currency != invoice.header.currency)
    return invalid_argument("the terms are in " + found->second.currency.code() + ", " +
                            invoice.id() + " is in " + invoice.header.currency.code());
  return std::move(found->second);
}

Result<InvoiceTerms> terms_of(const CorrectOptions& options, const InvoiceLedger& at,
                              const InvoiceRating& rating, const Invoice& invoice) {
  if (!options.common.terms.book.empty()) return read_invoice_terms(options.common.terms);
  return read_invoice_terms(*at.store,
                            rating.terms_of(invoice.header.bill_to.id, invoice.header.month));
}

Result<std::pair<billing::Seal, InvoiceTerms>> correction(const CorrectOptions& options,
                                                          const InvoiceLedger& at) {
  TRY(const auto invoice, find(at, options));
  TRY(const auto rating, InvoiceRating::open(at.view, *at.store, at.clock->now()));
  TRY(auto terms, terms_of(options, at, rating, invoice));
  TRY(auto rated, current(rating, terms, invoice));
  auto header = exporters::invoice_header(at.books(), terms, invoice.header.bill_to.id,
                                          invoice.header.month, invoice.header.currency);
  exporters::put_references(rated, header);
  header.reason = options.common.reason;
  TRY(auto seal, seal_note(std::move(header), {std::move(rated.settled)}, at.store->invoices()));
  return std::pair(std::move(seal), std::move(terms));
}

Result<void> run_void(const CorrectOptions& options) {
  if (options.common.reason.empty()) return invalid_argument("--void needs --reason");
  TRY(auto writer, InvoiceWriter::open(options.common));
  TRY(const auto invoice, find(writer.at, options));
  auto header = exporters::invoice_header(writer.at.books(), {}, invoice.header.bill_to.id,
                                          invoice.header.month, invoice.header.currency);
  header.terms = invoice.header.terms;
  header.reason = options.common.reason;
  TRY(const auto seal, seal_void(invoice, std::move(header), writer.at.store->invoices()));
  TRY(const auto note, writer.post(seal, {}, options.common.author()));
  TRY(writer.ledger->close());
  print_invoice(note, options.common.output);
  return success();
}

Result<void> run_correct(const CorrectOptions& options) {
  if (options.voids) return run_void(options);
  if (!options.post) {
    TRY(const auto at, InvoiceLedger::open(options.common));
    TRY(const auto found, correction(options, at));
    Invoice note;
    TRY(at.store->drafts_of(found.first, "preview", note));
    print_invoice(note, options.common.output);
    if (options.common.output == Output::table)
      fmt::print("nothing is posted: the next invoice carries it, or --post makes it a note now\n");
    return success();
  }
  if (options.common.reason.empty()) return invalid_argument("--post needs --reason");
  TRY(auto writer, InvoiceWriter::open(options.common));
  TRY(const auto found, correction(options, writer.at));
  TRY(const auto note, writer.post(found.first, found.second, options.common.author()));
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
  common.add_ledger_to(*command);
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
