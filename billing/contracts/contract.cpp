#include "billing/contracts/contract.h"

#include <algorithm>
#include <set>

#include "schemas/limits.h"
#include "schemas/money.h"

namespace gauger::billing {
namespace {

constexpr size_t list_max = 10'000;
constexpr int percent_digits = 6;

struct Reader {
  std::string_view file;

  Result<Money> money(const Node& node) const {
    TRY(const auto pico, read_decimal(file, node, money_digits));
    if (pico < 0) return document_error(file, node.line, "an amount is not negative");
    // A quintillion of any currency: far above any contract, far below the end of 128 bits.
    if (pico > Int128{1'000'000'000'000'000'000} * pico_per_unit)
      return document_error(file, node.line, "'" + node.text + "' is too large");
    return Money{pico};
  }

  Result<Interval> interval(Fields& fields, std::string_view from, std::string_view until) const {
    TRY(const auto begin, fields.instant(from));
    TRY(const auto end, fields.instant(until));
    const Interval read{begin.value_or(begin_of_time), end.value_or(end_of_time)};
    if (read.from >= read.until)
      return fields.error("'" + std::string(until) + "' is not after '" + std::string(from) + "'");
    return read;
  }

  Result<Discount> discount(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a discount"));
    Discount read;
    read.line = node.line;
    TRY(const auto* percent, fields.required("percent"));
    TRY(const auto value, read_decimal(file, *percent, percent_digits));
    Int128 whole = 100;
    for (int i = 0; i < percent_digits; ++i) whole *= 10;
    if (value <= 0 || value > whole)
      return document_error(file, percent->line, "a discount is above 0 and at most 100 percent");
    read.share = Rational::ratio(value, whole);
    if (const auto* model = fields.optional("model")) {
      TRY(read.model, read_pattern(file, *model));
    }
    TRY(const auto items, fields.list("items"));
    for (const auto& item : items) {
      TRY(auto name, read_text(file, item, "items"));
      if (!find_meter(name) && name != requests_item)
        return document_error(file, item.line, "'" + name + "' is not a meter");
      read.items.push_back(std::move(name));
    }
    if (const auto* above = fields.optional("above")) {
      TRY(const auto amount, money(*above));
      read.above = Rational(amount);
    }
    TRY(fields.finish());
    return read;
  }

  Result<Commitment> commitment(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a commitment"));
    Commitment read;
    read.line = node.line;
    TRY(const auto* amount, fields.required("amount"));
    TRY(read.amount, money(*amount));
    TRY(fields.required("from"));
    TRY(fields.required("until"));
    TRY(read.term, interval(fields, "from", "until"));
    TRY(fields.finish());
    return read;
  }

  Result<PrepaidCredit> prepaid(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a prepaid credit"));
    PrepaidCredit read;
    read.line = node.line;
    TRY(read.id, fields.text("id"));
    TRY(const auto* amount, fields.required("amount"));
    TRY(read.amount, money(*amount));
    TRY(read.valid, interval(fields, "from", "until"));
    TRY(fields.finish());
    return read;
  }

  Result<ComputeHours> compute_hours(const Node& node, std::string_view provider) const {
    TRY(auto fields, Fields::of(file, node, "'compute_hours'"));
    ComputeHours read;
    TRY(const auto basis, fields.text("basis"));
    if (basis != "metered" && basis != "capacity")
      return fields.error("'basis: " + basis + "' is neither metered nor capacity");
    read.basis = basis == "metered" ? ComputeBasis::metered : ComputeBasis::capacity;
    TRY(const auto prices, fields.list("prices"));
    TRY(fields.finish());
    if ((read.basis == ComputeBasis::metered) == prices.empty())
      return fields.error("metered compute hours have 'prices', capacity has its records instead");
    TRY(read.prices, read_price_entries(file, prices, provider));
    TRY(check_price_entries(file, read.prices));
    return read;
  }

