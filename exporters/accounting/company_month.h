// A company's month out of a ledger: its usage, rated with the terms in force, with what the
// months before left behind. Cost, re-rating, the close of a month and invoices begin here.
//
//   TRY(auto company, RatingSource::open(view, {}, std::nullopt));
//   TRY(const auto month, company.rate(month));   // month.company.allocations, ...
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/terms/terms.h"
#include "exporters/accounting/terms_source.h"
#include "ledger/reader.h"

namespace gauger::exporters {

struct RatedMonth {
  billing::Terms terms;  // in force in the month
  UsageTable usage;      // by everything that a price or a share depends on
  billing::CompanyMonth company;
};

class RatingSource {
 public:
  // Terms as they were known at a block, else now, with the texts before them; usage is always
  // that of now.
  static Result<RatingSource> open(LedgerView view, const std::vector<NamedText>& texts,
                                   std::optional<uint64_t> known_at);
  // The ledger of `other`, with its documents alone, as they were known at a block.
  static Result<RatingSource> as_known_at(const RatingSource& other, uint64_t sequence);

  // Every contract, or the named one alone. invalid_argument where there is no contract, or not
  // that one. A proposed price book may be shown with `proposals`, never booked. `usage`: of that
  // month, instead of what the ledger and its re-attributions say.
  Result<RatedMonth> rate(int32_t month, const std::string& contract = {}, bool proposals = false,
                          const UsageTable* usage = nullptr);

  const ledger::Reader& reader() const { return *view_.reader; }
  const LedgerView& view() const { return view_; }

  // Told of the months before that a commitment or credit makes it rate.
  using Note = std::function<void(const std::string& contract, uint64_t done, uint64_t total)>;
  void report_to(Note note) { note_ = std::move(note); }

 private:
  Result<UsageTable> usage_of(const std::vector<billing::Contract>& contracts, int32_t month) const;
  Result<billing::ContractHistory> history(const billing::Contract& contract, int32_t month,
                                           bool proposals);

  LedgerView view_;
  std::shared_ptr<ledger::Documents> documents_;
  std::unique_ptr<TermsSource> terms_;
  Note note_;
};

}  // namespace gauger::exporters
