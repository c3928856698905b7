// gauger reattribute: gives usage that nobody claimed to a team, by a document that is posted.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "exporters/accounting/usage_reading.h"
#include "ledger/ledger.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

constexpr auto document_kind = "reattribution";

struct Options {
  std::string data;
  std::string file;
  std::string id;
  std::string author;
  std::string reason;
  PeriodOptions period;
  Output output = Output::table;
};

// --- what moves -----------------------------------------------------------------------------

using Place = std::array<std::string, 3>;  // team, project, workload
struct Moved {
  int64_t requests = 0;
  int64_t input = 0;
  int64_t output = 0;
};

void add(std::map<Place, Moved>& sums, const UsageTable& usage, int64_t sign) {
  for (const auto& row : usage.rows) {
    const auto& key = usage.key(row);
    auto& sum = sums[{std::string(usage.text(key.team)), std::string(usage.text(key.project)),
                      std::string(usage.text(key.workload))}];
    sum.requests += sign * row.requests;
    for (size_t i = 0; i < token_meter_count; ++i)
      (i < input_meter_count ? sum.input : sum.output) += sign * row.counts[i];
  }
}

// What the document changes beside those that are posted, of which it may be a new version.
Result<std::map<Place, Moved>> moves_of(const ledger::Reader& reader, const Interval& interval,
                                        const billing::Reattribution& document) {
  TRY(auto documents, exporters::posted_reattributions(reader.documents()));
  ledger::UsageQuery query;
  query.interval = interval;
  query.group = mask_of(ledger::Dimension::team) | mask_of(ledger::Dimension::project) |
                mask_of(ledger::Dimension::workload);
  query.filters = {{ledger::Dimension::team, std::string(unattributed_team)}};
  const auto fine_query = billing::unclaimed_query(query);
  TRY(const auto fine, reader.usage(fine_query));
  TRY(const auto before, billing::reattribute(fine, documents));
  std::erase_if(documents, [&](const auto& posted) { return posted.id == document.id; });
  documents.push_back(document);
  TRY(const auto after, billing::reattribute(fine, documents));
  std::map<Place, Moved> moves;
  add(moves, before, -1);
  add(moves, after, 1);
  std::erase_if(moves, [](const auto& move) {
    return move.second.requests == 0 && move.second.input == 0 && move.second.output == 0;
  });
  return moves;
}

void print_moves(const std::map<Place, Moved>& moves, Output output) {
  if (output == Output::json) {
    fmt::print("[");
    auto first = true;
    for (const auto& [place, moved] : moves) {
      fmt::print(
          "{}\n  {{\"team\": {}, \"project\": {}, \"workload\": {}, \"requests\": {}, "
          "\"input\": {}, \"output\": {}}}",
          first ? "" : ",", json_text(place[0]), json_text(place[1]), json_text(place[2]),
          moved.requests, moved.input, moved.output);
      first = false;
    }
    fmt::print("\n]\n");
    return;
  }
  billing::TextTable table({{"team"},
                            {"project"},
                            {"workload"},
                            {"requests", billing::Align::right},
                            {"input", billing::Align::right},
                            {"output", billing::Align::right}});
  const auto number = [&](int64_t value) {
    if (output == Output::csv) return std::to_string(value);
    return (value < 0 ? "-" : "+") + grouped(std::abs(value));
  };
  for (const auto& [place, moved] : moves)
    table.add({place[0], place[1], place[2], number(moved.requests), number(moved.input),
               number(moved.output)});
  if (moves.empty() && output == Output::table) return fmt::print("nothing moves\n");
  print_table(table, output);
}

Result<void> preview(const Options& options) {
  TRY(const auto text, read_text_file(options.file));
  TRY(const auto document, billing::parse_reattribution(text, options.file));
  TRY(const auto reader, ledger::Reader::open(options.data));
  TRY(const auto zone, TimeZone::find(reader->config().time_zone));
  TRY(const auto interval, options.period.interval(zone));
  TRY(const auto moves, moves_of(*reader, interval, document));
  print_moves(moves, options.output);
  return success();
}

// --- posting --------------------------------------------------------------------------------

