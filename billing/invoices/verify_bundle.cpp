#include "billing/invoices/verify_bundle.h"

#include <map>
#include <tuple>

#include "billing/invoices/seal_json.h"

namespace gauger::billing {
namespace {

constexpr int bundle_format = 1;

JsonValue link_json(const ChainLink& link) {
  JsonValue object;
  object["number"] = link.number;
  object["content_hash"] = link.content_hash;
  object["hash"] = link.hash;
  return object;
}

Result<ChainLink> parse_link(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a link of the chain"));
  ChainLink link;
  TRY(link.number, fields.integer("number"));
  TRY(link.content_hash, fields.text("content_hash"));
  TRY(link.hash, fields.text("hash"));
  TRY(fields.finish());
  return link;
}

void check_chain(const Invoice& invoice, std::span<const ChainLink> chain,
                 std::vector<std::string>& findings) {
  std::string previous = first_previous_hash;
  int64_t expected = 1;
  for (const auto& link : chain) {
    if (link.number != expected)
      findings.push_back("the chain has number " + std::to_string(link.number) + " where " +
                         std::to_string(expected) + " is due");
    if (chain_hash(previous, link.content_hash) != link.hash)
      findings.push_back("number " + std::to_string(link.number) +
                         " is not chained to the one before it");
    if (link.number == invoice.number && link.hash == invoice.hash &&
        previous != invoice.previous_hash)
      findings.push_back("the invoice names another hash before it than the chain");
    previous = link.hash;
    expected = link.number + 1;
  }
  if (chain.empty() || chain.back().number != invoice.number || chain.back().hash != invoice.hash)
    findings.push_back("the chain does not end with " + invoice.id());
}

void check_hashes(const Invoice& invoice, std::vector<std::string>& findings) {
  if (sha256_hex(content_json(invoice)) != invoice.content_hash)
    findings.push_back("the content of " + invoice.id() + " does not have the hash it states");
  if (chain_hash(invoice.previous_hash, invoice.content_hash) != invoice.hash)
    findings.push_back("the hash of " + invoice.id() + " is not that of its place in the chain");
}

void check_sums(const Invoice& invoice, std::vector<std::string>& findings) {
  const auto& currency = invoice.header.currency;
  Rational exact;
  Int128 minor = 0;
  for (const auto& line : invoice.lines) {
    exact += line.charge.amount;
    minor += line.charge.amount_minor;
  }
  if (minor != invoice.total_minor)
    findings.push_back("lines add up to " + currency.format_minor(minor) + ", the total is " +
                       currency.format_minor(invoice.total_minor));
  if (exact != Rational(currency.from_minor(invoice.total_minor)))
    findings.push_back("exact amounts add up to " + exact_amount(exact) + ", the total is " +
                       currency.format_minor(invoice.total_minor));
}

void check_prices(const RatedMonth& month, BundleReport& report) {
  for (const auto& part : month.parts) {
    if (part.basis == PartBasis::chargeback) continue;
    for (const auto& line : part.lines) {
      if (line.kind != ChargeKind::usage || line.rule.document.empty() ||
          line.rule.price.schedule != Schedule::flat || line.rule.label == "waived")
        continue;
      ++report.prices_checked;
      if (amount_of(line.rule.price, line.quantity) != line.amount)
        report.findings.push_back(std::to_string(line.quantity) + " " + line.item + " of " +
                                  line.model + " at " + price_label(line.rule.price) + " are not " +
                                  exact_amount(line.amount));
    }
  }
}

auto identity_of(const InvoiceLine& line) {
  return std::tuple(line.team, line.project, line.provider, line.model, line.region,
                    line.service_tier, line.context_tier, line.item);
}

// A month's lines never charge more of anything than was used of it.
void check_quantities(const Seal& seal, BundleReport& report) {
  std::map<decltype(identity_of(InvoiceLine())), Int128> used;
  const auto& usage = seal.usage;
  for (size_t i = 0; i < usage.keys.size(); ++i) {
    const auto& key = usage.keys[i];
    const auto text = [&](StringId id) { return usage.strings[id.value]; };
    const auto add = [&](const std::string& item, int64_t quantity) {
      used[{text(key.team), text(key.project), text(key.provider), text(key.model),
            text(key.region), key.service_tier, key.context_tier, item}] += quantity;
    };
    for (const auto& [item, quantity] : usage.rows[i].quantities) add(item, quantity);
    add(std::string(requests_item), usage.rows[i].requests);
  }
  std::map<decltype(identity_of(InvoiceLine())), Int128> charged;
  for (const auto& part : seal.charges.parts) {
    // Shares and late usage are told apart by less than usage is.
    if (part.basis == PartBasis::chargeback) continue;
    for (const auto& line : part.lines)
      if (line.kind == ChargeKind::usage) charged[identity_of(line)] += line.quantity;
  }
  for (const auto& [identity, quantity] : charged) {
    ++report.quantities_checked;
    const auto found = used.find(identity);
    const auto seen = found == used.end() ? Int128{0} : found->second;
    if (quantity > seen)
      report.findings.push_back(gauger::to_string(quantity) + " " + std::get<7>(identity) + " of " +
                                std::get<3>(identity) + " are charged, and " +
                                gauger::to_string(seen) + " were used");
  }
}

}  // namespace

std::string bundle_json(const Invoice& invoice, const Seal& seal,
                        std::span<const ChainLink> chain) {
  auto text_of = [](std::string text) {
    text.pop_back();  // the line feed
    return text;
  };
  const JsonValue links = json_list(chain, link_json);
  return "{\"chain\":" + links.canonical() + ",\"format\":" + std::to_string(bundle_format) +
         ",\"invoice\":" + text_of(to_json(invoice)) + R"(,"kind":"invoice_bundle","seal":)" +
         text_of(to_json(seal)) + "}\n";
}

void verify_invoice(const Invoice& invoice, const Seal& seal, BundleReport& report) {
  check_hashes(invoice, report.findings);
  check_sums(invoice, report.findings);
  check_prices(seal.charges, report);
  for (const auto& correction : seal.corrections) check_prices(correction.current, report);
  check_quantities(seal, report);
  const auto seal_text = to_json(seal);
  if (sha256_hex(seal_text) != invoice.seal_hash)
    report.findings.push_back("the seal does not have the hash that the invoice names");
  const auto derived = derive(seal, seal_text, invoice.number, invoice.previous_hash);
  if (!derived.has_value())
    report.findings.push_back("the seal derives no invoice: " + derived.error().sentence);
  else if (to_json(derived.value()) != to_json(invoice))
    report.findings.push_back("the seal derives another invoice than this one");
}

Result<BundleReport> verify_bundle(std::string_view json, std::string_view file) {
  TRY(const auto root, parse_json(json, file));
  TRY(auto fields, JsonFields::of(file, root, "an invoice bundle"));
  TRY(const auto kind, fields.text("kind"));
  if (kind != "invoice_bundle")
    return fields.error("'kind: " + kind.substr(0, 64) + "' is no invoice bundle");
  TRY(const auto format, fields.integer("format"));
  if (format != bundle_format)
    return Error{ErrorCode::newer_format,
                 std::string(file) + ": bundle format " + std::to_string(format) + " is not known"};
  BundleReport report;
  TRY(const auto* invoice, fields.object("invoice"));
  TRY(report.invoice, parse_invoice_node(file, *invoice));
  TRY(const auto* seal_node, fields.object("seal"));
  TRY(report.seal, parse_seal_node(file, *seal_node));
  const auto& seal = report.seal;
  TRY(const auto chain, parse_list<ChainLink>(fields, "chain", parse_link));
  TRY(fields.finish());
  report.lines = report.invoice.lines.size();
  if (bundle_json(report.invoice, seal, chain) != json)
    report.findings.push_back("the bundle is not in its canonical form: its bytes were changed");
  verify_invoice(report.invoice, seal, report);
  check_chain(report.invoice, chain, report.findings);
  return report;
}

std::vector<size_t> usage_behind(const Seal& seal, const PostedLine& line) {
  const auto& usage = seal.usage;
  const auto& charge = line.charge;
  const auto is = [&](StringId id, const std::string& text) {
    return usage.strings[id.value] == text;
  };
  std::vector<size_t> rows;
  for (size_t i = 0; i < usage.keys.size(); ++i) {
    const auto& key = usage.keys[i];
    const auto& quantities = usage.rows[i].quantities;
    if (is(key.team, charge.team) && is(key.project, charge.project) &&
        is(key.provider, charge.provider) && is(key.model, charge.model) &&
        is(key.region, charge.region) && key.service_tier == charge.service_tier &&
        key.context_tier == charge.context_tier &&
        (quantities.contains(charge.item) || charge.item == requests_item))
      rows.push_back(i);
  }
  return rows;
}

}  // namespace gauger::billing
