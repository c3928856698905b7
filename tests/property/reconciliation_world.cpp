#include "tests/property/reconciliation_world.h"

#include <algorithm>

namespace gauger::billing {
namespace {

constexpr int days = 14;
constexpr int accounts = 3;
constexpr int models = 3;
constexpr std::array meters = {Meter::input_uncached, Meter::cache_read, Meter::cache_write_5m,
                               Meter::cache_write_1h, Meter::output_text};
constexpr size_t input_meters = 4;
const Instant begin = parse_instant("2027-03-01").value();

const PriceBook& book() {
  static const auto parsed = [] {
    std::string text =
        "kind: price_book\nid: list\nversion: v1\ncurrency: USD\ncontext_boundaries: [200000]\n"
        "prices:\n";
    // Prices that tell every model, tier and class apart.
    for (int model = 0; model < models; ++model)
      for (int batch = 0; batch < 2; ++batch) {
        text += "  - {provider: p, model: m" + std::to_string(model) +
                ", service_tier: " + (batch != 0 ? "batch" : "standard") + ", per: million";
        for (size_t i = 0; i < meters.size(); ++i)
          text += ", " + std::string(to_string(meters[i])) + ": " +
                  std::to_string((model + 2) * (static_cast<int>(i) + 3)) +
                  (batch != 0 ? ".5" : ".25");
        text += ", context_above: {200000: {";
        for (size_t i = 0; i < meters.size(); ++i)
          text += (i == 0 ? "" : ", ") + std::string(to_string(meters[i])) + ": " +
                  std::to_string((model + 3) * (static_cast<int>(i) + 5)) +
                  (batch != 0 ? ".7" : ".9");
        text += "}}}\n";
      }
    return parse_price_book(text, "list.yaml").value();
  }();
  return parsed;
}

int64_t& count(UsageRow& row, Meter meter) { return row.counts[static_cast<size_t>(meter)]; }

// Ours, and what the provider converts with.
const auto our_euro = Rational::ratio(109, 100);

}  // namespace

World::World(uint64_t seed) : random_(seed) {
  make_usage();
  make_lines();
}

int64_t World::size_up_to(int64_t most) {
  // As many small sizes as large ones.
  const auto bits = random_() % 24;
  return std::clamp<int64_t>(static_cast<int64_t>(random_() % (uint64_t{2} << bits)) + 1, 1, most);
}

void World::make_usage() {
  usage_.context_boundaries = {200'000};
  usage_.grain = std::chrono::minutes{30};
  usage_.strings = {"", "p", "a0", "a1", "a2", "m0", "m1", "m2", "search", "support"};
  for (uint32_t account = 0; account < accounts; ++account)
    for (uint32_t model = 0; model < models; ++model)
      for (const auto tier : {ServiceTier::standard, ServiceTier::batch})
        for (ContextTier context = 0; context < 2; ++context) {
          UsageKey key;
          key.provider = {1};
          key.provider_account = {2 + account};
          key.model = {5 + model};
          key.team = {8 + account % 2};
          key.service_tier = tier;
          key.context_tier = context;
          usage_.keys.push_back(key);
        }
  for (uint32_t key = 0; key < usage_.keys.size(); ++key)
    for (int day = 0; day < days; ++day) {
      UsageRow row;
      row.period = begin + std::chrono::days{day} + std::chrono::minutes{30 * (random_() % 48)};
      row.key = key;
      row.requests = 1;
      for (const auto meter : meters)
        if (random_() % 10 != 0) count(row, meter) = size_up_to(20'000'000) + 10;
      row_of_[{key, day}] = usage_.rows.size();
      usage_.rows.push_back(row);
    }
}

Rational World::price(size_t key, Meter meter) const {
  const auto& usage_key = usage_.keys[key];
  PriceKey price_key;
  price_key.provider = "p";
  price_key.model = usage_.text(usage_key.model);
  price_key.service_tier = usage_key.service_tier;
  const auto segments = entries_in_force(book(), price_key);
  const auto& entry = book().entries[static_cast<size_t>(segments[0].slots[0].index)];
  const auto& prices = prices_for_input(entry, usage_key.context_tier == 0 ? 0 : 200'001);
  return amount_of(*find_item(prices, to_string(meter))->price, 1);
}

void World::make_lines() {
  for (const auto& [where, index] : row_of_)
    for (const auto meter : meters) {
      auto left = count(usage_.rows[index], meter);
      const int keys = 1 + static_cast<int>(random_() % 3);
      for (int api_key = 0; api_key < keys && left > 0; ++api_key) {
        const auto quantity = api_key + 1 == keys ? left : std::min(left, size_up_to(left));
        left -= quantity;
        lines_.push_back({where.first, where.second, meter, api_key, quantity});
      }
    }
}

std::string World::label(size_t key, int day, Meter meter) const {
  const auto& usage_key = usage_.keys[key];
  return format_day(TimeZone::utc().local_day(begin) + day) + " " +
         std::string(usage_.text(usage_key.provider_account)) + " " +
         std::string(usage_.text(usage_key.model)) + " " +
         std::string(to_string(usage_key.service_tier)) +
         (usage_key.context_tier > 0 ? " above 200000 " : " ") + std::string(to_string(meter));
}

void World::note(VarianceClass variance_class, std::vector<std::string> labels) {
  Injection injection{variance_class, {}};
  for (auto& found : labels)
    injection.where.emplace(std::string(to_string(variance_class)), std::move(found));
  injections_.push_back(std::move(injection));
}

template <class Wanted>
std::vector<size_t> World::lines_where(const Window& window, Wanted&& wanted) const {
  std::vector<size_t> found;
  for (size_t i = 0; i < lines_.size(); ++i) {
    const auto& line = lines_[i];
    const auto& key = usage_.keys[line.key];
    const auto account = static_cast<int>(key.provider_account.value) - 2;
    const auto model = static_cast<int>(key.model.value) - 5;
    if ((window.account >= 0 && account != window.account) ||
        (window.model >= 0 && model != window.model) || line.day < window.day_from ||
        line.day >= window.day_until || !wanted(line))
      continue;
    found.push_back(i);
  }
  return found;
}

bool World::has_rate(const Line& line, const Rate& rate) const {
  const auto& a = usage_.keys[line.key];
  const auto& b = usage_.keys[rate.key];
  return line.day >= rate.from && line.meter == rate.meter && a.model == b.model &&
         a.service_tier == b.service_tier && a.context_tier == b.context_tier;
}

const World::Euro* World::euro_of(const Line& line) const {
  for (const auto& euro : euros_)
    if (euro.day == line.day && euro.account == usage_.keys[line.key].provider_account)
      return &euro;
  return nullptr;
}

// As the provider bills it, in the line's currency.
Rational World::amount_of_line(const Line& line) const {
  auto amount = price(line.key, line.meter) * Rational(Int128{line.quantity});
  for (const auto& rate : rates_)
    if (has_rate(line, rate)) amount = amount * rate.factor;
  const auto* euro = euro_of(line);
  return euro == nullptr ? amount : amount / euro->rate;
}

bool World::is_metered(const Line& line) const {
  return usage_.rows[row_of_.at({line.key, line.day})].counts[static_cast<size_t>(line.meter)] != 0;
}

std::vector<Injection> World::injections() const {
  auto all = injections_;
  const auto add = [&](VarianceClass variance_class, auto&& shows) {
    Injection injection{variance_class, {}};
    for (const auto& line : lines_)
      if (shows(line))
        injection.where.emplace(std::string(to_string(variance_class)),
                                label(line.key, line.day, line.meter));
    // What later injections took away altogether cannot be seen.
    if (!injection.where.empty()) all.push_back(std::move(injection));
  };
  for (const auto& rate : rates_)
    add(VarianceClass::rate, [&](const Line& line) { return has_rate(line, rate); });
  for (const auto& euro : euros_)
    add(VarianceClass::currency, [&](const Line& line) { return euro_of(line) == &euro; });
  return all;
}

// The provider puts a part of a line elsewhere, at the price that holds there.
void World::move(size_t index, int64_t quantity, size_t key, int day, Meter meter) {
  lines_[index].quantity -= quantity;
  lines_.push_back({key, day, meter, lines_[index].api_key, quantity});
  if (lines_[index].quantity == 0)
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(index));
}

bool World::inject_cut_off(const Window& window) {
  const auto from = lines_where(window, [](const Line&) { return true; });
  if (from.empty()) return false;
  const auto index = pick(from);
  const auto line = lines_[index];
  const int day = line.day + (random_() % 2 == 0 ? 1 : -1);
  note(VarianceClass::cut_off,
       {label(line.key, line.day, line.meter), label(line.key, day, line.meter)});
  move(index, size_up_to(line.quantity), line.key, day, line.meter);
  return true;
}

bool World::inject_tier(const Window& window) {
  const auto from = lines_where(window, [](const Line&) { return true; });
  if (from.empty()) return false;
  const auto index = pick(from);
  const auto line = lines_[index];
  // Keys come in fours: tier, then context tier.
  const auto key = line.key ^ (random_() % 2 == 0 ? 2U : 1U);
  note(VarianceClass::tier,
       {label(line.key, line.day, line.meter), label(key, line.day, line.meter)});
  move(index, size_up_to(line.quantity), key, line.day, line.meter);
  return true;
}

bool World::inject_cache_class(const Window& window) {
  const auto from =
      lines_where(window, [](const Line& line) { return line.meter != Meter::output_text; });
  if (from.empty()) return false;
  const auto index = pick(from);
  const auto line = lines_[index];
  auto meter = line.meter;
  while (meter == line.meter) meter = meters[random_() % input_meters];
  note(VarianceClass::cache_class,
       {label(line.key, line.day, line.meter), label(line.key, line.day, meter)});
  move(index, size_up_to(line.quantity), line.key, line.day, meter);
  return true;
}

bool World::inject_duplicate(const Window& window) {
  const auto from = lines_where(window, [](const Line&) { return true; });
  if (from.empty()) return false;
  const auto line = lines_[pick(from)];
  note(VarianceClass::duplicate, {label(line.key, line.day, line.meter)});
  lines_.push_back(line);
  return true;
}

bool World::inject_missing_in_ledger(const Window& window) {
  const auto from = lines_where(window, [&](const Line& line) { return is_metered(line); });
  if (from.empty()) return false;
  const auto line = lines_[pick(from)];
  note(VarianceClass::missing_in_ledger, {label(line.key, line.day, line.meter)});
  count(usage_.rows[row_of_.at({line.key, line.day})], line.meter) = 0;
  return true;
}

bool World::inject_missing_on_statement(const Window& window) {
  const auto from = lines_where(window, [&](const Line& line) { return is_metered(line); });
  if (from.empty()) return false;
  const auto line = lines_[pick(from)];
  note(VarianceClass::missing_on_statement, {label(line.key, line.day, line.meter)});
  std::erase_if(lines_, [&](const Line& other) {
    return other.key == line.key && other.day == line.day && other.meter == line.meter;
  });
  return true;
}

// One price of the provider's list is another one, from some day on.
bool World::inject_rate(const Window& window) {
  const auto from = lines_where(window, [](const Line&) { return true; });
  if (from.empty()) return false;
  const auto line = lines_[pick(from)];
  const auto factor = Rational::ratio(static_cast<int64_t>(1'001 + random_() % 900), 1'000);
  rates_.push_back({line.key, line.meter, line.day, factor});
  return true;
}

bool World::inject_quantity(const Window& window) {
  const auto from = lines_where(window, [](const Line& line) { return line.quantity > 3; });
  if (from.empty()) return false;
  auto& line = lines_[pick(from)];
  auto more = size_up_to(line.quantity - 1);
  if (random_() % 2 == 0) more = -more;
  line.quantity += more;
  note(VarianceClass::quantity, {label(line.key, line.day, line.meter)});
  return true;
}

// An account's day is billed in euros, at the provider's own rate.
bool World::inject_currency(const Window& window) {
  const auto from = lines_where(window, [&](const Line& line) { return euro_of(line) == nullptr; });
  if (from.empty()) return false;
  const auto line = lines_[pick(from)];
  euros_.push_back({usage_.keys[line.key].provider_account, line.day,
                    Rational::ratio(static_cast<int64_t>(1'100 + random_() % 50), 1'000)});
  return true;
}

// The report stops early, or leaves an account out, and says so.
bool World::inject_outside(const Window&) {
  std::vector<std::string> labels;
  const bool by_day = random_() % 2 == 0;
  if (!days_left_out_.empty() || !covered_accounts_.empty()) return false;
  const int last = days - 1;
  for (const auto& [where, index] : row_of_) {
    const auto& key = usage_.keys[where.first];
    if (by_day ? where.second != last : usage_.text(key.provider_account) != "a2") continue;
    for (const auto meter : meters)
      if (count(usage_.rows[index], meter) != 0)
        labels.push_back(label(where.first, where.second, meter));
  }
  std::erase_if(lines_, [&](const Line& line) {
    return by_day ? line.day == last : usage_.text(usage_.keys[line.key].provider_account) == "a2";
  });
  if (by_day)
    days_left_out_ = {last};
  else
    covered_accounts_ = {"a0", "a1"};
  note(VarianceClass::outside_coverage, std::move(labels));
  return true;
}

bool World::inject_extra(VarianceClass variance_class) {
  const bool tax = variance_class == VarianceClass::tax;
  const auto name = tax ? "tax" : "support plan " + std::to_string(extras_.size());
  extras_.push_back({tax ? LineKind::tax : LineKind::fee, name,
                     Rational(Int128{size_up_to(100'000)} * 10'000'000'000)});
  note(variance_class, {format_day(TimeZone::utc().local_day(begin)) + " " + name});
  return true;
}

bool World::inject(VarianceClass variance_class, const Window& window) {
  switch (variance_class) {
    case VarianceClass::outside_coverage: return inject_outside(window);
    case VarianceClass::currency: return inject_currency(window);
    case VarianceClass::cut_off: return inject_cut_off(window);
    case VarianceClass::tier: return inject_tier(window);
    case VarianceClass::cache_class: return inject_cache_class(window);
    case VarianceClass::duplicate: return inject_duplicate(window);
    case VarianceClass::missing_in_ledger: return inject_missing_in_ledger(window);
    case VarianceClass::missing_on_statement: return inject_missing_on_statement(window);
    case VarianceClass::rate: return inject_rate(window);
    case VarianceClass::quantity: return inject_quantity(window);
    case VarianceClass::provider_only_fee:
    case VarianceClass::tax: return inject_extra(variance_class);
    case VarianceClass::within_tolerance: return false;
  }
  return false;
}

Result<Reconciliation> World::reconcile(Tells tells) const {
  Statement statement;
  statement.provider = "p";
  const auto first = TimeZone::utc().local_day(begin);
  statement.coverage.add({first, first + days - static_cast<int>(days_left_out_.size())});
  statement.coverage.accounts = covered_accounts_;
  auto& texts = statement.texts;
  for (const auto& line : lines_) {
    const auto& key = usage_.keys[line.key];
    StatementLine out;
    out.days = {first + line.day, first + line.day + 1};
    out.account = texts.id_of(usage_.text(key.provider_account));
    out.model = texts.id_of(usage_.text(key.model));
    out.service_tier = texts.id_of(to_string(key.service_tier));
    out.context_above = key.context_tier == 0 ? 0 : 200'000;
    out.api_key = texts.id_of("key" + std::to_string(line.api_key));
    out.token_class = texts.id_of(to_string(line.meter));
    out.has_quantity = tells != Tells::amounts;
    if (out.has_quantity) out.quantity = Rational(Int128{line.quantity});
    out.has_amount = tells != Tells::quantities;
    if (out.has_amount) {
      out.amount = amount_of_line(line);
      out.currency = texts.id_of(euro_of(line) != nullptr ? "EUR" : "USD");
    }
    statement.lines.push_back(out);
  }
  for (const auto& extra : extras_) {
    if (tells == Tells::quantities) break;
    StatementLine out;
    out.days = {first, first + 1};
    out.kind = extra.kind;
    out.token_class = texts.id_of(extra.description);
    out.has_amount = true;
    out.amount = extra.amount;
    out.currency = texts.id_of("USD");
    statement.lines.push_back(out);
  }
  std::shuffle(statement.lines.begin(), statement.lines.end(), std::mt19937_64(7));
  RateOptions options;
  options.grouping = Grouping::day;
  TRY(const auto rated, rate(usage_, book(), options));
  ExchangeRates rates;
  rates.rates.push_back({0, begin - std::chrono::days{1}, Currency::find("EUR").value(),
                         Currency::find("USD").value(), our_euro});
  StatementMapping mapping;
  mapping.tolerance = {};
  return billing::reconcile({.provider = "p",
                             .days = {first, first + days},
                             .statements = std::span(&statement, 1),
                             .rated = std::span(&rated, 1),
                             .context_boundaries = usage_.context_boundaries,
                             .grain = usage_.grain,
                             .mapping = &mapping,
                             .exchange_rates = &rates});
}

}  // namespace gauger::billing
