// Invoices of one team over the simulated ledger: rated with the real rules from what the ledger
// answers, posted as its documents, and read back from them alone after every start.
#include "ledger/backup/incarnation.h"
#include "schemas/money.h"
#include "tests/simulation/world.h"
#include "tests/unit/billing/invoices/documents.h"

namespace gauger::simulation {
namespace {

using billing::IssuerBench;

const ledger::DocumentKey invoice_key = {"default", "invoice", "larkfield"};
const ledger::DocumentKey seal_key = {"default", "invoice_seal", "larkfield"};

const billing::PriceBook& book_of(size_t price) {
  static const auto books = [] {
    std::vector<billing::PriceBook> all;
    for (size_t i = 0; i < prices.size(); ++i)
      all.push_back(billing::book_at(format_decimal(prices[i]), "v" + std::to_string(i)));
    return all;
  }();
  return books[price];
}

ledger::UsageQuery month_of(size_t month) {
  ledger::UsageQuery query;
  query.interval = billing::month_of({.bill_to = {}, .month = billing::month_at(months[month])});
  query.bucket = ledger::Bucket::grain;
  query.filters = {{ledger::Dimension::team, std::string(billed_team)}};
  return query;
}

ledger::DocumentDraft draft_of(const ledger::DocumentKey& key, std::string content,
                               std::optional<uint32_t> after = std::nullopt) {
  ledger::DocumentDraft draft;
  draft.key = key;
  draft.author = "simulator";
  draft.content = std::move(content);
  draft.after_version = after;
  return draft;
}

Result<std::vector<std::string>> contents_of(const ledger::Documents& documents,
                                             const ledger::DocumentKey& key) {
  std::vector<std::string> contents;
  TRY(documents.each("default", key.kind,
                     [&](const ledger::DocumentVersion& version) -> Result<bool> {
                       TRY(auto document, documents.read(version));
                       contents.push_back(std::move(document.content));
                       return true;
                     }));
  return contents;
}

}  // namespace

void World::read_invoices() {
  invoices_.clear();
  const auto stored = contents_of(ledger_->documents(), invoice_key);
  require(stored.has_value(), stored ? "" : "reading invoices: " + stored.error().sentence);
  std::vector<std::string> posted;
  for (const auto& document : model_.invoices) posted.push_back(document.json);
  require(stored.value() == posted,
          "there are " + std::to_string(stored.value().size()) + " invoices, and should be " +
              std::to_string(model_.invoices.size()) + ", or one of them changed");
  for (const auto& text : stored.value()) {
    auto invoice = billing::parse_invoice(text, "invoice");
    require(invoice.has_value(), invoice ? "" : invoice.error().sentence);
    invoices_.push_back(std::move(invoice.value()));
  }
}

void World::check_invoices() {
  const auto seals = contents_of(ledger_->documents(), seal_key);
  require(seals.has_value() && seals.value().size() == invoices_.size(),
          "an invoice's seal is missing");
  for (size_t i = 0; i < invoices_.size(); ++i) {
    const auto& invoice = invoices_[i];
    const auto name = "invoice " + std::to_string(i + 1);
    require(invoice.number == static_cast<int64_t>(i) + 1, name + " has another number");
    require(
        invoice.previous_hash == (i == 0 ? billing::first_previous_hash : invoices_[i - 1].hash),
        name + " is not chained to the one before");
    billing::BundleReport report;
    billing::verify_invoice(invoice, billing::parse_seal(seals.value()[i], name).value(), report);
    require(report.findings.empty(),
            report.findings.empty() ? "" : name + ": " + report.findings[0]);
  }
  const billing::Booked booked(invoices_, billed_team, billing::Currency::find("USD").value());
  for (size_t month = 0; month < months.size(); ++month) {
    const auto total = booked.month(billing::month_at(months[month])).total_minor;
    require(total == model_.books.charged[month],
            months[month] + " is booked at " + gauger::to_string(total) + " cents, and should be " +
                gauger::to_string(model_.books.charged[month]));
  }
}

void World::post_price(Choices& choices) {
  auto next = model_;
  next.price = choices.below(prices.size());
  ++next.price_versions;
  next.block_time = std::max(next.block_time, clock_.now());
  const auto content = "price " + std::to_string(next.price);
  if (!flush()) return;
  if (commit(next, Expect::block, [&]() -> Result<void> {
        TRY(const auto versions,
            ledger_->append_documents({draft_of({"default", "price_book", "list"}, content)}));
        require(versions.front().version == model_.price_versions + 1,
                "a price book has another version than it should");
        return success();
      }))
    acknowledge();
}

void World::post_invoice(Model next, const billing::Seal& seal, std::optional<size_t> voids) {
  Model::Document document;
  document.seal = to_json(seal);
  const auto invoice =
      billing::derive(seal, document.seal, static_cast<int64_t>(invoices_.size()) + 1,
                      invoices_.empty() ? billing::first_previous_hash : invoices_.back().hash);
  require(invoice.has_value(), invoice ? "" : invoice.error().sentence);
  document.json = to_json(invoice.value());
  document.before = model_.books;
  document.after = next.books;
  document.voids = voids;
  if (!append_invoice(std::move(next), document)) return;
  ++counts_.invoices;
  counts_.voids += voids.has_value();
}

bool World::append_invoice(Model next, const Model::Document& document) {
  next.books = document.after;
  next.invoices.push_back(document);
  next.block_time = std::max(next.block_time, clock_.now());
  const auto after = static_cast<uint32_t>(model_.invoices.size());
  if (!commit(next, Expect::block, [&]() -> Result<void> {
        TRY(ledger_->append_documents({draft_of(invoice_key, document.json, after),
                                       draft_of(seal_key, document.seal, after)}));
        return success();
      }))
    return false;
  acknowledge();
  learn_issued();
  invoices_.push_back(billing::parse_invoice(document.json, "invoice").value());
  if (disk_->is_armed()) return true;
  read_invoices();
  check_invoices();
  return true;
}

// Whatever the ledger holds after a start was seen by somebody.
void World::learn_issued() {
  for (size_t i = 0; i < model_.invoices.size(); ++i) {
    if (i == issued_.size()) issued_.push_back(model_.invoices[i]);
    require(issued_[i].json == model_.invoices[i].json,
            "number " + std::to_string(i + 1) + " was given twice");
  }
}

bool World::may_number(Choices& choices) {
  const auto confirmed = ledger::check_confirmed(ledger_->documents(), "larkfield");
  if (!confirmed && confirmed.error().code == ErrorCode::io) {
    died(confirmed.error());
    return false;
  }
  require(confirmed.has_value() == model_.numbers_confirmed,
          confirmed ? "numbers are given after a restore that nobody confirmed"
                    : confirmed.error().sentence);
  if (!confirmed && choices.one_in(2)) confirm_numbers();
  return confirmed.has_value();
}

// As `gauger invoice confirm-numbers` does it: what left the house comes back in order, and then
// the last number is said.
void World::confirm_numbers() {
  for (auto i = model_.invoices.size(); i < issued_.size(); ++i)
    if (!append_invoice(model_, Model::Document(issued_[i]))) return;
  auto next = model_;
  next.numbers_confirmed = true;
  next.block_time = std::max(next.block_time, clock_.now());
  if (commit(next, Expect::block, [&]() -> Result<void> {
        TRY(ledger_->append_documents(
            {ledger::confirmation_draft("larkfield", "simulator", "{}")}));
        return success();
      }))
    acknowledge();
}

namespace {

struct Rated {
  billing::Settled settled;
  UsageTable usage;
};

Result<Rated> rated(const ledger::Ledger& ledger, size_t month, size_t price) {
  TRY(auto usage, ledger.usage(month_of(month)));
  auto settled = IssuerBench::settled(usage, book_of(price), months[month]);
  return Rated{std::move(settled), std::move(usage)};
}

}  // namespace

void World::close_month(Choices& choices) {
  if (!flush() || !may_number(choices)) return;
  const auto month = choices.below(months.size());
  auto next = model_;
  next.books.closed_price[month] = model_.price;
  next.books.charged[month] = model_.cost(month, model_.price);
  auto current = rated(*ledger_, month, model_.price);
  if (!current) return died(current.error());
  std::vector<billing::Settled> earlier;
  for (size_t other = 0; other < months.size(); ++other) {
    if (!model_.books.invoice_of[other] || other == month) continue;
    auto before = rated(*ledger_, other, model_.books.closed_price[other]);
    if (!before) return died(before.error());
    earlier.push_back(std::move(before.value().settled));
    next.books.charged[other] = model_.cost(other, model_.books.closed_price[other]);
  }
  const auto header = IssuerBench::header(months[month], billed_team);
  const auto seal =
      billing::seal_invoice({header, std::move(current.value().settled), std::move(earlier),
                             billing::seal_usage(current.value().usage, header.period,
                                                 [](const UsageKey&, Instant) { return true; })},
                            invoices_);
  require(seal.has_value() == !model_.books.invoice_of[month],
          seal ? months[month] + " was invoiced twice" : seal.error().sentence);
  if (!seal) return;
  next.books.invoice_of[month] = static_cast<int64_t>(invoices_.size()) + 1;
  post_invoice(std::move(next), seal.value());
}

void World::rerate_month(Choices& choices) {
  if (!flush() || !may_number(choices)) return;
  const auto month = choices.below(months.size());
  auto next = model_;
  next.books.closed_price[month] = model_.price;
  next.books.charged[month] = model_.cost(month, model_.price);
  auto current = rated(*ledger_, month, model_.price);
  if (!current) return died(current.error());
  const auto seal = billing::seal_note(IssuerBench::header(months[month], billed_team),
                                       {std::move(current.value().settled)}, invoices_);
  if (!seal) {
    require(
        !model_.books.invoice_of[month] || model_.books.charged[month] == next.books.charged[month],
        "re-rating " + months[month] + ": " + seal.error().sentence);
    return;
  }
  require(model_.books.invoice_of[month].has_value(), "a month without an invoice was re-rated");
  post_invoice(std::move(next), seal.value());
}

// A credit note over a whole document takes back what it had charged, for whichever months.
void World::void_one(Choices& choices) {
  if (!flush() || !may_number(choices) || invoices_.empty()) return;
  const auto which = choices.below(invoices_.size());
  const auto& voided = invoices_[which];
  const auto& document = model_.invoices[which];
  bool stands = !document.voids.has_value();
  for (const auto& other : model_.invoices) stands = stands && other.voids != which;
  auto next = model_;
  for (size_t month = 0; month < months.size(); ++month) {
    next.books.charged[month] -= document.after.charged[month] - document.before.charged[month];
    if (next.books.invoice_of[month] == voided.number) next.books.invoice_of[month].reset();
  }
  const auto month = voided.header.month == billing::month_at(months[0]) ? 0 : 1;
  const auto seal =
      billing::seal_void(voided, IssuerBench::header(months[month], billed_team), invoices_);
  require(seal.has_value() == stands,
          seal ? voided.id() + " is void already, or a void" : seal.error().sentence);
  if (seal) post_invoice(std::move(next), seal.value(), which);
}

}  // namespace gauger::simulation
