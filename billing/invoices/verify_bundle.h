// An exported invoice that somebody else can check, offline: the document, its seal, and the
// issuer's chain of hashes up to it (without the contents of others' invoices). Pure.
#pragma once

#include <functional>

#include "billing/invoices/seal.h"

namespace gauger::billing {

struct ChainLink {
  int64_t number = 0;
  std::string content_hash;
  std::string hash;
};

// Canonical JSON. `chain` goes from number 1 to the invoice's.
std::string bundle_json(const Invoice& invoice, const Seal& seal, std::span<const ChainLink> chain);

struct BundleReport {
  Invoice invoice;
  Seal seal;
  size_t lines = 0;
  size_t prices_checked = 0;          // lines whose amount is quantity times price
  size_t quantities_checked = 0;      // lines whose quantity is that of the sealed usage
  std::vector<std::string> findings;  // empty: everything holds
};

// Hashes, chain, arithmetic, and the bytes that the seal derives. An error where the text is no
// bundle at all; what does not hold in one is a finding.
Result<BundleReport> verify_bundle(std::string_view json, std::string_view file);

// The same of an invoice and its seal at hand, without the chain.
void verify_invoice(const Invoice& invoice, const Seal& seal, BundleReport& report);

// Rows of the sealed usage that a line of the invoice's own month sums up.
std::vector<size_t> usage_behind(const Seal& seal, const PostedLine& line);

}  // namespace gauger::billing
