#include "billing/terms/terms.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "ledger/hash.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

std::string counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string summary_of(const PriceBook& book) {
  return std::to_string(book.entries.size()) + " price entries in " + book.currency.code() +
         (book.status == BookStatus::proposed ? ", a proposal" : "");
}
std::string summary_of(const ModelCatalog& catalog) {
  return counted(catalog.entries.size(), "model rule");
}
std::string summary_of(const Contract& contract) {
  const auto end = contract.term.until == end_of_time ? std::string("open end")
                                                      : format_instant(contract.term.until);
  return contract.provider + " in " + contract.currency.code() + ", " +
         counted(contract.regimes.size(), "regime") + ", " + format_instant(contract.term.from) +
         " to " + end;
}
std::string summary_of(const CapacityRecords& capacity) {
  return counted(capacity.records.size(), "record") + " of contract " + capacity.contract;
}
std::string summary_of(const ChargebackPolicy& policy) {
  switch (policy.basis) {
    case ChargeBasis::pass_through: return "passes cost through";
    case ChargeBasis::mark_up: return "marks cost up";
    case ChargeBasis::rate_card: return "charges by the rate card " + policy.rate_card;
  }
  return {};
}
std::string summary_of(const ExchangeRates& rates) { return counted(rates.rates.size(), "rate"); }
std::string summary_of(const Organisation& organisation) {
  return counted(organisation.units.size(), "unit") + ", " +
         counted(organisation.teams.size(), "team");
}
std::string summary_of(const Program& program) {
  return program.student.model + " for " + program.teacher.model + " in " +
         program.currency.code() + ", live from " + format_month(program.go_live);
}
std::string summary_of(const Alternative& alternative) {
  const auto& [student, teacher] =
      std::tie(alternative.conversion.student, alternative.conversion.teacher);
  return teacher.model + " of " + teacher.provider + " in place of " + student.model + " of " +
         student.provider;
}

Error conflict_at(const TermsDocument& document, std::string sentence) {
  auto error = document_error(document.file(), document.line("id"), std::move(sentence));
  error.code = ErrorCode::conflict;
  return error;
}

// The documents of a Terms, taken apart.
class Gatherer {
 public:
  Result<Terms> run(std::vector<TermsDocument> documents) {
    for (auto& document : documents) {
      TRY(add(std::move(document)));
    }
    auto& contracts = terms_.company.contracts;
    std::sort(contracts.begin(), contracts.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    std::sort(terms_.references.begin(), terms_.references.end());
    TRY(check_contracts(contracts));
    TRY(check_programs(terms_.programs));
    for (const auto& contract : contracts) {
      TRY(check_books(contract));
    }
    for (const auto& capacity : terms_.company.capacity) {
      TRY(check_capacity(capacity));
    }
    for (const auto& [id, policy] : terms_.policies)
      if (!policy.rate_card.empty() && !terms_.company.books.contains(policy.rate_card))
        return document_error(policy.file, line_of(TermsKind::chargeback_policy, id, "rate_card"),
                              "the rate card '" + policy.rate_card + "' of the policy " + id +
                                  " is not among the terms");
    return std::move(terms_);
  }

 private:
  Result<void> add(TermsDocument document) {
    const std::string kind(to_string(document.kind()));
    const Place place{document.file(), document.lines};
    const auto [first, added] = places_.try_emplace({document.kind(), document.id()}, place);
    if (!added)
      return conflict_at(document, "the " + kind + " '" + document.id() +
                                       "' stands twice, also in " + first->second.file);
    terms_.references.push_back({kind, document.id(), document.version(), document.content_hash});
    switch (document.kind()) {
      case TermsKind::price_book: put(std::get<PriceBook>(std::move(document.content))); break;
      case TermsKind::contract:
        terms_.company.contracts.push_back(std::get<Contract>(std::move(document.content)));
        break;
      case TermsKind::capacity:
        terms_.company.capacity.push_back(std::get<CapacityRecords>(std::move(document.content)));
        break;
      case TermsKind::chargeback_policy: {
        auto policy = std::get<ChargebackPolicy>(std::move(document.content));
        terms_.policies.emplace(policy.id, std::move(policy));
        break;
      }
      case TermsKind::exchange_rates:
        terms_.exchange_rates.push_back(std::get<ExchangeRates>(std::move(document.content)));
        break;
      case TermsKind::model_catalog:
        if (terms_.company.catalog)
          return conflict_at(document, "'" + document.id() +
                                           "' is a second model catalogue beside '" +
                                           terms_.company.catalog->id + "'");
        terms_.company.catalog = std::get<ModelCatalog>(std::move(document.content));
        break;
      case TermsKind::organisation:
        if (terms_.organisation)
          return conflict_at(document, "'" + document.id() + "' is a second organisation beside '" +
                                           terms_.organisation->id + "'");
        terms_.organisation = std::get<Organisation>(std::move(document.content));
        break;
      case TermsKind::program:
        terms_.programs.push_back(std::get<Program>(std::move(document.content)));
        break;
      case TermsKind::alternative:
        terms_.alternatives.push_back(std::get<Alternative>(std::move(document.content)));
        break;
    }
    return success();
  }

  void put(PriceBook book) { terms_.company.books.emplace(book.id, std::move(book)); }

  Result<void> check_books(const Contract& contract) const {
    for (const auto& regime : contract.regimes) {
      const auto* tokens = std::get_if<TokenTerms>(&regime.terms);
      if (tokens == nullptr) continue;
      const auto book = terms_.company.books.find(tokens->price_book);
      if (book == terms_.company.books.end())
        return document_error(contract.file, regime.line,
                              "the price book '" + tokens->price_book + "' of the contract " +
                                  contract.id + " is not among the terms");
      if (book->second.currency != contract.currency)
        return document_error(contract.file, regime.line,
                              "the contract is in " + contract.currency.code() +
                                  ", the price book " + book->second.id + " in " +
                                  book->second.currency.code());
    }
    return success();
  }

  Result<void> check_capacity(const CapacityRecords& capacity) const {
    for (const auto& contract : terms_.company.contracts)
      if (contract.id == capacity.contract) return success();
    return document_error(capacity.file, line_of(TermsKind::capacity, capacity.id, "contract"),
                          "the contract '" + capacity.contract + "' of the capacity records " +
                              capacity.id + " is not among the terms");
  }

  int line_of(TermsKind kind, const std::string& id, std::string_view key) const {
    const auto& lines = places_.at({kind, id}).lines;
    const auto found = lines.find(key);
    return found == lines.end() ? 0 : found->second;
  }

  struct Place {
    std::string file;
    std::map<std::string, int, std::less<>> lines;
  };
  Terms terms_;
  std::map<std::pair<TermsKind, std::string>, Place> places_;
};

// What a ledger of fixed grain and boundaries can tell apart.
struct Keeper {
  std::span<const int64_t> boundaries;
  std::chrono::minutes grain;

