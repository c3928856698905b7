// gauger catalog: public price catalogues become price books, are compared and accepted.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "billing/catalogs/catalog_diff.h"
#include "billing/catalogs/catalog_import.h"
#include "ledger/reader.h"
#include "schemas/clock.h"
#include "schemas/time_zone.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"

namespace gauger::tools {
namespace {

using billing::CatalogFormat;
using billing::PriceBook;

Result<PriceBook> read_book(const std::string& path) {
  TRY(const auto text, read_document(path));
  return billing::parse_price_book(text, path);
}

struct ImportFlags {
  CatalogFormat format = CatalogFormat::litellm;
  std::string file;
  std::string id;
  std::string version;
  std::string effective_from;
  std::string onto;
  std::string data;
  std::string out;
};

Result<void> run_import(const ImportFlags& flags) {
  const auto today = format_day(TimeZone::utc().local_day(SystemClock().now()));
  billing::ImportOptions options;
  options.file = flags.file;
  options.id = flags.id.empty()
                   ? std::string(billing::catalog_format_names[static_cast<size_t>(flags.format)])
                   : flags.id;
  options.version = flags.version.empty() ? today : flags.version;
  if (!flags.effective_from.empty()) {
    TRY(options.effective_from, parse_instant(flags.effective_from));
  } else if (!flags.onto.empty()) {
    return invalid_argument("--onto needs --effective-from: from when do the new prices apply?");
  }
  if (!flags.data.empty()) {
    TRY(const auto reader, ledger::Reader::open(flags.data));
    options.context_boundaries = reader->config().context_boundaries;
  }
  TRY(const auto text, read_document(flags.file));
  TRY(auto imported, billing::import_catalog(flags.format, text, options));
  std::fputs(billing::notes_text(imported).c_str(), stderr);
  if (!flags.onto.empty()) {
    TRY(const auto current, read_book(flags.onto));
    TRY(imported.book, billing::update_book(current, imported.book, *options.effective_from));
  }
  return write_document(flags.out, to_yaml(imported.book));
}

struct DiffFlags {
  std::string before;
  std::string after;
  std::string at;
  Output output = Output::table;
};

std::string diff_text(const std::vector<billing::PriceDifference>& differences, Output output) {
  switch (output) {
    case Output::table: return diff_table(differences);
    case Output::json: return diff_json(differences);
    case Output::csv: return diff_csv(differences);
  }
  return {};
}

Result<void> run_diff(const DiffFlags& flags) {
  TRY(const auto before, read_book(flags.before));
  TRY(const auto after, read_book(flags.after));
  std::optional<Instant> at;
  if (!flags.at.empty()) {
    TRY(at, parse_instant(flags.at));
  }
  const auto differences = billing::diff_books(before, after, at);
  TRY(write_document("", diff_text(differences, flags.output)));
  const auto alarms =
      std::count_if(differences.begin(), differences.end(),
                    [](const auto& difference) { return !difference.alarm.empty(); });
  if (alarms > 0)
    return Error{ErrorCode::refused, std::to_string(alarms) +
                                         " price changes are not plausible; look at them before "
                                         "accepting the book"};
  return success();
}

struct AcceptFlags {
  std::string proposal;
  std::string against;
  std::string by;
  std::string because;
  std::string out;
};

Result<void> run_accept(const AcceptFlags& flags) {
  TRY(auto proposal, read_book(flags.proposal));
  std::optional<PriceBook> current;
  if (!flags.against.empty()) {
    TRY(auto book, read_book(flags.against));
    current = std::move(book);
  }
  TRY(const auto accepted, billing::accept_book(std::move(proposal), current ? &*current : nullptr,
                                                flags.by, flags.because));
  return write_document(flags.out, to_yaml(accepted));
}

void add_import(CLI::App& parent, Run& run) {
  static const std::map<std::string, CatalogFormat> formats = {
      {"litellm", CatalogFormat::litellm},
      {"genai-prices", CatalogFormat::genai_prices},
      {"models-dev", CatalogFormat::models_dev}};
  auto* const command =
      parent.add_subcommand("import", "make a price book of a public catalogue, as a proposal");
  const auto flags = std::make_shared<ImportFlags>();
  command->add_option("--from", flags->format, "litellm, genai-prices or models-dev")
      ->transform(CLI::CheckedTransformer(formats))
      ->required();
  command->add_option("FILE", flags->file, "the catalogue; - for standard input")->required();
  command->add_option("--id", flags->id, "id of the book; default the catalogue's name");
  command->add_option("--version", flags->version, "version of the book; default today");
  command->add_option("--effective-from", flags->effective_from,
                      "from when undated prices apply; default ever");
  command->add_option(
      "--onto", flags->onto,
      "a book whose prices stay until --effective-from and where they are the same");
  command->add_option("--data", flags->data,
                      "a ledger: prices above context boundaries that it does not keep are left "
                      "unpriced");
  command->add_option("--out", flags->out, "file to write; default standard output");
  command->footer(
      "Example: gauger catalog import --from litellm prices.json --data ./ledger --out list.yaml\n"
      "         gauger terms post --data ./ledger --by ann list.yaml     # a proposal\n"
      "         gauger terms accept --data ./ledger litellm --by ann     # bills from now on");
  command->callback([flags, &run] { run = [flags] { return run_import(*flags); }; });
}

void add_diff(CLI::App& parent, Run& run) {
  auto* const command =
      parent.add_subcommand("diff", "what changes between two price books; exit 1 on an alarm");
  const auto flags = std::make_shared<DiffFlags>();
  command->add_option("BEFORE", flags->before)->required();
  command->add_option("AFTER", flags->after)->required();
  command->add_option("--at", flags->at, "compare prices of this time; default the last versions");
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_diff(*flags); }; });
}

void add_accept(CLI::App& parent, Run& run) {
  auto* const command = parent.add_subcommand("accept", "make a proposal a book that may bill");
  const auto flags = std::make_shared<AcceptFlags>();
  command->add_option("PROPOSAL", flags->proposal)->required();
  command->add_option("--against", flags->against,
                      "the book in use; implausible changes are refused");
  command->add_option("--by", flags->by, "who accepts")->required();
  command->add_option("--because", flags->because, "why implausible changes are right");
  command->add_option("--out", flags->out, "file to write; default standard output");
  command->callback([flags, &run] { run = [flags] { return run_accept(*flags); }; });
}

}  // namespace

void add_catalog_command(CLI::App& app, Run& run) {
  auto* const command = app.add_subcommand("catalog", "price catalogues: import, compare, accept");
  command->require_subcommand(1);
  add_import(*command, run);
  add_diff(*command, run);
  add_accept(*command, run);
}

}  // namespace gauger::tools
