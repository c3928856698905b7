// Terms of a command: the ledger's documents as they were known, and files that go before them.
// A file stands for the last version of its document, for the months that it applies to.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/terms/terms.h"
#include "ledger/documents.h"

namespace gauger::tools {

struct TermsOptions {
  std::vector<std::string> files;
  std::optional<uint64_t> known_at;  // a block of the ledger; else its last one
  // --terms FILE..., --known-at SEQUENCE.
  void add_to(CLI::App& command);
};

// The namespace of a ledger's documents.
inline constexpr std::string_view documents_name_space = "default";

class TermsSource {
 public:
  // Reads the files; the ledger's documents are read when a month asks for them. `documents` may
  // be null: files alone.
  static Result<TermsSource> open(const std::vector<std::string>& files,
                                  const ledger::Documents* documents);

  // The terms in force in a month.
  Result<billing::Terms> month(int32_t month);
  // The last version of everything, whenever it applies.
  Result<billing::Terms> latest();

 private:
  using Name = std::pair<billing::TermsKind, std::string>;
  struct Known {
    std::vector<ledger::DocumentVersion> versions;
    std::vector<billing::TermsVersion> times;
  };

  Result<const billing::TermsDocument*> read(const ledger::DocumentVersion& version);

  const ledger::Documents* documents_ = nullptr;
  std::map<Name, Known> known_;
  std::map<Name, billing::TermsDocument> files_;
  std::map<std::string, std::unique_ptr<billing::TermsDocument>> parsed_;
};

// What a stored version is called in sentences: "contract frontier-2027 (version 3)".
std::string document_name(const ledger::DocumentVersion& version);

}  // namespace gauger::tools
