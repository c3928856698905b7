#include "exporters/accounting/reconcile_source.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "billing/reconciliation/ledger_side.h"
#include "exporters/accounting/usage_reading.h"

namespace gauger::exporters {
namespace {

using billing::DayRange;
using ledger::Dimension;
using ledger::DocumentVersion;

// "id@3" -> id and version; 0 is the latest.
std::pair<std::string, uint32_t> split_version(const std::string& text) {
  const auto at = text.rfind('@');
  if (at == std::string::npos) return {text, 0};
  const auto digits = text.substr(at + 1);
  const bool number =
      !digits.empty() && digits.size() < 9 &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number) return {text, 0};
  return {text.substr(0, at), static_cast<uint32_t>(std::stoul(digits))};
}

Result<std::vector<DocumentVersion>> choose_versions(const LedgerView& view,
                                                     const ReconcileRequest& request) {
  const auto documents = view.documents();
  std::vector<DocumentVersion> chosen;
  for (const auto& name : request.statements) {
    const auto [id, number] = split_version(name);
    const auto key = view.key(statement_kind, id);
    TRY(const auto found, number == 0 ? documents.latest(key) : documents.version(key, number));
    if (!found)
      return Error{ErrorCode::not_found,
                   "there is no statement '" + name + "'; `gauger reconcile list` names them"};
    chosen.push_back(*found);
  }
  if (!request.statements.empty()) return chosen;
  TRY(const auto all, documents.list(view.name_space, statement_kind));
  for (const auto& version : all)
    if (version.key.id.starts_with(request.provider + "/")) chosen.push_back(version);
  return chosen;
}

// Those that speak of the days; all days of all where none were asked for.
Result<void> read_statements(const LedgerView& view, const ReconcileRequest& request,
                             ReconcileRun& run) {
  const auto documents = view.documents();
  std::optional<DayRange> days;
  if (!request.period.empty()) {
    TRY(days, parse_days(request.period));
  }
  TRY(const auto versions, choose_versions(view, request));
  DayRange whole{std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()};
  for (const auto& version : versions) {
    TRY(const auto document, documents.read(version));
    TRY(auto statement, billing::parse_statement_text(document.content, version.key.id));
    const auto covered = statement.coverage.whole();
    if (days && (covered.until <= days->from || covered.from >= days->until)) continue;
    whole = {std::min(whole.from, covered.from), std::max(whole.until, covered.until)};
    run.statements.push_back(std::move(statement));
    run.versions.push_back({version.key.id, version.version, ledger::to_hex(version.content_hash)});
  }
  if (run.statements.empty())
    return Error{ErrorCode::not_found, "no statement of '" + request.provider + "'" +
                                           (days ? " covers " + request.period : " is loaded") +
                                           "; `gauger reconcile load` takes one in"};
  run.input.days = days.value_or(whole);
  return success();
}

// The terms in force in the period's last month; a book of its own goes before all contracts.
Result<void> read_terms(const LedgerView& view, const ReconcileRequest& request,
                        ReconcileRun& run) {
  const auto& zone = run.statements.front().coverage.zone;
  const ledger::Documents documents(view.reader->store(),
                                    request.known_at.value_or(view.reader->head().sequence));
  TRY(auto source, TermsSource::open(request.terms, &documents, view.name_space));
  const auto last = zone.local_month(zone.day_begin(run.input.days.until) - Duration{1});
  TRY(run.terms, source.month(last));
  auto& company = run.terms.company;
  std::erase_if(company.contracts,
                [&](const auto& contract) { return contract.provider != request.provider; });
  if (request.book) {
    TRY(auto book, billing::parse_price_book(request.book->text, request.book->name));
    company.contracts.clear();
    company.books.clear();
    auto id = book.id;
    company.books.emplace(std::move(id), std::move(book));
  }
  if (company.contracts.empty() && !request.book)
    return Error{
        ErrorCode::not_found,
        "there is no contract with '" + request.provider +
            "' among the terms: `gauger terms post` one, or name a price book with --book"};
  return success();
}

Result<UsageTable> usage_of_days(const LedgerView& view, const TimeZone& zone, DayRange days,
                                 const std::string& provider) {
  ledger::UsageQuery query;
  query.interval = {zone.day_begin(days.from), zone.day_begin(days.until)};
  query.bucket = ledger::Bucket::grain;
  query.group = 0;
  for (const auto dimension :
       {Dimension::team, Dimension::provider, Dimension::provider_account, Dimension::model,
        Dimension::region, Dimension::accelerator, Dimension::service_tier, Dimension::context_tier,
        Dimension::usage_source})
    query.group |= ledger::mask_of(dimension);
  query.filters = {{Dimension::provider, provider}};
  TRY(auto usage, read_usage(view, query));
  billing::leave_unattributed(usage);
  return usage;
}

// What only the months before would tell.
void note_history(const ReconcileRun& run, std::vector<std::string>& notes) {
  for (const auto& contract : run.terms.company.contracts)
    for (const auto& regime : contract.regimes) {
      const auto* tokens = std::get_if<billing::TokenTerms>(&regime.terms);
      if (tokens != nullptr && tokens->commitment)
        notes.push_back("the commitment of the contract " + contract.id +
                        " is rated without the months before");
    }
}

}  // namespace

