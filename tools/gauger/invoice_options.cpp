#include "tools/gauger/invoice_options.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "exporters/documents/invoice_csv.h"
#include "ledger/backup/incarnation.h"
#include "tools/gauger/clock.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {

void InvoiceOptions::add_ledger_to(CLI::App& command) {
  add_data_option(command, data);
  add_issuer_to(command);
}

void InvoiceOptions::add_issuer_to(CLI::App& command) {
  command.add_option("--issuer", issuer, "the legal entity that invoices; needed where several do");
}

void InvoiceOptions::add_scope_to(CLI::App& command) {
  command.add_option("--period", period, "the month, such as 2026-10")->required();
  command.add_option("--bill-to", bill_tos, "who is billed; may be repeated");
  command.add_option("--now", now, "the time that it is, for replays; else the system's");
  command.add_option("--wait", wait_s, "seconds to wait for another writer of the ledger")
      ->check(CLI::Range(0, 3600));
}

void InvoiceOptions::add_who_to(CLI::App& command) {
  command.add_option("--by", by, "who does it, for the record; else the user's name");
  command.add_option("--reason", reason, "why, for the record");
}

std::string InvoiceOptions::author() const {
  if (!by.empty()) return by;
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "unknown" : user;
}

Result<InvoiceLedger> InvoiceLedger::open(const InvoiceOptions& options) {
  InvoiceLedger at;
  TRY(at.clock, make_clock(options.now));
  TRY(at.view, LedgerView::open(options.data));
  TRY(auto store,
      InvoiceStore::open(at.view.documents(), options.issuer, at.view.reader->config().time_zone));
  at.store = std::make_unique<InvoiceStore>(std::move(store));
  return at;
}

Result<InvoiceWriter> InvoiceWriter::open(const InvoiceOptions& options) {
  // A ledger that is not there is not made by asking for its invoices.
  TRY(ledger::Reader::open(options.data));
  InvoiceWriter writer;
  TRY(auto clock, make_clock(options.now));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait_s);
  for (;;) {
    auto opened = ledger::Ledger::open(options.data, {}, *clock);
    if (opened.has_value()) {
      writer.ledger = std::move(opened.value());
      break;
    }
    if (opened.error().code != ErrorCode::unavailable ||
        std::chrono::steady_clock::now() >= deadline)
      return opened.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  TRY(writer.at, InvoiceLedger::open(options));
  // The ledger borrows its clock.
  writer.at.clock = std::move(clock);
  return writer;
}

Result<billing::Invoice> InvoiceWriter::post(const billing::Seal& seal, const InvoiceTerms& terms,
                                             const std::string& author) {
  TRY(ledger::check_confirmed(ledger->documents(), at.store->issuer().party.id));
  billing::Invoice invoice;
  TRY(auto drafts, exporters::finalizing_drafts(*at.store, seal, terms, author, invoice));
  TRY(ledger->append_documents(std::move(drafts)));
  at.store->posted(invoice, terms.texts);
  return invoice;
}

void print_invoice(const billing::Invoice& invoice, Output output) {
  const auto text = output == Output::json  ? to_json(invoice)
                    : output == Output::csv ? exporters::invoice_csv(invoice)
                                            : exporters::invoice_table(invoice);
  std::fputs(text.c_str(), stdout);
}

}  // namespace gauger::tools
