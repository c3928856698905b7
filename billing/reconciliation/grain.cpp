#include "billing/reconciliation/grain.h"

#include <algorithm>
#include <unordered_map>

#include "billing/reconciliation/cell_index.h"
#include "billing/reconciliation/token_class.h"
#include "billing/reconciliation/told_grain.h"

namespace gauger::billing {
namespace {

bool overlap(const Coverage& a, const Coverage& b, int32_t& day) {
  for (const auto& x : a.days)
    for (const auto& y : b.days)
      if (std::max(x.from, y.from) < std::min(x.until, y.until)) {
        day = std::max(x.from, y.from);
        if (a.accounts.empty() || b.accounts.empty()) return true;
        return std::any_of(a.accounts.begin(), a.accounts.end(), [&](const auto& account) {
          return std::find(b.accounts.begin(), b.accounts.end(), account) != b.accounts.end();
        });
      }
  return false;
}

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class GrainBuilder {
 public:
  explicit GrainBuilder(const GrainInput& input) : input_(input), index_(grain_.cells) {}

  Result<Grain> build() {
    grain_.provider = input_.provider;
    grain_.days = input_.days;
    TRY(check_zone());
    TRY(choose_currency());
    TRY(check_tellers());
    told_.read(input_, grain_.notes);
    add_ledger();
    for (uint32_t i = 0; i < input_.statements.size(); ++i) {
      TRY(add_statement(i));
    }
    complete();
    return std::move(grain_);
  }

 private:
  Result<void> check_zone() {
    if (input_.statements.empty()) return invalid_argument("there is no statement to reconcile");
    if (input_.days.from >= input_.days.until) return invalid_argument("no days to reconcile");
    grain_.zone = input_.statements.front().coverage.zone;
    for (const auto& statement : input_.statements) {
      if (statement.coverage.zone.name() != grain_.zone.name())
        return invalid_argument("the days of " + input_.statements.front().id() + " are those of " +
                                grain_.zone.name() + ", of " + statement.id() + " those of " +
                                statement.coverage.zone.name());
    }
    for (auto day = input_.days.from; day <= input_.days.until; ++day) {
      const auto midnight = grain_.zone.day_begin(day);
      if (midnight.time_since_epoch() % input_.grain != Duration::zero())
        return invalid_argument("midnight of " + format_day(day) + " in " + grain_.zone.name() +
                                " is " + format_instant(midnight) +
                                ", inside one of the ledger's " +
                                std::to_string(input_.grain.count()) +
                                "-minute periods: the statement's days are off the ledger's grain");
    }
    return success();
  }

  Result<void> choose_currency() {
    for (const auto& rated : input_.rated) {
      if (&rated != &input_.rated.front() && rated.currency != grain_.currency)
        return invalid_argument("our costs of " + input_.provider + " are in " +
                                grain_.currency.code() + " and in " + rated.currency.code() +
                                ": reconcile each currency for itself");
      grain_.currency = rated.currency;
      grain_.as_of_sequence = std::max(grain_.as_of_sequence, rated.as_of_sequence);
    }
    if (!input_.rated.empty()) return success();
    // Nothing of ours: the statement's own.
    for (const auto& statement : input_.statements)
      for (const auto& line : statement.lines)
        if (line.has_amount) {
          TRY(grain_.currency, Currency::find(statement.texts.text(line.currency)));
          return success();
        }
    return success();
  }

  // Amounts of a day come from one statement, quantities from one: of two that tell quantities the
  // one that tells nothing else knows better.
  Result<void> check_tellers() {
    const auto& statements = input_.statements;
    for (const auto& statement : statements) {
      const bool amounts = statement.tells_amounts();
      tells_amounts_.push_back(amounts);
      tells_quantities_.push_back(statement.tells_quantities());
      any_amounts_ = any_amounts_ || amounts;
    }
    for (size_t i = 0; i < statements.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        int32_t day = 0;
        const bool same = tells_amounts_[i] == tells_amounts_[j];
        const bool apart =
            !statements[i].coverage.token_classes.empty() &&
            !statements[j].coverage.token_classes.empty() &&
            std::none_of(statements[i].coverage.token_classes.begin(),
                         statements[i].coverage.token_classes.end(), [&](const auto& name) {
                           return holds(statements[j].coverage.token_classes, name);
                         });
        if (!same || apart || !overlap(statements[i].coverage, statements[j].coverage, day))
          continue;
        return Error{ErrorCode::conflict,
                     statements[j].id() + " and " + statements[i].id() + " both tell the " +
                         (tells_amounts_[i] ? "amounts" : "quantities") + " of " + format_day(day) +
                         ": choose one with --statement"};
      }
    return success();
  }

  // --- coverage ----------------------------------------------------------------------------
  // Judged by those that tell amounts, where there are any: what nobody bills cannot be compared.
  Outside outside_of(int32_t day, std::string_view account, std::string_view tier,
                     std::string_view token_class) const {
    auto reason = Outside::day;
    for (size_t i = 0; i < input_.statements.size(); ++i) {
      if (any_amounts_ && !tells_amounts_[i]) continue;
      const auto& coverage = input_.statements[i].coverage;
      if (!coverage.covers_day(day)) continue;
      const auto found = !coverage.accounts.empty() && !holds(coverage.accounts, account)
                             ? Outside::account
                         : holds(coverage.excluded_tiers, tier) ? Outside::service_tier
                         : covers_class(coverage, token_class)  ? Outside::no
                                                                : Outside::token_class;
      if (found == Outside::no) return found;
      reason = std::max(reason, found);
    }
    return reason;
  }

  bool covers_class(const Coverage& coverage, std::string_view folded) const {
    const auto& classes = coverage.token_classes;
    return classes.empty() || std::any_of(classes.begin(), classes.end(), [&](const auto& name) {
             return told_.fold(name) == folded;
           });
  }

  // --- our side ----------------------------------------------------------------------------
  struct KeyParts {
    bool ours = false;
    std::string_view account;
    std::string_view tier;
    TextId account_id = 0;
    TextId model_id = 0;
    TextId tier_id = 0;
    int64_t context_above = 0;
  };

  void add_ledger() {
    for (const auto& rated : input_.rated) {
      std::vector<KeyParts> keys;
      for (const auto& key : rated.keys) keys.push_back(parts_of(rated, key));
      auto& cell_of_charge = grain_.cell_of_charge.emplace_back(rated.charges.size(), no_cell);
      for (size_t i = 0; i < rated.charges.size(); ++i) {
        const auto& charge = rated.charges[i];
        if (!keys[charge.key].ours) continue;
        const bool usage = charge.kind == ChargeKind::usage || charge.kind == ChargeKind::discount;
        const auto index =
            usage ? cell_of(keys[charge.key], charge.from, rated.item_name(charge.item))
                  : contract_cell(charge);
        if (index == no_cell) continue;
        cell_of_charge[i] = index;
        auto& cell = grain_.cells[index];
        cell.ledger_amount += charge.amount;
        if (usage) cell.ledger_quantity += Rational(Int128{charge.quantity});
      }
      for (const auto& unpriced : rated.unpriced) {
        if (!keys[unpriced.key].ours) continue;
        const auto index =
            cell_of(keys[unpriced.key], unpriced.from, rated.item_name(unpriced.item));
        if (index == no_cell) continue;
        grain_.cells[index].ledger_quantity += Rational(Int128{unpriced.quantity});
        grain_.cells[index].unpriced = true;
      }
    }
  }

  KeyParts parts_of(const Rated& rated, const UsageKey& key) {
    KeyParts parts;
    parts.ours = rated.text(key.provider) == input_.provider;
    if (!parts.ours) return parts;
    parts.account = rated.text(key.provider_account);
    parts.tier = gauger::to_string(key.service_tier);
    parts.account_id = grain_.texts.id_of(parts.account);
    parts.model_id = grain_.texts.id_of(rated.text(key.model));
    parts.tier_id = grain_.texts.id_of(parts.tier);
    const auto& kept = input_.context_boundaries;
    if (key.context_tier > 0 && key.context_tier <= kept.size())
      parts.context_above = kept[key.context_tier - 1U];
    return parts;
  }

  // What is told of a class, looked up once.
  struct ClassParts {
    TextId id = 0;
    std::string_view folded;
    ToldDimensions told;
  };
  const ClassParts& class_parts(std::string_view token_class) {
    const auto found = classes_.find(token_class);
    if (found != classes_.end()) return found->second;
    ClassParts parts;
    parts.folded = told_.fold(token_class);
    parts.id = grain_.texts.id_of(parts.folded);
    parts.told = told_.of(parts.folded);
    return classes_.emplace(std::string(token_class), parts).first->second;
  }

  int32_t day_of(Instant from) {
    if (from != latest_from_) {
      latest_from_ = from;
      latest_day_ = grain_.zone.local_day(from);
    }
    return latest_day_;
  }

  uint32_t cell_of(const KeyParts& parts, Instant from, std::string_view item) {
    const auto day = day_of(from);
    if (!input_.days.contains(day)) return no_cell;
    const auto& of_class = class_parts(item);
    CellKey key;
    key.outside = outside_of(day, parts.account, parts.tier, of_class.folded);
    key.day = of_class.told.day ? day : input_.days.from;
    key.account = of_class.told.account ? parts.account_id : 0;
    key.model = of_class.told.model ? parts.model_id : 0;
    key.service_tier = of_class.told.service_tier ? parts.tier_id : 0;
    key.token_class = of_class.id;
    if (of_class.told.context_tier) key.context_above = told_.fold_context(parts.context_above);
    return index_.find_or_add(key);
  }

  // Idle capacity, true-ups and expired credit meet fees of the same name, where there are any.
  uint32_t contract_cell(const Charge& charge) {
    const auto day = day_of(charge.from);
    if (!input_.days.contains(day)) return no_cell;
    CellKey key;
    key.day = input_.days.from;
    key.kind = LineKind::fee;
    key.token_class = grain_.texts.id_of(to_string(charge.kind));
    return index_.find_or_add(key);
  }

  // --- their side --------------------------------------------------------------------------
  Result<void> add_statement(uint32_t number) {
    const auto& statement = input_.statements[number];
    std::vector<TextId> ids;  // by the statement's, empty until asked for
    for (uint32_t i = 0; i < statement.lines.size(); ++i) {
      const auto& line = statement.lines[i];
      if (line.days.until <= input_.days.from || line.days.from >= input_.days.until) continue;
      const auto index = cell_of(statement, line);
      grain_.lines.push_back({index, number, i});
      auto& cell = grain_.cells[index];
      if (line.has_quantity && line.kind == LineKind::usage && tells_quantity(number, line)) {
        cell.quantity_told = true;
        cell.statement_quantity += line.quantity;
      }
      if (line.has_amount) {
        TRY(add_amount(statement, line, cell));
      }
    }
    return success();
  }

  // A statement that tells amounts leaves quantities to one that tells nothing else.
  bool tells_quantity(uint32_t number, const StatementLine& line) const {
    if (!tells_amounts_[number]) return true;
    for (size_t i = 0; i < input_.statements.size(); ++i) {
      const auto& other = input_.statements[i];
      if (tells_amounts_[i] || !tells_quantities_[i] || !other.coverage.covers_day(line.days.from))
        continue;
      if (covers_class(other.coverage,
                       told_.fold(input_.statements[number].texts.text(line.token_class))))
        return false;
    }
    return true;
  }

  uint32_t cell_of(const Statement& statement, const StatementLine& line) {
    const auto& texts = statement.texts;
    const auto day = line.days.from;
    auto account = texts.text(line.account);
    auto model = texts.text(line.model);
    if (input_.mapping != nullptr) {
      account = input_.mapping->account_of(account, day);
      model = input_.mapping->model_of(model, day);
    }
    CellKey key;
    key.kind = line.kind;
    key.day = std::max(day, input_.days.from);
    if (line.kind != LineKind::usage) {
      key.day = input_.days.from;
      const auto name = texts.text(line.token_class);
      key.token_class =
          grain_.texts.id_of(!name.empty()                ? name
                             : line.kind == LineKind::tax ? "tax"
                                                          : texts.text(line.description));
      return index_.find_or_add(key);
    }
    const auto& of_class = class_parts(texts.text(line.token_class));
    const auto tier = texts.text(line.service_tier);
    // What the statement itself bills is covered, but for days it does not claim.
    key.outside = !statement.coverage.covers_day(day) ? Outside::day
                  : line.has_amount                   ? Outside::no
                                    : outside_of(day, account, tier, of_class.folded);
    if (!of_class.told.day) key.day = input_.days.from;
    if (of_class.told.account) key.account = grain_.texts.id_of(account);
    if (of_class.told.model) key.model = grain_.texts.id_of(model);
    if (of_class.told.service_tier) key.service_tier = grain_.texts.id_of(tier);
    key.token_class = of_class.id;
    if (of_class.told.context_tier)
      key.context_above = told_.fold_context(std::max<int64_t>(line.context_above, 0));
    return index_.find_or_add(key);
  }

  Result<void> add_amount(const Statement& statement, const StatementLine& line, Cell& cell) {
    cell.amount_told = true;
    const auto code = statement.texts.text(line.currency);
    if (code == grain_.currency.code()) {
      cell.statement_amount += line.amount;
      return success();
    }
    cell.foreign = true;
    cell.foreign_currency = grain_.texts.id_of(code);
    TRY(const auto* rate, rate_of(code, line.days.from));
    if (rate == nullptr) {
      grain_.foreign[std::string(code)] += line.amount;
      return success();
    }
    cell.statement_amount += line.amount * *rate;
    return success();
  }

  // None where there are no exchange rates, or none of the day.
  Result<const Rational*> rate_of(std::string_view code, int32_t day) {
    const auto [found, added] =
        rates_.try_emplace({std::string(code), day}, std::optional<Rational>());
    if (added && input_.exchange_rates != nullptr) {
      TRY(const auto from, Currency::find(code));
      const auto rate =
          freeze_rate(*input_.exchange_rates, from, grain_.currency, grain_.zone.day_begin(day));
      if (rate.has_value()) found->second = rate.value().rate;
    }
    return found->second ? &*found->second : nullptr;
  }

  // --- both --------------------------------------------------------------------------------
  struct PriceKey {
    TextId model;
    TextId service_tier;
    TextId token_class;
    int64_t context_above;
    auto operator<=>(const PriceKey&) const = default;
  };
  static PriceKey price_key(const CellKey& key) {
    return {key.model, key.service_tier, key.token_class, key.context_above};
  }

  // What the figures rest on beside the statements.
  void add_notes() {
    if (!any_amounts_)
      grain_.notes.emplace_back("the statements tell no amounts: they are valued at our prices");
    int64_t uncertain = 0;
    for (const auto& rated : input_.rated)
      for (const auto& found : rated.uncertain)
        if (rated.text(rated.keys[found.key].provider) == input_.provider)
          uncertain += found.requests;
    if (uncertain != 0)
      grain_.notes.push_back("of our requests " + std::to_string(uncertain) +
                             " have counts that were estimated or never came");
  }

  void complete() {
    add_notes();
    std::stable_sort(grain_.lines.begin(), grain_.lines.end(),
                     [](const auto& a, const auto& b) { return a.cell < b.cell; });
    bool strangers = false;
    for (auto& cell : grain_.cells) {
      cell.in_ledger = !cell.ledger_quantity.is_zero() || !cell.ledger_amount.is_zero();
      cell.has_price = !cell.ledger_quantity.is_zero() && !cell.unpriced;
      if (cell.has_price) cell.price = cell.ledger_amount / cell.ledger_quantity;
      strangers = strangers || (!cell.has_price && cell.key.kind == LineKind::usage);
    }
    if (strangers) borrow_prices();
    for (auto& cell : grain_.cells) complete(cell);
  }

  // Usage that only the statement knows is valued as we would have charged it on the nearest day.
  void borrow_prices() {
    std::map<PriceKey, std::map<int32_t, uint32_t>> known;
    for (uint32_t i = 0; i < grain_.cells.size(); ++i)
      if (grain_.cells[i].has_price)
        known[price_key(grain_.cells[i].key)].emplace(grain_.cells[i].key.day, i);
    for (auto& cell : grain_.cells) {
      if (cell.has_price || cell.key.kind != LineKind::usage || cell.unpriced) continue;
      const auto found = known.find(price_key(cell.key));
      if (found == known.end()) continue;
      const auto& days = found->second;
      auto best = days.lower_bound(cell.key.day);
      if (best == days.end() || (best != days.begin() && cell.key.day - std::prev(best)->first <=
                                                             best->first - cell.key.day))
        best = std::prev(best);
      cell.price = grain_.cells[best->second].price;
      cell.has_price = true;
    }
  }

  // What the statement does not tell follows from what it tells, at our price.
  void complete(Cell& cell) {
    if (cell.key.kind != LineKind::usage) {
      cell.on_statement = !cell.statement_amount.is_zero() || cell.foreign;
      return;
    }
    const bool priced = cell.has_price && !cell.price.is_zero();
    const bool silent = !cell.quantity_told && !cell.amount_told;
    if (any_amounts_ && cell.key.outside == Outside::no) cell.amount_told = true;
    if (silent) cell.quantity_told = true;
    if (!cell.quantity_told) {
      const bool worth = cell.amount_told && !cell.foreign;
      cell.statement_quantity =
          worth && priced ? cell.statement_amount / cell.price : cell.ledger_quantity;
    }
    if (!cell.amount_told && !silent) {
      if (cell.has_price) cell.statement_amount = cell.statement_quantity * cell.price;
    }
    cell.on_statement = !silent && (!cell.statement_quantity.is_zero() ||
                                    !cell.statement_amount.is_zero() || cell.foreign);
    if (!cell.has_price && !cell.statement_quantity.is_zero())
      cell.price = cell.statement_amount / cell.statement_quantity;
  }

  const GrainInput& input_;
  Grain grain_;
  CellIndex index_;
  ToldGrain told_;
  std::vector<bool> tells_amounts_;
  std::vector<bool> tells_quantities_;
  bool any_amounts_ = false;
  std::map<std::string, ClassParts, std::less<>> classes_;
  std::map<std::pair<std::string, int32_t>, std::optional<Rational>> rates_;
  Instant latest_from_ = Instant::min();
  int32_t latest_day_ = 0;
};

}  // namespace

Result<Grain> put_on_grain(const GrainInput& input) { return GrainBuilder(input).build(); }

std::string cell_label(const Grain& grain, const CellKey& key) {
  std::string label = format_day(key.day);
  const auto put = [&](std::string_view text) {
    if (!text.empty()) label += " " + std::string(text);
  };
  put(grain.text(key.account));
  put(grain.text(key.model));
  put(grain.text(key.service_tier));
  if (key.context_above > 0) put("above " + std::to_string(key.context_above));
  put(grain.text(key.token_class));
  return label;
}

}  // namespace gauger::billing
