// What the sub-commands of `gauger invoice` share: flags, and a ledger with the issuer's documents.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "exporters/accounting/invoice_making.h"
#include "ledger/ledger.h"
#include "schemas/clock.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"

namespace gauger::tools {

struct InvoiceOptions {
  std::string data;
  std::string issuer;
  std::string period;
  std::vector<std::string> bill_tos;
  bool all = false;
  InvoiceTermsOptions terms;
  std::string now;
  std::string by;
  std::string reason;
  int wait_s = 30;
  Output output = Output::table;

  void add_ledger_to(CLI::App& command);  // --data, --issuer
  void add_issuer_to(CLI::App& command);
  void add_scope_to(CLI::App& command);  // --period, --bill-to, --now, --wait
  void add_who_to(CLI::App& command);    // --by, --reason
  // Who acts: --by, else the user's name.
  std::string author() const;
};

// A ledger that is read.
struct InvoiceLedger {
  std::unique_ptr<Clock> clock;
  LedgerView view;
  std::unique_ptr<InvoiceStore> store;

  exporters::InvoiceBooks books() const { return {view, *store, clock->now()}; }

  static Result<InvoiceLedger> open(const InvoiceOptions& options);
};

// A ledger that this process alone writes, with what is durable in it to read.
struct InvoiceWriter {
  InvoiceLedger at;
  std::unique_ptr<ledger::Ledger> ledger;

  // Waits for another writer as long as --wait says; unavailable after that.
  static Result<InvoiceWriter> open(const InvoiceOptions& options);
  // The seal as the next number, with the terms it rests on where the ledger lacks them, in one
  // block: all or nothing.
  Result<billing::Invoice> post(const billing::Seal& seal, const InvoiceTerms& terms,
                                const std::string& author);
};

// Prints an invoice as --output asks for.
void print_invoice(const billing::Invoice& invoice, Output output);

// The sub-commands, by file.
void add_invoice_write_commands(CLI::App& invoice, Run& run);
void add_invoice_correct_command(CLI::App& invoice, Run& run);
void add_invoice_read_commands(CLI::App& invoice, Run& run);
void add_invoice_numbers_command(CLI::App& invoice, Run& run);

// Prints what the invoice of the bill-to would be now; used by draft and review.
Result<void> preview_invoice(const InvoiceOptions& options, const std::string& bill_to);

}  // namespace gauger::tools
