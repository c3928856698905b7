// What the sub-commands of `gauger invoice` share: flags, and a ledger with the issuer's documents.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/reader.h"
#include "schemas/clock.h"
#include "tools/gauger/command.h"
#include "tools/gauger/invoice_rating.h"
#include "tools/gauger/invoice_store.h"

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
  void add_scope_to(CLI::App& command);   // --period, --bill-to, --now, --wait
  void add_who_to(CLI::App& command);     // --by, --reason
  // Who acts: --by, else the user's name.
  std::string author() const;
};

// A ledger that is read.
struct InvoiceLedger {
  std::unique_ptr<Clock> clock;
  std::unique_ptr<ledger::Reader> reader;
  std::unique_ptr<InvoiceStore> store;

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

// What an invoice says beside its lines, but for what was rated.
billing::InvoiceHeader invoice_header(const InvoiceLedger& at, const InvoiceTerms& terms,
                                      std::string_view bill_to, int32_t month,
                                      const billing::Currency& currency);

// The terms that a month of contracts names by itself.
void put_references(const RatedBillTo& rated, billing::InvoiceHeader& header);

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
