#include "tools/gauger/savings_study.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <unordered_map>

#include "billing/allocation.h"
#include "billing/savings/dependence.h"
#include "billing/savings/shadow_ratios.h"
#include "billing/savings/statement_text.h"
#include "billing/savings/what_if.h"
#include "exporters/accounting/savings_source.h"
#include "tools/gauger/accounting_options.h"

namespace gauger::tools {
namespace {

using billing::Currency;
using billing::Part;
using billing::Program;
using billing::Rational;

std::string money(const Currency& currency, const Rational& pico) {
  return currency.format_minor(billing::round_total(pico, currency));
}

Result<const Program*> find_program(const SavingsSource& source, const std::string& id) {
  for (const auto& program : source.terms().programs)
    if (program.id == id) return &program;
  return Error{ErrorCode::not_found, "there is no programme '" + id + "'"};
}

// The part that usage under a key of the ledger plays.
Result<billing::KeyPart> part_of(const ledger::Reader& reader, const UsageKey& key,
                                 const std::vector<Program>& programs) {
  UsageTable one;
  auto named = key;
  named.name_space = {};
  for (auto* id :
       {&named.team, &named.project, &named.workload, &named.provider, &named.provider_account,
        &named.model, &named.region, &named.accelerator, &named.program}) {
    one.strings.emplace_back(reader.text(*id));
    *id = {static_cast<uint32_t>(one.strings.size() - 1)};
  }
  one.keys.push_back(named);
  TRY(const auto parts, billing::find_parts(std::move(one), programs));
  return parts.parts.front();
}

Result<Interval> interval_of(const SavingsSource& source, const std::string& period) {
  TRY(const auto months, parse_month_range(period));
  TRY(const auto zone, source.zone());
  return Interval{zone.month_begin(months.first), zone.month_begin(months.last + 1)};
}

// --- ratios ----------------------------------------------------------------------------------
struct RatioFlags {
  SavingsOptions source;
  std::string program;
  std::string period;
};

struct Half {
  Counts counts;
  bool student;
};

Result<billing::RatioSample> sample_pairs(const SavingsSource& source, const Program& program,
                                          Interval interval) {
  const auto& reader = source.reader();
  const auto is = [&](const UsageKey& key, const auto& model) {
    return reader.text(key.provider) == model.provider && reader.text(key.model) == model.model;
  };
  const auto belongs = [&](const UsageKey& key) {
    return reader.text(key.program) == program.id &&
           (is(key, program.student) || is(key, program.teacher));
  };
  std::unordered_map<std::string, Half> shadows;  // by the id of the request they repeat
  ledger::EventQuery query;
  query.interval = interval;
  query.identities = true;
  query.wanted = [&](const UsageKey& key) {
    return belongs(key) && key.purpose == Purpose::shadow &&
           key.usage_source == UsageSource::reported;
  };
  TRY(reader.events(query, [&](const ledger::EventRow& event) -> Result<bool> {
    if (!event.parent_id.empty())
      shadows.try_emplace(std::string(event.parent_id),
                          Half{event.counts, is(*event.key, program.student)});
    return true;
  }));
  // A benchmark may run hours after its request.
  query.interval.from -= std::chrono::days{7};
  query.interval.until += std::chrono::days{1};
  query.wanted = [&](const UsageKey& key) {
    return belongs(key) && key.purpose == Purpose::production && key.role == Role::root &&
           key.usage_source == UsageSource::reported;
  };
  billing::RatioSample sample;
  TRY(reader.events(query, [&](const ledger::EventRow& event) -> Result<bool> {
    const auto found = shadows.find(std::string(event.id));
    if (found == shadows.end()) return true;
    const bool student = is(*event.key, program.student);
    if (student == found->second.student) return true;
    if (student)
      sample.add(event.counts, found->second.counts);
    else
      sample.add(found->second.counts, event.counts);
    shadows.erase(found);
    return true;
  }));
  return sample;
}

Result<void> run_ratios(const RatioFlags& flags) {
  TRY(const auto source, open_savings(flags.source));
  TRY(const auto* program, find_program(source, flags.program));
  TRY(const auto interval, interval_of(source, flags.period));
  TRY(const auto sample, sample_pairs(source, *program, interval));
  if (sample.pairs() == 0)
    return Error{ErrorCode::not_found, "no shadow request of " + flags.program + " in " +
                                           flags.period +
                                           " names a parent that the other model answered"};
  fmt::print("# {} pairs of {} and {} in {}; low and high are two standard errors away\n{}",
             sample.pairs(), program->student.model, program->teacher.model, flags.period,
             billing::ratios_yaml(sample, interval.until));
  return success();
}

// --- events ----------------------------------------------------------------------------------
struct EventFlags {
  SavingsOptions source;
  std::string program;
  std::string part = "accepted";
  std::string period;
  std::string team;
  std::string workload;
  int64_t limit = 100;
  Output output = Output::table;
};

Result<void> run_events(const EventFlags& flags) {
  TRY(const auto source, open_savings(flags.source));
  TRY(find_program(source, flags.program));
  const auto part = find_name<Part>(billing::part_names, flags.part);
  if (!part) return invalid_argument("--part '" + flags.part + "' is no part of a programme");
  const auto& reader = source.reader();
  ledger::EventQuery query;
  query.identities = true;
  TRY(query.interval, interval_of(source, flags.period));
  std::optional<Error> failed;
  query.wanted = [&](const UsageKey& key) {
    if (reader.text(key.program) != flags.program) return false;
    if (!flags.team.empty() && reader.text(key.team) != flags.team) return false;
    if (!flags.workload.empty() && reader.text(key.workload) != flags.workload) return false;
    const auto found = part_of(reader, key, source.terms().programs);
    if (!found.has_value()) failed = found.error();
    return found.has_value() && found.value().part == *part;
  };
  ReportTable report;
  report.columns = {{"completed_at"},     {"source"},     {"id"},          {"team"},
                    {"workload"},         {"model"},      {"input", true}, {"output", true},
                    {"compute_us", true}, {"block", true}};
  int64_t more = 0;
  TRY(reader.events(query, [&](const ledger::EventRow& event) -> Result<bool> {
    if (static_cast<int64_t>(report.rows.size()) >= flags.limit) {
      ++more;
      return true;
    }
    int64_t input = 0;
    for (size_t i = 0; i < input_meter_count; ++i) input += event.counts[i];
    const auto output = static_cast<int64_t>(billing::tokens_of(event.counts)) - input;
    report.rows.push_back(
        {format_instant(event.completed_at), std::string(reader.text(event.source)),
         std::string(event.id), std::string(reader.text(event.key->team)),
         std::string(reader.text(event.key->workload)), std::string(reader.text(event.key->model)),
         std::to_string(input), std::to_string(output),
         std::to_string(event.counts[static_cast<size_t>(Meter::compute_us)]),
         std::to_string(event.block)});
    return true;
  }));
  if (failed) return *failed;
  if (more != 0) report.notes.push_back(fmt::format("and {} more; --limit shows them", more));
  print(report, flags.output);
  return success();
}

// --- what-if ---------------------------------------------------------------------------------
struct WhatIfFlags {
  SavingsOptions source;
  std::string period;
  std::string move;
  std::string program;
  std::string workload;
  std::string team;
  std::string acceptance = "100";
  std::vector<std::string> prices;
  std::vector<std::string> switches;
  std::vector<std::string> instead;
  Output output = Output::table;
};

Result<Rational> percent_of(const std::string& text, const std::string& flag) {
  const auto value = parse_decimal(text);
  if (!value.has_value() || value.value() < 0 || value.value() > Int128{100} * pico_per_unit)
    return invalid_argument(flag + " '" + text + "' is not a percentage");
  return Rational::ratio(value.value(), Int128{100} * pico_per_unit);
}

// BOOK:MODEL:ITEM=PRICE per million.
Result<void> change_price(const std::string& text, billing::CompanyTerms& company) {
  const auto first = text.find(':');
  const auto last = text.rfind(':');
  const auto equals = text.rfind('=');
  if (first == std::string::npos || first == last || equals == std::string::npos || equals < last)
    return invalid_argument("--price '" + text + "' is not BOOK:MODEL:ITEM=PRICE");
  const auto book = company.books.find(text.substr(0, first));
  if (book == company.books.end())
    return Error{ErrorCode::not_found, "there is no price book '" + text.substr(0, first) + "'"};
  billing::PriceChange change;
  change.book = book->first;
  change.model = text.substr(first + 1, last - first - 1);
  change.item = text.substr(last + 1, equals - last - 1);
  TRY(change.pico_per_unit_price, parse_decimal(text.substr(equals + 1), 6));
  TRY(book->second, billing::with_price(book->second, change));
  return success();
}

// CONTRACT=DATE.
Result<void> change_switch(const std::string& text, billing::CompanyTerms& company) {
  const auto equals = text.find('=');
  if (equals == std::string::npos)
    return invalid_argument("--switch '" + text + "' is not CONTRACT=DATE");
  TRY(const auto at, parse_instant(text.substr(equals + 1)));
  for (auto& contract : company.contracts) {
    if (contract.id != text.substr(0, equals)) continue;
    TRY(contract, billing::with_switch(contract, at));
    return success();
  }
  return Error{ErrorCode::not_found, "there is no contract '" + text.substr(0, equals) + "'"};
}

struct Case {
  UsageTable usage;
  billing::SavingsTerms terms;
};

struct Answer {
  Currency currency;
  std::map<std::string, Rational> by_contract;
  std::optional<billing::SavingsFigures> savings;
  size_t gaps = 0;
};

Result<Answer> answer(const Case& given, billing::MonthRange months, const UsageTable* judged) {
  TRY(const auto cost, billing::company_cost(given.usage, given.terms.company, months, true));
  Answer found;
  found.currency = cost.currency;
  found.gaps = cost.gaps.size();
  for (const auto& charge : cost.charges)
    found.by_contract[given.terms.company.contracts[charge.contract].id] += charge.amount;
  if (given.terms.programs.empty()) return found;
  billing::SavingsRequest request;
  request.first_month = months.first;
  request.last_month = months.last;
  TRY(const auto statement, billing::make_statement(given.usage, judged, given.terms, request));
  found.savings = billing::savings_total(statement);
  return found;
}

void print_difference(const Answer& today, const Answer& then, Output output) {
  ReportTable report;
  report.columns = {{"what"}, {"today", true}, {"then", true}, {"difference", true}};
  const auto add = [&](const std::string& what, const Rational& a, const Rational& b) {
    report.rows.push_back(
        {what, money(today.currency, a), money(today.currency, b), money(today.currency, b - a)});
  };
  std::map<std::string, std::pair<Rational, Rational>> contracts;
  for (const auto& [id, amount] : today.by_contract) contracts[id].first = amount;
  for (const auto& [id, amount] : then.by_contract) contracts[id].second = amount;
  Rational total_today;
  Rational total_then;
  for (const auto& [id, amounts] : contracts) {
    add("contract " + id, amounts.first, amounts.second);
    total_today += amounts.first;
    total_then += amounts.second;
  }
  add("cost", total_today, total_then);
  if (today.savings && then.savings) {
    add("gross saving", today.savings->gross(), then.savings->gross());
    add("net saving", today.savings->net(), then.savings->net());
    add("realized net saving", today.savings->realized_net(), then.savings->realized_net());
  }
  report.facts = {{"currency", today.currency.code()}};
  report.notes.push_back("amounts in " + today.currency.code());
  if (today.gaps + then.gaps != 0)
    report.notes.push_back(
        fmt::format("sums of usage without a price: {} today, {} then", today.gaps, then.gaps));
  print(report, output);
}

Result<void> run_what_if(const WhatIfFlags& flags) {
  if (flags.move.empty() && flags.prices.empty() && flags.switches.empty() && flags.instead.empty())
    return invalid_argument("nothing changes: give --move, --price, --switch or --instead");
  TRY(const auto months, parse_month_range(flags.period));
  TRY(const auto source, open_savings(flags.source));
  TRY(const auto zone, source.zone());
  TRY(const auto interval, source.statement_interval(months));
  Case today;
  TRY(today.usage, source.usage(interval));
  today.terms = source.terms();
  TRY(const auto judged, source.judged_usage(today.usage, interval));
  TRY(const auto instead, read_texts(flags.instead));
  TRY(auto documents, source.documents_with(instead));
  Case then{today.usage, documents.terms};
  for (const auto& price : flags.prices) {
    TRY(change_price(price, then.terms.company));
  }
  for (const auto& moved : flags.switches) {
    TRY(change_switch(moved, then.terms.company));
  }
  if (!flags.move.empty()) {
    billing::MoveShare move{flags.program, flags.workload, flags.team, {}, {}};
    TRY(move.share, percent_of(flags.move, "--move"));
    TRY(move.acceptance, percent_of(flags.acceptance, "--acceptance"));
    TRY(then.usage, billing::move_to_student(
                        then.usage, then.terms.programs, move,
                        {zone.month_begin(months.first), zone.month_begin(months.last + 1)}));
  }
  // What was moved has no events of its own: its context tier is that of its sums' requests.
  const auto* same = flags.move.empty() && judged ? &*judged : nullptr;
  TRY(const auto before, answer(today, months, same));
  TRY(const auto after, answer(then, months, same));
  print_difference(before, after, flags.output);
  return success();
}

// --- dependence ------------------------------------------------------------------------------
struct DependenceFlags {
  SavingsOptions source;
  std::string period;
  bool by_team = false;
  Output output = Output::table;
};

Result<void> run_dependence(const DependenceFlags& flags) {
  TRY(const auto months, parse_month_range(flags.period));
  TRY(const auto source, open_savings(flags.source));
  const auto& terms = source.terms();
  TRY(const auto zone, billing::common_zone(terms.company.contracts));
  TRY(const auto usage, source.usage(zone, months));
  TRY(const auto found,
      billing::dependence_of(usage, terms.company, terms.programs, months, flags.by_team));
  ReportTable report;
  report.columns = {{"month"},        {"team"},
                    {"provider"},     {"requests", true},
                    {"tokens", true}, {"token_share", true},
                    {"spend", true},  {"spend_share", true}};
  for (const auto& line : found.providers)
    report.rows.push_back(
        {format_month(line.month), line.team, line.provider, std::to_string(line.requests),
         to_string(line.tokens), billing::percent_text(line.token_share),
         money(found.currency, line.spend), billing::percent_text(line.spend_share)});
  for (const auto& line : found.absorption) {
    if (line.requests <= 0) continue;
    report.rows.push_back({format_month(line.month), line.team, "(absorbed by students)",
                           std::to_string(line.absorbed), to_string(line.absorbed_tokens),
                           line.tokens == 0 ? ""
                                            : billing::percent_text(Rational::ratio(
                                                  line.absorbed_tokens, line.tokens)),
                           "", ""});
  }
  report.facts = {{"currency", found.currency.code()},
                  {"as_of_sequence", std::to_string(found.as_of_sequence)}};
  report.notes.push_back("spend in " + found.currency.code() +
                         "; absorbed is the share of production root requests' tokens");
  print(report, flags.output);
  return success();
}

// --- flags -----------------------------------------------------------------------------------
constexpr auto period_help = "2027-01, 2027-01..2027-03, 2027-Q1 or 2027";

void add_ratios(CLI::App& savings, Run& run) {
  auto flags = std::make_shared<RatioFlags>();
  auto* command = savings.add_subcommand(
      "ratios", "conversion ratios from shadow pairs, ready for the programme's document");
  command->footer(
      "Example: gauger savings ratios --data ./ledger --program search --period 2027-01");
  flags->source.add_to(*command);
  command->add_option("--program", flags->program, "the programme")->required();
  command->add_option("--period", flags->period, period_help)->required();
  command->callback([flags, &run] { run = [flags] { return run_ratios(*flags); }; });
}

void add_events(CLI::App& savings, Run& run) {
  auto flags = std::make_shared<EventFlags>();
  auto* command = savings.add_subcommand("events", "the events that a figure is made of");
  command->footer(
      "Example: gauger savings events --data ./ledger --program search --part fallback \\\n"
      "           --period 2027-01 --team claims");
  flags->source.add_to(*command);
  command->add_option("--program", flags->program, "the programme")->required();
  command
      ->add_option("--part", flags->part,
                   "accepted, escalated, failed, open, retry, fallback, teacher_retry, direct, "
                   "shadow, distillation, stray")
      ->default_str("accepted");
  command->add_option("--period", flags->period, period_help)->required();
  command->add_option("--team", flags->team, "only this team");
  command->add_option("--workload", flags->workload, "only this workload");
  command->add_option("--limit", flags->limit, "how many at most")
      ->check(CLI::Range(int64_t{1}, int64_t{10'000'000}))
      ->default_str("100");
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_events(*flags); }; });
}

