// gauger quote: what one request costs under a price book, or every row of a CSV.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "billing/json_value.h"
#include "billing/quote.h"
#include "exporters/accounting/terms_source.h"
#include "ledger/reader.h"
#include "schemas/clock.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/server_options.h"

namespace gauger::tools {
namespace {

struct QuoteFlags {
  std::string book;
  std::string data;
  std::string batch;
  std::string at;
  std::string service_tier = "standard";
  std::vector<std::string> extras;
  billing::QuoteRequest request;
  ServerOptions server;
  Output output = Output::table;
};

Result<void> read_request(QuoteFlags& flags) {
  auto& request = flags.request;
  if (request.provider.empty() || request.model.empty())
    return invalid_argument("a quote needs --provider and --model, or --batch");
  request.at = SystemClock().now();
  if (!flags.at.empty()) {
    TRY(request.at, parse_instant(flags.at));
  }
  const auto tier = find_name<ServiceTier>(service_tier_names, flags.service_tier);
  if (!tier) return invalid_argument("'" + flags.service_tier + "' is no service tier");
  request.service_tier = *tier;
  for (const auto& extra : flags.extras) {
    const auto equals = extra.find('=');
    if (equals == std::string::npos)
      return invalid_argument("--extra is name=count, not '" + extra + "'");
    TRY(const auto count, parse_decimal(extra.substr(equals + 1), 0));
    if (count < 0 || count > std::numeric_limits<int64_t>::max())
      return invalid_argument("--extra " + extra + " is out of range");
    request.extras.emplace_back(extra.substr(0, equals), static_cast<int64_t>(count));
  }
  return success();
}

Result<void> run_batch(const QuoteFlags& flags, const billing::PriceBook& book) {
  TRY(const auto csv, read_document(flags.batch));
  TRY(const auto batch, billing::quote_batch(csv, flags.batch, book));
  TRY(write_document("", batch.csv));
  if (batch.rows_unpriced > 0)
    std::fprintf(stderr, "%zu of %zu rows hold unpriced items, named in the last column\n",
                 batch.rows_unpriced, batch.rows);
  return success();
}

// A file, or the last version in a ledger.
Result<billing::PriceBook> read_book(const QuoteFlags& flags) {
  if (flags.data.empty()) {
    TRY(const auto text, read_document(flags.book));
    return billing::parse_price_book(text, flags.book);
  }
  TRY(const auto reader, ledger::Reader::open(flags.data));
  const auto documents = reader->documents();
  TRY(const auto version,
      documents.latest({std::string(exporters::documents_name_space),
                        std::string(to_string(billing::TermsKind::price_book)), flags.book}));
  if (!version)
    return Error{ErrorCode::not_found, "there is no price book '" + flags.book + "' in the ledger"};
  TRY(const auto stored, documents.read(*version));
  return billing::parse_price_book(stored.content, exporters::document_name(*version));
}

Result<void> ask_server(QuoteFlags& flags) {
  if (!flags.batch.empty()) return invalid_argument("--batch goes with a price book at hand");
  TRY(read_request(flags));
  const auto& request = flags.request;
  billing::JsonValue body;
  if (!flags.book.empty()) body["book"] = flags.book;
  body["provider"] = request.provider;
  body["model"] = request.model;
  if (!request.region.empty()) body["region"] = request.region;
  if (!request.accelerator.empty()) body["accelerator"] = request.accelerator;
  body["service_tier"] = to_string(request.service_tier);
  body["at"] = format_instant(request.at);
  for (size_t i = 0; i < meter_count; ++i)
    if (request.counts[i] != 0) body["counts"][meter_names[i]] = request.counts[i];
  for (const auto& [name, count] : request.extras) body["extras"][name] = count;
  exporters::ClientRequest asked;
  asked.method = exporters::Method::post;
  asked.target = "/v1/quotes";
  asked.content_type = "application/json";
  asked.body = body.canonical();
  return flags.server.print(std::move(asked), flags.output);
}

Result<void> run_quote(QuoteFlags& flags) {
  if (flags.server.given()) return ask_server(flags);
  if (flags.book.empty()) return invalid_argument("--book names the price book");
  TRY(const auto book, read_book(flags));
  if (!flags.batch.empty()) return run_batch(flags, book);
  TRY(read_request(flags));
  TRY(const auto answer, billing::quote(flags.request, book));
  switch (flags.output) {
    case Output::table: return write_document("", quote_table(answer));
    case Output::json: return write_document("", quote_json(answer));
    case Output::csv: return write_document("", quote_csv(answer));
  }
  return success();
}

}  // namespace

void add_quote_command(CLI::App& app, Run& run) {
  auto* const command =
      app.add_subcommand("quote", "what a request costs under a price book, line by line");
  const auto flags = std::make_shared<QuoteFlags>();
  command->add_option("--book", flags->book,
                      "price book (YAML); with --data or --server the id of a posted one");
  flags->server.add_optional_to(*command, flags->data);
  command->add_option("--batch", flags->batch, "CSV of requests; total_exact is added to each row");
  command->add_option("--provider", flags->request.provider, "e.g. anthropic");
  command->add_option("--model", flags->request.model, "the model that answered");
  command->add_option("--region", flags->request.region);
  command->add_option("--accelerator", flags->request.accelerator);
  command->add_option("--service-tier", flags->service_tier,
                      "standard, batch, flex, priority or provisioned");
  command->add_option("--at", flags->at, "when the request completed (RFC 3339); default now");
  for (size_t i = 0; i < meter_count; ++i) {
    std::string flag(meter_names[i]);
    std::replace(flag.begin(), flag.end(), '_', '-');
    command->add_option("--" + flag, flags->request.counts[i]);
  }
  command->add_option("--extra", flags->extras, "a counted extra as name=count; may be repeated");
  add_output_option(*command, flags->output);
  command->footer(
      "Example: gauger quote --book prices.yaml --provider anthropic --model claude-opus-4-7 \\\n"
      "           --input-uncached 1200 --cache-read 210000 --output-text 900");
  command->callback([flags, &run] { run = [flags] { return run_quote(*flags); }; });
}

}  // namespace gauger::tools
