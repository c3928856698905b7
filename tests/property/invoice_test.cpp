// Why: P6, P7 and P9 for any history. How: random usage, late usage, retractions, price changes,
// closings, notes, re-ratings, voids and restarts, against a model of whole numbers: what every
// month of a bill-to was charged so far, and by which document. A month that was just posted stands
// at its quantity times the price that it was closed or re-rated with, rounded once; in the end all
// documents are what they were, derive from their seals byte for byte, and add up.
#include <rapidcheck.h>

#include <iostream>
#include <map>

#include "tests/unit/billing/invoices/documents.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

constexpr int histories = 1'000;
constexpr std::array<std::string_view, 4> months = {"2026-05", "2026-06", "2026-07", "2026-08"};
constexpr std::array<std::string_view, 2> projects = {"a", "b"};
// Pico-units per token: prices that leave fractions of a cent.
constexpr std::array<int64_t, 4> prices = {3'000'001, 15'000'000, 1'234'567, 9'999'999'999};

enum class Act { use, retract, price, close, note, rerate, take_back, restart };

struct Step {
  Act act;
  size_t month;
  size_t project;
  int64_t amount;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{act " << static_cast<int>(step.act) << ", month " << step.month << ", project "
             << step.project << ", " << step.amount << "}";
}

const PriceBook& book_of(size_t price) {
  static const auto books = [] {
    std::vector<PriceBook> all;
    for (size_t i = 0; i < prices.size(); ++i)
      all.push_back(book_at(format_decimal(prices[i]), "v" + std::to_string(i)));
    return all;
  }();
  return books[price];
}

// Half to even, of non-negative pico-units into cents, by hand.
Int128 cents(Int128 pico) {
  const Int128 cent = 10'000'000'000;
  const auto whole = pico / cent;
  const auto twice = (pico % cent) * 2;
  return whole + (twice > cent || (twice == cent && whole % 2 != 0) ? 1 : 0);
}

class History {
 public:
  void apply(const Step& step) {
    switch (step.act) {
      case Act::use: used_[step.month][step.project] += step.amount; break;
      case Act::retract: {
        auto& quantity = used_[step.month][step.project];
        quantity -= std::min(quantity, step.amount);
        break;
      }
      case Act::price: price_ = step.project + 2 * (step.month % 2); break;
      case Act::close: close(step.month); break;
      case Act::note: note(step.month, closed_price_[step.month]); break;
      case Act::rerate: note(step.month, price_); break;
      case Act::take_back: take_back(step.month); break;
      case Act::restart: restart(); break;
    }
    const Booked booked(bench_.documents, "search", Currency::find("USD").value());
    for (size_t month = 0; month < months.size(); ++month)
      RC_ASSERT(booked.month(month_at(months[month])).total_minor == charged_[month]);
  }

  // Every document is what it was when it was posted.
  void check() const {
    for (size_t i = 0; i < bench_.documents.size(); ++i) {
      const auto& document = bench_.documents[i];
      RC_ASSERT(to_json(document) == bytes_[i]);
      BundleReport report;
      verify_invoice(document, bench_.seals[i], report);
      RC_ASSERT(report.findings.empty());
      RC_ASSERT(document.number == static_cast<int64_t>(i) + 1);
      RC_ASSERT(document.previous_hash ==
                (i == 0 ? first_previous_hash : bench_.documents[i - 1].hash));
    }
  }

 private:
  Int128 expected(size_t month) const {
    Int128 pico = 0;
    for (const auto quantity : used_[month])
      pico += Int128{quantity} * prices[closed_price_[month]];
    return cents(pico);
  }

  UsageBuilder usage(size_t month) const {
    UsageBuilder builder;
    for (size_t project = 0; project < projects.size(); ++project)
      if (used_[month][project] != 0)
        builder.add({.at = std::string(months[month]) + "-01", .project = projects[project]},
                    {{Meter::input_uncached, used_[month][project]}});
    return builder;
  }

  Settled rated(size_t month, size_t price) const {
    return IssuerBench::settled(usage(month), book_of(price), months[month]);
  }

  // What a document changes is remembered with it, so that voiding it can be told.
  void posted(const Invoice& invoice, const std::vector<size_t>& stands) {
    auto& changes = changes_[invoice.number];
    for (const auto month : stands) {
      changes[month] = expected(month) - charged_[month];
      charged_[month] = expected(month);
    }
    bytes_.push_back(to_json(invoice));
  }

  void close(size_t month) {
    if (invoice_.contains(month)) return;
    closed_price_[month] = price_;
    std::vector<Settled> earlier;
    std::vector<size_t> stands = {month};
    for (const auto& [other, number] : invoice_) {
      earlier.push_back(rated(other, closed_price_[other]));
      stands.push_back(other);
    }
    const auto invoice = bench_.finalize(IssuerBench::header(months[month]), rated(month, price_),
                                         std::move(earlier), usage_of(usage(month), months[month]));
    RC_ASSERT(invoice.has_value());
    invoice_[month] = invoice.value().number;
    posted(invoice.value(), stands);
  }

  void note(size_t month, size_t price) {
    const auto seal =
        seal_note(IssuerBench::header(months[month]), {rated(month, price)}, bench_.documents);
    if (!invoice_.contains(month)) {
      RC_ASSERT(!seal.has_value());
      return;
    }
    closed_price_[month] = price;
    if (!seal.has_value()) {
      // Refused only where there is nothing to post.
      RC_ASSERT(charged_[month] == expected(month));
      return;
    }
    posted(bench_.post(seal).value(), {month});
  }

  void take_back(size_t month) {
    const auto found = invoice_.find(month);
    if (found == invoice_.end()) return;
    const auto& invoice = bench_.documents[static_cast<size_t>(found->second - 1)];
    const auto note =
        bench_.post(seal_void(invoice, IssuerBench::header(months[month]), bench_.documents));
    RC_ASSERT(note.has_value());
    RC_ASSERT(note.value().total_minor == -invoice.total_minor);
    for (const auto& [other, change] : changes_[invoice.number]) charged_[other] -= change;
    bytes_.push_back(to_json(note.value()));
    invoice_.erase(found);
  }

  // Everything from its stored form.
  void restart() {
    for (auto& document : bench_.documents)
      document = parse_invoice(to_json(document), "invoice").value();
    for (auto& seal : bench_.seals) seal = parse_seal(to_json(seal), "seal").value();
  }

  IssuerBench bench_;
  std::array<std::array<int64_t, projects.size()>, months.size()> used_{};
  std::array<size_t, months.size()> closed_price_{};
  std::array<Int128, months.size()> charged_{};
  std::map<size_t, int64_t> invoice_;  // the standing one of a month
  std::map<int64_t, std::map<size_t, Int128>> changes_;
  std::vector<std::string> bytes_;
  size_t price_ = 0;
};

rc::Gen<Step> a_step() {
  return rc::gen::apply(
      [](int act, size_t month, size_t project, int64_t amount) {
        // Usage comes more often than anything else.
        return Step{act < 8 ? static_cast<Act>(act) : Act::use, month, project, amount};
      },
      rc::gen::inRange(0, 11), rc::gen::inRange<size_t>(0, months.size()),
      rc::gen::inRange<size_t>(0, projects.size()), rc::gen::inRange<int64_t>(1, 5'000));
}

}  // namespace

namespace rc {
template <>
struct Arbitrary<Step> {
  static Gen<Step> arbitrary() { return a_step(); }
};
}  // namespace rc

TEST_CASE("a thousand random histories of invoices keep what was promised", "[billing]") {
  auto params = rc::detail::configuration().testParams;
  params.maxSuccess = histories;
  params.maxSize = 40;  // steps
  const auto result = rc::detail::checkTestable(
      [](const std::vector<Step>& steps) {
        History history;
        for (const auto& step : steps) history.apply(step);
        history.check();
      },
      rc::detail::TestMetadata{}, params);
  rc::detail::printResultMessage(result, std::cerr);
  CHECK(result.is<rc::detail::SuccessResult>());
}