Result<DayRange> parse_days(const std::string& text) {
  const auto utc = TimeZone::utc();
  const auto slash = text.find('/');
  if (slash != std::string::npos) {
    TRY(const auto from, parse_instant(text.substr(0, slash)));
    TRY(const auto until, parse_instant(text.substr(slash + 1)));
    const DayRange days{utc.local_day(from), utc.local_day(until)};
    if (days.from >= days.until)
      return invalid_argument("--period '" + text + "' ends before it begins");
    if (days.until - days.from > 10'000)
      return invalid_argument("--period '" + text + "' is longer than any statement");
    return days;
  }
  if (text.size() == 7) {
    TRY(const auto month, parse_month(text));
    return DayRange{utc.local_day(utc.month_begin(month)),
                    utc.local_day(utc.month_begin(month + 1))};
  }
  TRY(const auto day, parse_instant(text));
  if (text.size() != 10)
    return invalid_argument("--period takes a month (2026-08), a day or FROM/UNTIL, not '" + text +
                            "'");
  return DayRange{utc.local_day(day), utc.local_day(day) + 1};
}

Result<std::unique_ptr<ReconcileRun>> run_reconciliation(const LedgerView& view,
                                                         const ReconcileRequest& request) {
  auto run = std::make_unique<ReconcileRun>();
  TRY(read_statements(view, request, *run));
  run->mapping.provider = request.provider;
  if (request.mapping) {
    TRY(run->mapping,
        billing::parse_statement_mapping(request.mapping->text, request.mapping->name));
    if (run->mapping.provider != request.provider)
      return invalid_argument(request.mapping->name + " maps statements of '" +
                              run->mapping.provider + "', not of '" + request.provider + "'");
  }
  TRY(read_terms(view, request, *run));
  const auto& company = run->terms.company;
  const billing::LedgerTerms ledger_terms{company.contracts, company.books, company.capacity};
  const auto& zone = run->statements.front().coverage.zone;
  auto& input = run->input;
  const auto needed = billing::days_to_rate(zone, input.days, ledger_terms);
  TRY(const auto usage, usage_of_days(view, zone, needed, request.provider));
  TRY(run->rated, billing::rate_by_day(usage, request.provider, zone, input.days, ledger_terms));
  input.provider = request.provider;
  input.statements = run->statements;
  input.rated = run->rated;
  input.context_boundaries = usage.context_boundaries;
  input.grain = usage.grain;
  input.mapping = &run->mapping;
  if (!run->terms.exchange_rates.empty()) input.exchange_rates = &run->terms.exchange_rates.front();
  TRY(run->result, billing::reconcile(input));
  note_history(*run, run->result.grain.notes);
  return run;
}

}  // namespace gauger::exporters