void add_what_if(CLI::App& savings, Run& run) {
  auto flags = std::make_shared<WhatIfFlags>();
  auto* command = savings.add_subcommand("what-if", "the difference that a change would have made");
  command->footer(
      "Example: gauger savings what-if --data ./ledger --period 2027-01 --program search \\\n"
      "           --move 30 --workload routes --acceptance 94\n"
      "         gauger savings what-if --data ./ledger --period 2027-01 \\\n"
      "           --price list:teacher:output_text=20 --switch frontier=2027-01-10");
  flags->source.add_to(*command);
  command->add_option("--period", flags->period, period_help)->required();
  auto* move = command->add_option("--move", flags->move,
                                   "percent of the teacher's root requests to the student");
  command->add_option("--program", flags->program, "whose student and teacher");
  move->needs("--program");
  command->add_option("--workload", flags->workload, "only this workload");
  command->add_option("--team", flags->team, "only this team");
  command->add_option("--acceptance", flags->acceptance, "percent of the moved that are accepted")
      ->default_str("100");
  command->add_option("--price", flags->prices, "BOOK:MODEL:ITEM=PRICE per million");
  command->add_option("--switch", flags->switches, "CONTRACT=DATE of its second regime");
  command->add_option("--instead", flags->instead, "documents in place of those in force");
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_what_if(*flags); }; });
}

void add_dependence(CLI::App& savings, Run& run) {
  auto flags = std::make_shared<DependenceFlags>();
  auto* command = savings.add_subcommand(
      "dependence", "each provider's share of tokens and spend, and what students absorb");
  command->footer(
      "Example: gauger savings dependence --data ./ledger --period 2026-11..2027-01 --by-team");
  flags->source.add_to(*command);
  command->add_option("--period", flags->period, period_help)->required();
  command->add_flag("--by-team", flags->by_team, "per team");
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_dependence(*flags); }; });
}

}  // namespace

void add_savings_studies(CLI::App& savings, Run& run) {
  add_ratios(savings, run);
  add_events(savings, run);
  add_what_if(savings, run);
  add_dependence(savings, run);
}

}  // namespace gauger::tools
