// Finalized documents as double-entry journals that hledger, ledger and beancount accept in their
// strict modes, in minor units, as an accountant books them at the issuer:
//
//   Assets:Receivable:<bill-to>            the document's total
//   Income:<kind>:<provider>:<model>       what it charged, by kind of line, credited
//   Income:Rounding                        what rounding moved on a correction
//
// One transaction per document, on the day it was issued in the issuer's time zone; notes book the
// other way round. Accounts and currencies are declared. Balances are those of the documents.
// Pure text; the same documents give the same bytes.
#pragma once

#include <span>
#include <string>

#include "billing/invoices/invoice.h"

namespace gauger::exporters {

// hledger and ledger read the same text.
enum class JournalFormat : uint8_t { hledger, ledger, beancount };

// invalid_argument: a document's time zone is not known here.
Result<std::string> journal_text(std::span<const billing::Invoice> invoices, JournalFormat format);

// A part of an account's name that all three accept: capitalized, letters, digits and dashes, and
// a suffix of its hash where that changed it, so that two names never fall together.
std::string account_part(std::string_view name);

}  // namespace gauger::exporters