Result<void> post(const Options& options) {
  TRY(const auto text, read_text_file(options.file));
  TRY(const auto document, billing::parse_reattribution(text, options.file));
  std::map<Place, Moved> moves;
  {
    TRY(const auto reader, ledger::Reader::open(options.data));
    TRY(const auto zone, TimeZone::find(reader->config().time_zone));
    // A rule that no row can be split for is refused before it is posted.
    TRY(const auto all, PeriodOptions().interval(zone));
    TRY(moves, moves_of(*reader, all, document));
  }
  const SystemClock clock;
  TRY(const auto ledger, ledger::Ledger::open(options.data, {}, clock));
  ledger::DocumentDraft draft;
  draft.key = {"default", document_kind, document.id};
  draft.author = options.author;
  draft.reason = options.reason;
  draft.media_type = "application/yaml";
  draft.content = text;
  TRY(const auto versions, ledger->append_documents({std::move(draft)}));
  TRY(ledger->close());
  print_moves(moves, options.output);
  if (options.output == Output::table)
    fmt::print("posted: re-attribution {}, version {}, known from journal block {}\n", document.id,
               versions.front().version, versions.front().known_from);
  return success();
}

// --- what is posted -------------------------------------------------------------------------

Result<void> list(const Options& options) {
  TRY(const auto reader, ledger::Reader::open(options.data));
  billing::TextTable table({{"id"},
                            {"version", billing::Align::right},
                            {"author"},
                            {"reason"},
                            {"recorded_at"},
                            {"known_from", billing::Align::right}});
  auto first = true;
  if (options.output == Output::json) fmt::print("[");
  TRY(reader->documents().each(
      "default", document_kind, [&](const ledger::DocumentVersion& version) -> Result<bool> {
        if (options.output != Output::json) {
          table.add({version.key.id, std::to_string(version.version), version.author,
                     version.reason, format_instant(version.recorded_at),
                     std::to_string(version.known_from)});
          return true;
        }
        fmt::print(
            "{}\n  {{\"id\": {}, \"version\": {}, \"author\": {}, \"reason\": {}, "
            "\"recorded_at\": \"{}\", \"known_from\": {}}}",
            first ? "" : ",", json_text(version.key.id), version.version, json_text(version.author),
            json_text(version.reason), format_instant(version.recorded_at), version.known_from);
        first = false;
        return true;
      }));
  if (options.output == Output::json)
    fmt::print("\n]\n");
  else
    print_table(table, options.output);
  return success();
}

Result<void> show(const Options& options) {
  TRY(const auto reader, ledger::Reader::open(options.data));
  const auto documents = reader->documents();
  TRY(const auto latest, documents.latest({"default", document_kind, options.id}));
  if (!latest)
    return Error{ErrorCode::not_found, "no re-attribution has the id '" + options.id + "'"};
  TRY(const auto document, documents.read(*latest));
  fmt::print("{}{}", document.content, document.content.ends_with('\n') ? "" : "\n");
  return success();
}

}  // namespace

void add_reattribute_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("reattribute", "give usage of the team unattributed to those it is of");
  command->footer(
      "Example: what is unclaimed, what a document would move, and posting it:\n"
      "  gauger usage --data ./ledger --by team,workload,project --team unattributed\n"
      "  gauger reattribute preview --data ./ledger keys.yaml\n"
      "  gauger reattribute post --data ./ledger keys.yaml --author ada --reason 'new keys'\n"
      "keys.yaml:\n"
      "  kind: reattribution\n"
      "  id: keys-of-search\n"
      "  version: 1\n"
      "  rules:\n"
      "    - {match: {api_key: key_search}, team: search, from: 2027-01-01, until: 2027-02-01}");
  command->require_subcommand(1);

  auto* previewing = command->add_subcommand("preview", "what a document would move");
  add_data_option(*previewing, options->data);
  previewing->add_option("file", options->file, "the document, YAML")->required();
  options->period.add_to(*previewing);
  add_output_option(*previewing, options->output);
  previewing->callback([options, &run] { run = [options] { return preview(*options); }; });

  auto* posting = command->add_subcommand(
      "post", "append the document to the ledger; `rules: []` takes back an earlier version");
  add_data_option(*posting, options->data);
  posting->add_option("file", options->file, "the document, YAML")->required();
  posting->add_option("--author", options->author, "who posts it")->required();
  posting->add_option("--reason", options->reason, "why, in words");
  add_output_option(*posting, options->output);
  posting->callback([options, &run] { run = [options] { return post(*options); }; });

  auto* listing = command->add_subcommand("list", "every version that was posted");
  add_data_option(*listing, options->data);
  add_output_option(*listing, options->output);
  listing->callback([options, &run] { run = [options] { return list(*options); }; });

  auto* showing = command->add_subcommand("show", "a document's last version");
  add_data_option(*showing, options->data);
  showing->add_option("id", options->id, "its id, as listed")->required();
  showing->callback([options, &run] { run = [options] { return show(*options); }; });
}

}  // namespace gauger::tools
