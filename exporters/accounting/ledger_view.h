// What accounting reads: a ledger as it stands, and whose documents and usage are meant. The
// command line reads a directory; the service reads its own ledger, in the caller's namespace.
#pragma once

#include <memory>
#include <string>

#include "ledger/reader.h"

namespace gauger::exporters {

// The namespace of a company's documents where nobody says otherwise.
inline constexpr std::string_view documents_name_space = "default";

struct LedgerView {
  std::shared_ptr<const ledger::Reader> reader;
  std::string name_space{documents_name_space};  // of the documents
  bool own_usage = false;                        // of that namespace alone; else of all

  // A whole ledger, by its directory.
  static Result<LedgerView> open(const std::string& directory) {
    LedgerView view;
    TRY(view.reader, ledger::Reader::open(directory));
    return view;
  }

  ledger::Documents documents() const { return reader->documents(); }
  ledger::DocumentKey key(std::string_view kind, std::string_view id) const {
    return {name_space, std::string(kind), std::string(id)};
  }
  // The query, narrowed to the usage that is meant.
  ledger::UsageQuery narrowed(ledger::UsageQuery query) const {
    if (own_usage) query.filters.push_back({ledger::Dimension::name_space, name_space});
    return query;
  }
  // Whether usage of a key is meant.
  bool counts(const UsageKey& key) const {
    return !own_usage || reader->text(key.name_space) == name_space;
  }
};

// A document that goes before those of the ledger.
struct NamedText {
  std::string name;  // for sentences: mostly a file
  std::string text;
};

}  // namespace gauger::exporters