  Result<TokenTerms> tokens(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "'tokens'"));
    TokenTerms read;
    TRY(read.price_book, fields.text("price_book"));
    TRY(const auto discounts, fields.list("discounts"));
    for (const auto& item : discounts) {
      TRY(auto one, discount(item));
      read.discounts.push_back(std::move(one));
    }
    if (const auto* minimum = fields.optional("commitment")) {
      TRY(read.commitment, commitment(*minimum));
    }
    TRY(const auto credits, fields.list("prepaid"));
    std::set<std::string> ids;
    for (const auto& item : credits) {
      TRY(auto credit, prepaid(item));
      if (!ids.insert(credit.id).second)
        return document_error(file, item.line,
                              "the prepaid credit '" + credit.id + "' stands twice");
      read.prepaid.push_back(std::move(credit));
    }
    std::sort(read.prepaid.begin(), read.prepaid.end(), [](const auto& a, const auto& b) {
      return std::tie(a.valid.until, a.id) < std::tie(b.valid.until, b.id);
    });
    TRY(fields.finish());
    return read;
  }

  Result<Regime> regime(const Node& node, std::string_view provider) const {
    TRY(auto fields, Fields::of(file, node, "a regime"));
    Regime read;
    read.line = node.line;
    TRY(const auto from, fields.instant("from"));
    if (!from) return fields.error("a regime needs the key 'from'");
    read.interval.from = *from;
    const auto* hours = fields.optional("compute_hours");
    const auto* by_tokens = fields.optional("tokens");
    TRY(fields.finish());
    if ((hours == nullptr) == (by_tokens == nullptr))
      return fields.error("a regime is either 'compute_hours' or 'tokens'");
    if (hours != nullptr) {
      TRY(read.terms, compute_hours(*hours, provider));
    } else {
      TRY(read.terms, tokens(*by_tokens));
    }
    return read;
  }

  // Regimes follow one another from the contract's begin to its end.
  Result<void> chain(Fields& fields, Contract& contract) const {
    auto& regimes = contract.regimes;
    if (regimes.front().interval.from != contract.term.from)
      return document_error(file, regimes.front().line,
                            "the first regime begins with the contract");
    for (size_t i = 0; i < regimes.size(); ++i) {
      const auto until =
          i + 1 < regimes.size() ? regimes[i + 1].interval.from : contract.term.until;
      regimes[i].interval.until = until;
      if (regimes[i].interval.from >= until)
        return document_error(file, regimes[i].line,
                              "a regime begins before the next one and inside the contract");
      if (const auto* tokens = std::get_if<TokenTerms>(&regimes[i].terms)) {
        TRY(check_commitment(contract, regimes[i], *tokens));
      }
    }
    return fields.finish();
  }

  // Its spend is counted in whole contract months, and in those that a regime cuts.
  Result<void> check_commitment(const Contract& contract, const Regime& regime,
                                const TokenTerms& terms) const {
    if (!terms.commitment) return success();
    const auto& term = terms.commitment->term;
    const auto begins_month = [&](Instant at) {
      return contract.zone.month_begin(contract.zone.local_month(at)) == at;
    };
    if (term.from < regime.interval.from || term.until > regime.interval.until)
      return document_error(file, terms.commitment->line,
                            "the commitment's term reaches beyond its regime");
    if ((term.from != regime.interval.from && !begins_month(term.from)) ||
        (term.until != regime.interval.until && !begins_month(term.until)))
      return document_error(file, terms.commitment->line,
                            "a commitment begins and ends with a month of " + contract.zone.name() +
                                ", or with its regime");
    return success();
  }
};

Error overlap(const Contract& contract, std::string sentence) {
  return {ErrorCode::conflict,
          document_error(contract.file, contract.line, std::move(sentence)).sentence};
}

}  // namespace

bool Contract::covers(std::string_view provider_name, std::string_view account) const {
  return provider_name == provider &&
         (accounts.empty() ||
          std::find(accounts.begin(), accounts.end(), account) != accounts.end());
}