  bool on_grain(Instant at) const {
    return at == begin_of_time || at == end_of_time || at.time_since_epoch() % grain == Duration{};
  }

  Result<void> change(std::string_view file, int line, std::string_view what, Instant at) const {
    if (on_grain(at)) return success();
    return document_error(file, line,
                          std::string(what) + " changes at " + format_instant(at) +
                              ", which is off the ledger's grain of " +
                              std::to_string(grain.count()) + " minutes");
  }

  Result<void> entries(std::string_view file, const std::vector<PriceEntry>& all) const {
    for (const auto& entry : all) {
      const auto name = "'" + entry.label() + "'";
      for (const auto& context : entry.context_above)
        if (std::find(boundaries.begin(), boundaries.end(), context.above) == boundaries.end())
          return document_error(file, entry.line,
                                name + " changes above " + std::to_string(context.above) +
                                    " tokens, a context boundary that the ledger does not keep");
      TRY(change(file, entry.line, name, entry.from));
      TRY(change(file, entry.line, name, entry.until));
      if (!entry.hours) continue;
      for (const auto minute : {entry.hours->from, entry.hours->until}) {
        TRY(change(file, entry.line, name, Instant{std::chrono::minutes{minute}}));
      }
    }
    return success();
  }

  Result<void> contract(const Contract& contract) const {
    for (const auto& regime : contract.regimes) {
      TRY(change(contract.file, regime.line, "the regime", regime.interval.from));
      if (const auto* hours = std::get_if<ComputeHours>(&regime.terms)) {
        TRY(entries(contract.file, hours->prices));
      }
    }
    TRY(change(contract.file, contract.line, "the contract", contract.term.until));
    // A zone's offset changes some times a year at most; the months of two years show them all.
    const auto first = contract.zone.local_month(contract.term.from);
    for (int32_t month = first; month <= first + 24; ++month) {
      TRY(change(contract.file, contract.line, "the month of " + contract.zone.name(),
                 contract.zone.month_begin(month)));
    }
    return success();
  }
};

}  // namespace

const std::string& TermsDocument::file() const {
  return std::visit([](const auto& one) -> const std::string& { return one.file; }, content);
}
const std::string& TermsDocument::id() const {
  return std::visit([](const auto& one) -> const std::string& { return one.id; }, content);
}
const std::string& TermsDocument::version() const {
  return std::visit([](const auto& one) -> const std::string& { return one.version; }, content);
}
std::optional<Instant> TermsDocument::applies_from() const {
  return std::visit(
      [](const auto& one) -> std::optional<Instant> {
        if constexpr (requires { one.applies_from; }) return one.applies_from;
        return std::nullopt;
      },
      content);
}
std::string TermsDocument::summary() const {
  return std::visit([](const auto& one) { return summary_of(one); }, content);
}
bool TermsDocument::is_proposal() const {
  const auto* book = std::get_if<PriceBook>(&content);
  return book != nullptr && book->status == BookStatus::proposed;
}

