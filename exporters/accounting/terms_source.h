// Terms: the ledger's documents as they were known, and texts that go before them. A text stands
// for the last version of its document, for the months that it applies to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/terms/terms.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

class TermsSource {
 public:
  // The ledger's documents are read when a month asks for them, and outlive the source.
  // `documents` may be null: texts alone.
  static Result<TermsSource> open(const std::vector<NamedText>& texts,
                                  const ledger::Documents* documents,
                                  std::string_view name_space = documents_name_space);

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
  std::map<Name, billing::TermsDocument> texts_;
  std::map<std::string, std::unique_ptr<billing::TermsDocument>> parsed_;
};

// What a stored version is called in sentences: "contract frontier-2027 (version 3)".
std::string document_name(const ledger::DocumentVersion& version);

}  // namespace gauger::exporters
