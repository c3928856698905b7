// gauger invoice list|show|export|verify: documents that stand, down to the events behind a line.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "exporters/accounting/invoice_export.h"
#include "exporters/documents/invoice_csv.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/invoice_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/server_options.h"
#include "tools/gauger/text_file.h"
#include "tools/progress.h"

namespace gauger::tools {
namespace {

using billing::Invoice;

struct ReadOptions {
  InvoiceOptions common;
  ServerOptions server;
  std::string number;
  std::string file;
  std::string to;
  std::string format = "json";
  size_t line = 0;
  bool events = false;
  size_t limit = 1'000;
};

std::string list_json(const InvoiceStore& store, const std::vector<Invoice>& invoices) {
  std::string items;
  for (const auto& invoice : invoices) {
    const auto& header = invoice.header;
    items += fmt::format(
        "{}{{\"number\": {}, \"id\": {}, \"type\": \"{}\", \"month\": \"{}\", \"bill_to\": {}, "
        "\"total\": \"{}\", \"currency\": \"{}\", \"state\": {}, \"issued_at\": \"{}\", "
        "\"hash\": \"{}\"}}",
        items.empty() ? "" : ",\n ", invoice.number, json_text(invoice.id()),
        to_string(header.type), format_month(header.month), json_text(header.bill_to.id),
        header.currency.format_minor(invoice.total_minor), header.currency.code(),
        json_text(exporters::state_of(store, invoice)), format_instant(header.issued_at),
        invoice.hash);
  }
  return "[" + items + "]\n";
}

Result<void> run_list(const ReadOptions& options) {
  const auto& common = options.common;
  if (options.server.given()) {
    QueryText query("/v1/invoices");
    query.add("issuer", common.issuer).add("period", common.period);
    exporters::ClientRequest request;
    request.target = query.text();
    return options.server.print(std::move(request), common.output, "items");
  }
  TRY(const auto at, InvoiceLedger::open(common));
  std::vector<Invoice> chosen;
  for (const auto& invoice : at.store->invoices())
    if (common.period.empty() || format_month(invoice.header.month) == common.period)
      chosen.push_back(invoice);
  if (common.output == Output::json)
    std::fputs(list_json(*at.store, chosen).c_str(), stdout);
  else
    print(exporters::invoices_report(*at.store, chosen), common.output);
  return success();
}

std::string key_text(const billing::SealedUsage& usage, const UsageKey& key) {
  const auto text = [&](StringId id) { return usage.strings[id.value]; };
  return fmt::format("workload {} account {} region {} accelerator {} program {} {} {} {} {}",
                     text(key.workload), text(key.provider_account), text(key.region),
                     text(key.accelerator), text(key.program), to_string(key.role),
                     to_string(key.outcome), to_string(key.purpose), to_string(key.usage_source));
}

int64_t quantity_of(const ledger::Reader& reader, const ledger::EventRow& event,
                    const std::string& item) {
  if (item == billing::requests_item) return 1;
  if (const auto meter = find_meter(item)) return event.counts[static_cast<size_t>(*meter)];
  int64_t sum = 0;
  for (const auto& extra : event.extras)
    if (reader.text(extra.name) == item) sum += extra.count;
  return sum;
}

bool is_behind(const ledger::Reader& reader, const billing::InvoiceLine& line,
               const UsageKey& key) {
  const auto is = [&](StringId id, const std::string& text) { return reader.text(id) == text; };
  return is(key.team, line.team) && is(key.project, line.project) &&
         is(key.provider, line.provider) && is(key.model, line.model) &&
         is(key.region, line.region) && key.service_tier == line.service_tier &&
         key.context_tier == line.context_tier;
}

// The events of the line's month, as they counted when the invoice was finalized.
Result<void> print_events(const ReadOptions& options, const InvoiceLedger& at,
                          const Invoice& invoice, const billing::PostedLine& line) {
  const auto& zone = at.store->issuer().zone;
  const auto& reader = *at.view.reader;
  ledger::EventQuery query;
  query.interval = {zone.month_begin(line.month), zone.month_begin(line.month + 1)};
  query.wanted = [&](const UsageKey& key) { return is_behind(reader, line.charge, key); };
  query.identities = true;
  query.as_of_sequence = invoice.header.as_of_sequence;
  billing::TextTable table({{"block", billing::Align::right},
                            {"row", billing::Align::right},
                            {"event"},
                            {"source"},
                            {"completed_at"},
                            {"quantity", billing::Align::right}});
  int64_t sum = 0;
  size_t found = 0;
  TRY(reader.events(query, [&](const ledger::EventRow& event) -> Result<bool> {
    const auto quantity = quantity_of(reader, event, line.charge.item);
    if (quantity == 0) return true;
    sum += quantity;
    if (found++ < options.limit)
      table.add({std::to_string(event.block), std::to_string(event.row), std::string(event.id),
                 std::string(reader.text(event.source)), format_instant(event.completed_at),
                 std::to_string(quantity)});
    return true;
  }));
  fmt::print("\nevents\n");
  print_table(table, Output::table);
  if (found > options.limit) fmt::print("... {} more (--limit)\n", found - options.limit);
  fmt::print("{} events, {} {}{}\n", found, sum, line.charge.item,
             line.type == billing::LineType::charge && sum != line.charge.quantity
                 ? "; other lines of other prices take the rest of them"
                 : "");
  return success();
}

Result<void> print_line(const ReadOptions& options, const InvoiceLedger& at,
                        const Invoice& invoice) {
  if (options.line < 1 || options.line > invoice.lines.size())
    return invalid_argument(fmt::format("{} has lines 1 to {}, not {}", invoice.id(),
                                        invoice.lines.size(), options.line));
  const auto& line = invoice.lines[options.line - 1];
  const auto& charge = line.charge;
  TRY(const auto seal, at.store->seal(invoice.number));
  fmt::print("line {} of {}: {} of {}\n", options.line, invoice.id(), to_string(line.type),
             format_month(line.month));
  fmt::print("  {} {} of {} {}, team {}, project {}\n", charge.quantity, charge.item,
             charge.provider, charge.model, charge.team, charge.project);
  if (!charge.rule.document.empty())
    fmt::print("charge\n  {} at {} = {} ({} {} line {})\n", charge.quantity,
               price_label(charge.rule.price), billing::exact_amount(charge.amount),
               charge.rule.document, charge.rule.version, charge.rule.line);
  if (line.type == billing::LineType::charge) {
    fmt::print("rollup rows, sealed at journal block {}\n", invoice.header.as_of_sequence);
    for (const auto row : billing::usage_behind(seal, line)) {
      const auto& usage = seal.usage;
      const auto found = usage.rows[row].quantities.find(charge.item);
      fmt::print(
          "  {} in {} requests: {}\n",
          found == usage.rows[row].quantities.end() ? usage.rows[row].requests : found->second,
          usage.rows[row].requests, key_text(usage, usage.keys[row]));
    }
  }
  if (!options.events) return success();
  return print_events(options, at, invoice, line);
}

Result<void> run_show(const ReadOptions& options) {
  if (options.server.given()) {
    if (options.line != 0 || options.events)
      return invalid_argument("--line and --events go with --data");
    QueryText query("/v1/invoices/" + exporters::percent_encode(options.number));
    query.add("issuer", options.common.issuer);
    exporters::ClientRequest request;
    request.target = query.text();
    return options.server.print(std::move(request), options.common.output);
  }
  if (options.events && options.line == 0) return invalid_argument("--events goes with --line N");
  TRY(const auto at, InvoiceLedger::open(options.common));
  TRY(const auto* invoice, at.store->invoice(options.number));
  if (options.line != 0) return print_line(options, at, *invoice);
  print_invoice(*invoice, options.common.output);
  if (options.common.output == Output::table)
    fmt::print("state {}\n", exporters::state_of(*at.store, *invoice));
  return success();
}

Result<void> run_export(const ReadOptions& options) {
  TRY(const auto at, InvoiceLedger::open(options.common));
  TRY(const auto* invoice, at.store->invoice(options.number));
  TRY(const auto bytes, exporters::export_invoice(*at.store, *invoice, options.format));
  return write_document(options.to, bytes);
}

Result<void> print_report(const billing::BundleReport& report) {
  const auto& invoice = report.invoice;
  if (report.findings.empty()) {
    fmt::print(
        "{} {} {}: {} lines add up, {} prices and {} quantities check, the seal derives these "
        "bytes, the chain holds\n",
        invoice.id(), invoice.header.currency.format_minor(invoice.total_minor),
        invoice.header.currency.code(), report.lines, report.prices_checked,
        report.quantities_checked);
    return success();
  }
  for (const auto& finding : report.findings) fmt::print("FINDING {}\n", finding);
  return Error{ErrorCode::corruption,
               fmt::format("{}: {} findings", invoice.id(), report.findings.size())};
}

// Every document of the ledger, derived from its seal anew.
Result<void> verify_ledger(const ReadOptions& options) {
  TRY(const auto at, InvoiceLedger::open(options.common));
  size_t findings = 0;
  Progress bar("verify", "documents", at.store->invoices().size());
  for (const auto& invoice : at.store->invoices()) {
    billing::BundleReport report;
    TRY(const auto seal, at.store->seal(invoice.number));
    verify_invoice(invoice, seal, report);
    for (const auto& finding : report.findings)
      fmt::print("FINDING {}: {}\n", invoice.id(), finding);
    findings += report.findings.size();
    bar.advance_to(static_cast<uint64_t>(invoice.number));
  }
  if (findings != 0) return Error{ErrorCode::corruption, fmt::format("{} findings", findings)};
  fmt::print("{} documents of {}: numbers without a gap, chained, and derived byte for byte\n",
             at.store->invoices().size(), at.store->issuer().party.id);
  return success();
}

Result<void> run_verify(const ReadOptions& options) {
  if (options.file.empty() == options.common.data.empty())
    return invalid_argument("verify a bundle by its FILE, or a ledger's documents with --data");
  if (options.file.empty()) return verify_ledger(options);
  TRY(const auto text, read_text_file(options.file));
  TRY(const auto report, billing::verify_bundle(text, options.file));
  return print_report(report);
}

}  // namespace

void add_invoice_read_commands(CLI::App& invoice, Run& run) {
  auto options = std::make_shared<ReadOptions>();
  auto& common = options->common;

  auto* list = invoice.add_subcommand("list", "the documents of an issuer, by number");
  list->footer("Example: gauger invoice list --data ./ledger --period 2026-10");
  options->server.add_to(*list, common.data);
  common.add_issuer_to(*list);
  list->add_option("--period", common.period, "only of this month");
  add_output_option(*list, common.output);
  list->callback([options, &run] { run = [options] { return run_list(*options); }; });

  auto* show = invoice.add_subcommand("show", "a document, or a line down to its events");
  show->footer("Example: gauger invoice show --data ./ledger LF-000007 --line 3 --events");
  options->server.add_to(*show, common.data);
  common.add_issuer_to(*show);
  show->add_option("number", options->number, "such as LF-000007")->required();
  show->add_option("--line", options->line, "where a line comes from");
  show->add_flag("--events", options->events, "down to the usage events");
  show->add_option("--limit", options->limit, "events listed at most");
  add_output_option(*show, common.output);
  show->callback([options, &run] { run = [options] { return run_show(*options); }; });

  auto* out = invoice.add_subcommand("export", "a document in another format");
  out->footer(
      "Example: gauger invoice export --data ./ledger LF-000007 --format pdf --to LF-000007.pdf\n"
      "         bundle: with seal and chain, for `gauger invoice verify` without a ledger");
  common.add_ledger_to(*out);
  out->add_option("number", options->number, "such as LF-000007")->required();
  out->add_option("--format", options->format, "of the file")
      ->check(CLI::IsMember(exporters::invoice_formats()))
      ->option_text("json|csv|pdf|focus|hledger|ledger|beancount|bundle  (default: json)");
  out->add_option("--to", options->to, "the file; else standard output");
  out->callback([options, &run] { run = [options] { return run_export(*options); }; });

  auto* verify =
      invoice.add_subcommand("verify", "check a bundle offline, or a ledger's documents");
  verify->footer("Example: gauger invoice verify LF-000007.bundle.json");
  verify->add_option("file", options->file, "an exported bundle");
  verify->add_option("--data", common.data, "a ledger: derive every document anew");
  verify->add_option("--issuer", common.issuer, "the legal entity that invoices");
  verify->callback([options, &run] { run = [options] { return run_verify(*options); }; });
}

}  // namespace gauger::tools