Result<Contract> parse_contract(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_contract(root, file);
}

Result<Contract> read_contract(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "a contract"));
  const Reader reader{file};
  Contract contract;
  TRY(read_heading(fields, "contract", contract));
  TRY(contract.provider, fields.text("provider"));
  contract.line = root.find("provider")->line;
  TRY(const auto accounts, fields.list("accounts"));
  for (const auto& node : accounts) {
    TRY(auto account, read_text(file, node, "accounts"));
    contract.accounts.push_back(std::move(account));
  }
  TRY(const auto currency, fields.text("currency"));
  const auto found = Currency::find(currency);
  if (!found.has_value()) return fields.error(found.error().sentence);
  contract.currency = found.value();
  TRY(const auto zone_name, fields.text_or("time_zone", "UTC"));
  const auto zone =
      zone_name == "UTC" ? Result<TimeZone>(TimeZone::utc()) : TimeZone::find(zone_name);
  if (!zone.has_value()) return fields.error(zone.error().sentence);
  contract.zone = zone.value();
  TRY(fields.required("begins"));
  TRY(contract.term, reader.interval(fields, "begins", "ends"));
  TRY(contract.idle_owner, fields.text_or("idle_owner", ""));
  TRY(const auto regimes, fields.list("regimes"));
  if (regimes.empty() || regimes.size() > list_max)
    return fields.error("a contract has 1 to " + std::to_string(list_max) + " 'regimes'");
  for (const auto& node : regimes) {
    TRY(auto regime, reader.regime(node, contract.provider));
    contract.regimes.push_back(std::move(regime));
  }
  TRY(reader.chain(fields, contract));
  return contract;
}

Result<void> check_contracts(const std::vector<Contract>& contracts) {
  for (size_t i = 0; i < contracts.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto& a = contracts[j];
      const auto& b = contracts[i];
      if (a.id == b.id) return overlap(b, "the contract " + b.id + " stands twice");
      if (a.provider != b.provider || a.term.from >= b.term.until || b.term.from >= a.term.until)
        continue;
      for (const auto& account : a.accounts.empty() ? b.accounts : a.accounts)
        if (a.covers(a.provider, account) && b.covers(b.provider, account))
          return overlap(
              b, "the contracts " + a.id + " and " + b.id + " both cover the account " + account);
      if (a.accounts.empty() && b.accounts.empty())
        return overlap(b, "the contracts " + a.id + " and " + b.id +
                              " both cover every account of " + a.provider);
    }
  }
  return success();
}

Result<CapacityRecords> parse_capacity_records(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_capacity_records(root, file);
}

Result<CapacityRecords> read_capacity_records(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "capacity records"));
  const Reader reader{file};
  CapacityRecords capacity;
  TRY(read_heading(fields, "capacity", capacity));
  TRY(capacity.contract, fields.text("contract"));
  TRY(const auto records, fields.list("records"));
  TRY(fields.finish());
  for (const auto& node : records) {
    TRY(auto parts, Fields::of(file, node, "a capacity record"));
    CapacityRecord record;
    record.line = node.line;
    TRY(parts.required("from"));
    TRY(parts.required("until"));
    TRY(record.interval, reader.interval(parts, "from", "until"));
    TRY(record.accelerator, parts.text("accelerator"));
    if (const auto* units = parts.optional("units")) {
      TRY(record.units, read_integer(file, *units, 1, 1'000'000));
    }
    TRY(const auto* price, parts.required("per_hour"));
    TRY(record.price_per_hour, reader.money(*price));
    if (record.price_per_hour.pico > Int128{1'000'000} * pico_per_unit)
      return document_error(file, price->line, "more than a million per hour");
    TRY(parts.finish());
    capacity.records.push_back(std::move(record));
  }
  return capacity;
}

}  // namespace gauger::billing