Result<TermsDocument> parse_terms(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  TRY(auto fields, Fields::of(file, root, "a document"));
  TRY(const auto name, fields.text("kind"));
  const auto kind = find_name<TermsKind>(terms_kind_names, name);
  if (!kind) {
    std::string known;
    for (const auto one : terms_kind_names) known += (known.empty() ? "" : ", ") + std::string(one);
    return fields.error(*root.find("kind"), "'kind: " + name + "' is none of " + known);
  }
  TermsDocument document;
  for (const auto& member : root.members) document.lines[member.name] = member.line;
  document.content_hash = ledger::to_hex(ledger::sha256(text));
  switch (*kind) {
    case TermsKind::price_book: {
      TRY(document.content, read_price_book(root, file));
      break;
    }
    case TermsKind::model_catalog: {
      TRY(document.content, read_model_catalog(root, file));
      break;
    }
    case TermsKind::contract: {
      TRY(document.content, read_contract(root, file));
      break;
    }
    case TermsKind::capacity: {
      TRY(document.content, read_capacity_records(root, file));
      break;
    }
    case TermsKind::chargeback_policy: {
      TRY(document.content, read_chargeback_policy(root, file));
      break;
    }
    case TermsKind::exchange_rates: {
      TRY(document.content, read_exchange_rates(root, file));
      break;
    }
    case TermsKind::organisation: {
      TRY(document.content, read_organisation(root, file));
      break;
    }
    case TermsKind::program: {
      TRY(document.content, read_program(root, file));
      break;
    }
    case TermsKind::alternative: {
      TRY(document.content, read_alternative(root, file));
      break;
    }
  }
  return document;
}

std::optional<size_t> version_in_force(std::span<const TermsVersion> versions, int32_t month) {
  // `applies_from` is the first of a month, and each calendar takes that month as its own.
  const auto begin = TimeZone::utc().month_begin(month);
  std::optional<size_t> found;
  for (size_t i = 0; i < versions.size(); ++i)
    if (!versions[i].applies_from || *versions[i].applies_from <= begin) found = i;
  return found;
}

Result<Terms> gather_terms(std::vector<TermsDocument> documents) {
  return Gatherer().run(std::move(documents));
}

Result<void> check_ledger_keeps(const Terms& terms, std::span<const int64_t> context_boundaries,
                                std::chrono::minutes grain) {
  const Keeper keeper{context_boundaries, grain};
  for (const auto& [id, book] : terms.company.books) {
    TRY(keeper.entries(book.file, book.entries));
  }
  for (const auto& contract : terms.company.contracts) {
    TRY(keeper.contract(contract));
  }
  if (!terms.company.catalog) return success();
  for (const auto& entry : terms.company.catalog->entries) {
    const auto& file = terms.company.catalog->file;
    TRY(keeper.change(file, entry.line, "the tier " + entry.tier, entry.from));
    TRY(keeper.change(file, entry.line, "the tier " + entry.tier, entry.until));
  }
  return success();
}

std::vector<TermsReference> references_of(const Terms& terms, const Contract& contract) {
  std::set<std::pair<std::string_view, std::string_view>> wanted = {{"contract", contract.id}};
  for (const auto& regime : contract.regimes)
    if (const auto* tokens = std::get_if<TokenTerms>(&regime.terms))
      wanted.emplace("price_book", tokens->price_book);
  for (const auto& capacity : terms.company.capacity)
    if (capacity.contract == contract.id) wanted.emplace("capacity", capacity.id);
  std::vector<TermsReference> references;
  for (const auto& reference : terms.references)
    if (reference.kind == "model_catalog" || wanted.contains({reference.kind, reference.id}))
      references.push_back(reference);
  return references;
}

Result<ChargebackPolicy> find_policy(const Terms& terms, std::string_view id) {
  if (!id.empty()) {
    const auto found = terms.policies.find(id);
    if (found == terms.policies.end())
      return Error{ErrorCode::not_found,
                   "no chargeback policy '" + std::string(id) + "' among the terms"};
    return found->second;
  }
  if (terms.policies.size() > 1)
    return Error{ErrorCode::conflict, "there are several chargeback policies, from '" +
                                          terms.policies.begin()->first + "' to '" +
                                          terms.policies.rbegin()->first + "': name one"};
  if (terms.policies.size() == 1) return terms.policies.begin()->second;
  ChargebackPolicy policy;
  policy.id = "pass_through";
  return policy;
}

}  // namespace gauger::billing
