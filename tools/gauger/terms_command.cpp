// gauger terms: price books, contracts and the other terms as dated documents of the ledger.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "billing/catalogs/catalog_diff.h"
#include "exporters/accounting/closed_months.h"
#include "exporters/accounting/terms_posting.h"
#include "ledger/reader.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {
namespace {

using billing::TermsDocument;

constexpr auto yaml_media_type = "application/yaml";

struct ReadTerms {
  TermsDocument document;
  std::string text;
};

Result<std::vector<ReadTerms>> read_files(const std::vector<std::string>& files) {
  std::vector<ReadTerms> read;
  for (const auto& file : files) {
    TRY(auto text, read_document(file));
    TRY(auto document, billing::parse_terms(text, file));
    read.push_back({std::move(document), std::move(text)});
  }
  return read;
}

std::string applies_text(std::optional<Instant> from) {
  return from ? format_instant(*from) : "ever";
}

struct CheckFlags {
  std::vector<std::string> files;
  std::string data;
  Output output = Output::table;
};

Result<void> run_check(const CheckFlags& flags) {
  TRY(const auto read, read_files(flags.files));
  std::optional<LedgerView> view;
  if (!flags.data.empty()) {
    TRY(view, LedgerView::open(flags.data));
  }
  TRY(const auto texts, read_texts(flags.files));
  TRY(exporters::check_together(texts, view ? &*view : nullptr));
  billing::TextTable table(
      {{"kind"}, {"id"}, {"version"}, {"applies_from"}, {"content"}, {"file"}});
  for (const auto& [document, text] : read)
    table.add({std::string(to_string(document.kind())), document.id(), document.version(),
               applies_text(document.applies_from()), document.summary(), document.file()});
  if (flags.output != Output::json) {
    print_table(table, flags.output);
    return success();
  }
  std::string rows;
  for (const auto& [document, text] : read)
    rows += fmt::format(
        "{}{{\"kind\":{},\"id\":{},\"version\":{},\"applies_from\":{},\"content\":{}}}",
        rows.empty() ? "" : ",", json_text(to_string(document.kind())), json_text(document.id()),
        json_text(document.version()), json_text(applies_text(document.applies_from())),
        json_text(document.summary()));
  fmt::print("[{}]\n", rows);
  return success();
}

struct PostFlags {
  std::string data;
  std::vector<std::string> files;
  std::string by;
  std::string because;
};

Result<void> append(const std::string& data, std::vector<ledger::DocumentDraft> drafts) {
  TRY(const auto versions, append_documents(data, std::move(drafts)));
  for (const auto& version : versions)
    fmt::print("{} {} version {}, applies from {}, known from journal block {}\n", version.key.kind,
               version.key.id, version.version, applies_text(version.applies_from),
               version.known_from);
  return success();
}

Result<void> run_post(const PostFlags& flags) {
  TRY(const auto read, read_files(flags.files));
  TRY(const auto view, LedgerView::open(flags.data));
  TRY(const auto texts, read_texts(flags.files));
  TRY(exporters::check_together(texts, &view));
  std::vector<ledger::DocumentDraft> drafts;
  for (const auto& one : read) {
    TRY(auto draft,
        exporters::draft_of_terms(one.document, one.text, view.name_space, view.documents()));
    if (!draft) {
      fmt::print("{} {} is posted already\n", exporters::key_of_terms(one.document).kind,
                 one.document.id());
      continue;
    }
    draft->author = flags.by;
    draft->reason = flags.because;
    drafts.push_back(std::move(*draft));
  }
  if (drafts.empty()) return success();
  TRY(append(flags.data, std::move(drafts)));
  for (const auto& one : read)
    if (one.document.is_proposal())
      fmt::print("the price book {} is a proposal: accept it with `gauger terms accept {}`\n",
                 one.document.id(), one.document.id());
  return success();
}

struct AcceptFlags {
  std::string data;
  std::string id;
  std::string by;
  std::string because;
};

Result<void> run_accept(const AcceptFlags& flags) {
  TRY(const auto reader, ledger::Reader::open(flags.data));
  const auto documents = reader->documents();
  ledger::DocumentKey key{std::string(documents_name_space),
                          std::string(billing::proposed_price_book_kind), flags.id};
  TRY(const auto proposed, documents.latest(key));
  if (!proposed)
    return Error{ErrorCode::not_found, "there is no proposal of a price book '" + flags.id + "'"};
  TRY(const auto proposal_text, documents.read(*proposed));
  TRY(auto proposal, billing::parse_price_book(proposal_text.content, document_name(*proposed)));
  key.kind = to_string(billing::TermsKind::price_book);
  TRY(const auto in_use, documents.latest(key));
  std::optional<billing::PriceBook> current;
  if (in_use) {
    TRY(const auto text, documents.read(*in_use));
    TRY(current, billing::parse_price_book(text.content, document_name(*in_use)));
    if (current->version == proposal.version)
      return Error{ErrorCode::conflict, "the price book " + flags.id + " " + proposal.version +
                                            " is in use already, as " + document_name(*in_use)};
  }
  TRY(const auto accepted, billing::accept_book(std::move(proposal), current ? &*current : nullptr,
                                                flags.by, flags.because));
  ledger::DocumentDraft draft;
  draft.key = key;
  draft.applies_from = accepted.applies_from;
  draft.author = flags.by;
  draft.reason = flags.because;
  draft.media_type = yaml_media_type;
  draft.content = to_yaml(accepted);
  draft.after_version = in_use ? in_use->version : 0;
  return append(flags.data, {std::move(draft)});
}

struct ListFlags {
  std::string data;
  std::string kind;
  std::string id;
  std::optional<uint32_t> version;
  bool history = false;
  Output output = Output::table;
};

std::vector<std::string_view> kinds_of(const std::string& wanted) {
  if (!wanted.empty()) return {wanted};
  std::vector<std::string_view> kinds(billing::terms_kind_names.begin(),
                                      billing::terms_kind_names.end());
  kinds.push_back(billing::proposed_price_book_kind);
  return kinds;
}

Result<void> run_list(const ListFlags& flags) {
  TRY(const auto reader, ledger::Reader::open(flags.data));
  const auto documents = reader->documents();
  billing::TextTable table({{"kind"},
                            {"id"},
                            {"version"},
                            {"number", billing::Align::right},
                            {"applies_from"},
                            {"known_from", billing::Align::right},
                            {"recorded_at"},
                            {"by"},
                            {"because"},
                            {"content"}});
  std::string json;
  for (const auto kind : kinds_of(flags.kind)) {
    std::vector<ledger::DocumentVersion> versions;
    TRY(documents.each(
        documents_name_space, kind, [&](const ledger::DocumentVersion& version) -> Result<bool> {
          if (!flags.history && !versions.empty() && versions.back().key == version.key)
            versions.back() = version;
          else
            versions.push_back(version);
          return true;
        }));
    for (const auto& version : versions) {
      TRY(const auto stored, documents.read(version));
      TRY(const auto document, billing::parse_terms(stored.content, document_name(version)));
      table.add({version.key.kind, version.key.id, document.version(),
                 std::to_string(version.version), applies_text(version.applies_from),
                 std::to_string(version.known_from), format_instant(version.recorded_at),
                 version.author, version.reason, document.summary()});
      json += fmt::format(
          "{}{{\"kind\":{},\"id\":{},\"version\":{},\"number\":{},\"applies_from\":{},"
          "\"known_from\":{},\"recorded_at\":{},\"by\":{},\"because\":{},\"content_hash\":{}}}",
          json.empty() ? "" : ",", json_text(version.key.kind), json_text(version.key.id),
          json_text(document.version()), version.version,
          json_text(applies_text(version.applies_from)), version.known_from,
          json_text(format_instant(version.recorded_at)), json_text(version.author),
          json_text(version.reason), json_text(ledger::to_hex(version.content_hash)));
    }
  }
  if (flags.output == Output::json)
    fmt::print("[{}]\n", json);
  else
    print_table(table, flags.output);
  return success();
}

Result<void> run_show(const ListFlags& flags) {
  TRY(const auto reader, ledger::Reader::open(flags.data));
  const auto documents = reader->documents();
  const ledger::DocumentKey key{std::string(documents_name_space), flags.kind, flags.id};
  TRY(const auto version,
      flags.version ? documents.version(key, *flags.version) : documents.latest(key));
  if (!version)
    return Error{ErrorCode::not_found,
                 "there is no " + flags.kind + " '" + flags.id + "'" +
                     (flags.version ? " of number " + std::to_string(*flags.version) : "")};
  TRY(const auto stored, documents.read(*version));
  return write_document("", stored.content);
}

void add_check(CLI::App& parent, Run& run) {
  auto* const command =
      parent.add_subcommand("check", "read documents and check them against each other");
  const auto flags = std::make_shared<CheckFlags>();
  command->add_option("FILE", flags->files, "documents (YAML)")->required();
  command->add_option("--data", flags->data,
                      "also against a ledger: its documents, boundaries and grain");
  add_output_option(*command, flags->output);
  command->footer("Example: gauger terms check --data ./ledger contract.yaml prices.yaml");
  command->callback([flags, &run] { run = [flags] { return run_check(*flags); }; });
}

void add_post(CLI::App& parent, Run& run) {
  auto* const command =
      parent.add_subcommand("post", "append documents to the ledger, all or none");
  const auto flags = std::make_shared<PostFlags>();
  add_data_option(*command, flags->data);
  command->add_option("FILE", flags->files, "documents (YAML)")->required();
  command->add_option("--by", flags->by, "who posts them")->required();
  command->add_option("--because", flags->because, "why, in words");
  command->footer(
      "Example: gauger terms post --data ./ledger --by ann prices.yaml contract.yaml policy.yaml");
  command->callback([flags, &run] { run = [flags] { return run_post(*flags); }; });
}

void add_accept(CLI::App& parent, Run& run) {
  auto* const command =
      parent.add_subcommand("accept", "let a proposed price book bill from now on");
  const auto flags = std::make_shared<AcceptFlags>();
  add_data_option(*command, flags->data);
  command->add_option("ID", flags->id, "of the price book")->required();
  command->add_option("--by", flags->by, "who accepts it")->required();
  command->add_option("--because", flags->because, "why implausible changes are right");
  command->footer("Example: gauger terms accept --data ./ledger anthropic-list --by ann");
  command->callback([flags, &run] { run = [flags] { return run_accept(*flags); }; });
}

void add_list(CLI::App& parent, Run& run) {
  auto* const command = parent.add_subcommand("list", "the documents that the ledger has");
  const auto flags = std::make_shared<ListFlags>();
  add_data_option(*command, flags->data);
  command->add_option("--kind", flags->kind, "only this kind, such as contract");
  command->add_flag("--history", flags->history, "every version, not only the last one");
  add_output_option(*command, flags->output);
  command->footer("Example: gauger terms list --data ./ledger --kind price_book --history");
  command->callback([flags, &run] { run = [flags] { return run_list(*flags); }; });
}

void add_show(CLI::App& parent, Run& run) {
  auto* const command = parent.add_subcommand("show", "print a document as it was posted");
  const auto flags = std::make_shared<ListFlags>();
  add_data_option(*command, flags->data);
  command->add_option("KIND", flags->kind, "such as price_book")->required();
  command->add_option("ID", flags->id)->required();
  command->add_option("--number", flags->version, "of the version, counted from 1; default last");
  command->footer("Example: gauger terms show --data ./ledger contract frontier-2027 --number 1");
  command->callback([flags, &run] { run = [flags] { return run_show(*flags); }; });
}

}  // namespace

void add_terms_command(CLI::App& app, Run& run) {
  auto* const command = app.add_subcommand(
      "terms", "price books, contracts, programmes, policies: check, post, accept, list, show");
  command->require_subcommand(1);
  add_check(*command, run);
  add_post(*command, run);
  add_accept(*command, run);
  add_list(*command, run);
  add_show(*command, run);
}

}  // namespace gauger::tools
