#include "exporters/journal/journal.h"

#include <algorithm>
#include <map>
#include <vector>

#include "schemas/time_zone.h"

namespace gauger::exporters {
namespace {

using billing::ChargeKind;
using billing::Invoice;
using billing::LineType;

// Minor units by account; what comes in is positive.
using Postings = std::map<std::string, Int128>;

std::string income_account(const billing::PostedLine& line) {
  if (line.type == LineType::rounding || line.charge.item == "rounding") return "Income:Rounding";
  std::string kind(to_string(line.charge.kind));
  std::replace(kind.begin(), kind.end(), '_', '-');
  auto account = "Income:" + account_part(kind);
  if (!line.charge.provider.empty()) account += ":" + account_part(line.charge.provider);
  if (!line.charge.model.empty()) account += ":" + account_part(line.charge.model);
  return account;
}

std::string receivable_account(const Invoice& invoice) {
  return "Assets:Receivable:" + account_part(invoice.header.bill_to.id);
}

Postings postings_of(const Invoice& invoice) {
  Postings postings;
  postings[receivable_account(invoice)] += invoice.total_minor;
  for (const auto& line : invoice.lines) postings[income_account(line)] -= line.charge.amount_minor;
  std::erase_if(postings, [](const auto& posting) { return posting.second == 0; });
  return postings;
}

// Text that stands in quotes or after a semicolon of a journal.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool kept =
        static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != ';' && c != '|';
    out += kept ? c : ' ';
  }
  return out;
}

std::string narration(const Invoice& invoice) {
  return plain(std::string(to_string(invoice.header.type)) + " " + invoice.id() + " for " +
               format_month(invoice.header.month));
}

std::string payee(const Invoice& invoice) {
  const auto& party = invoice.header.bill_to;
  return plain(party.name.empty() ? party.id : party.name);
}

void put_postings(const Postings& postings, const billing::Currency& currency, std::string& out) {
  for (const auto& [account, minor] : postings)
    out += "    " + account + "  " + currency.format_minor(minor) + " " + currency.code() + "\n";
}

struct Entry {
  std::string day;
  const Invoice* invoice;
  Postings postings;
};

std::string declarations(std::span<const Entry> entries, JournalFormat format) {
  std::map<std::string, std::string> opened;       // account -> first day
  std::map<std::string, std::string> commodities;  // code -> sample
  for (const auto& entry : entries) {
    const auto& currency = entry.invoice->header.currency;
    commodities.emplace(currency.code(), currency.format_minor(0));
    for (const auto& [account, minor] : entry.postings) {
      auto& day = opened.emplace(account, entry.day).first->second;
      day = std::min(day, entry.day);
    }
  }
  std::string out;
  for (const auto& [code, sample] : commodities) {
    if (format == JournalFormat::beancount)
      out += "1970-01-01 commodity " + code + "\n";
    else if (format == JournalFormat::hledger)
      // A decimal mark must stand in the sample, also of a currency without minor digits.
      out += "commodity " + (sample.find('.') == std::string::npos ? sample + "." : sample) + " " +
             code + "\n";
    else
      out += "commodity " + code + "\n";
  }
  for (const auto& [account, day] : opened)
    out += format == JournalFormat::beancount ? day + " open " + account + "\n"
                                              : "account " + account + "\n";
  return out;
}

void put_entry(const Entry& entry, JournalFormat format, std::string& out) {
  const auto& invoice = *entry.invoice;
  if (format == JournalFormat::beancount) {
    out += "\n" + entry.day + " * \"" + payee(invoice) + "\" \"" + narration(invoice) + "\"\n";
    out += "  hash: \"" + invoice.hash + "\"\n";
  } else {
    out += "\n" + entry.day + " * (" + plain(invoice.id()) + ") " + payee(invoice) + "\n";
    out += "    ; " + narration(invoice) + "\n    ; hash " + invoice.hash + "\n";
  }
  put_postings(entry.postings, invoice.header.currency, out);
}

}  // namespace

std::string account_part(std::string_view name) {
  std::string part;
  for (const char c : name) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    part += kept ? c : '-';
  }
  while (!part.empty() && part.front() == '-') part.erase(0, 1);
  if (!part.empty() && part[0] >= 'a' && part[0] <= 'z')
    part[0] = static_cast<char>(part[0] - 'a' + 'A');
  // A name in lower case, digits and dashes reads as it was; others could fall together.
  bool readable = !name.empty() && name.front() != '-';
  for (const char c : name)
    readable = readable && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  if (readable) return part;
  return (part.empty() ? "X" : part) + "-" + billing::sha256_hex(name).substr(0, 6);
}

Result<std::string> journal_text(std::span<const Invoice> invoices, JournalFormat format) {
  std::vector<Entry> entries;
  for (const auto& invoice : invoices) {
    TRY(const auto zone, TimeZone::find(invoice.header.zone));
    Entry entry{format_day(zone.local_day(invoice.header.issued_at)), &invoice,
                postings_of(invoice)};
    // A document that moves nothing has nothing to book.
    if (!entry.postings.empty()) entries.push_back(std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.day < b.day; });
  auto out = declarations(entries, format);
  for (const auto& entry : entries) put_entry(entry, format, out);
  return out;
}

}  // namespace gauger::exporters
