#include "billing/savings/conversion.h"

#include <algorithm>
#include <map>

#include "schemas/limits.h"

namespace gauger::billing {
namespace {

constexpr auto compute = static_cast<size_t>(Meter::compute_us);

bool is_text_input(size_t meter) { return meter < text_input_meters.size(); }
static_assert(static_cast<size_t>(Meter::cache_write_1h) == 3, "text input comes first");

Ratio operator*(const Ratio& ratio, const Rational& by) {
  return {ratio.ratio * by, ratio.low * by, ratio.high * by};
}

// What decides how a row is converted.
struct Context {
  const Program* program = nullptr;
  int32_t index = -1;
  const ConversionRatios* ratios = nullptr;
  const CacheProfile* cache = nullptr;
  const ComputeProfile* profile = nullptr;
  std::optional<RegimeInForce> regime;
  bool by_hours = false;
};

class Converter {
 public:
  Converter(const UsageTable& usage, std::span<const int32_t> program_of_key,
            std::span<const Program> programs, std::span<const Contract> contracts,
            const TimeZone& zone)
      : usage_(usage),
        program_of_key_(program_of_key),
        programs_(programs),
        contracts_(contracts),
        zone_(zone) {
    auto& table = result_.table;
    table.strings = usage.strings;
    table.context_boundaries = usage.context_boundaries;
    table.grain = usage.grain;
    table.as_of_sequence = usage.as_of_sequence;
    for (const auto& program : programs) teachers_.push_back(teacher_key(program.teacher));
  }

  Result<Converted> run() {
    for (const auto& row : usage_.rows) {
      if (program_of_key_[row.key] < 0) continue;
      TRY(add(row));
    }
    return std::move(result_);
  }

 private:
  StringId intern(const std::string& text) {
    auto& strings = result_.table.strings;
    const auto found = std::find(strings.begin(), strings.end(), text);
    const auto id = static_cast<uint32_t>(found - strings.begin());
    if (found == strings.end()) strings.push_back(text);
    return {id};
  }

  UsageKey teacher_key(const TeacherModel& teacher) {
    UsageKey key;
    key.provider = intern(teacher.provider);
    key.provider_account = intern(teacher.account);
    key.model = intern(teacher.model);
    key.region = intern(teacher.region);
    key.accelerator = intern(teacher.accelerator);
    key.service_tier = teacher.service_tier;
    return key;
  }

  Result<Context> context_of(const UsageRow& row) const {
    Context context;
    context.index = program_of_key_[row.key];
    context.program = &programs_[static_cast<size_t>(context.index)];
    const Interval period{row.period, row.period + usage_.grain};
    TRY(context.ratios, ratios_at(*context.program, period));
    TRY(context.cache, cache_profile_at(*context.program, period));
    TRY(context.profile, compute_profile_at(*context.program, period));
    const auto& teacher = context.program->teacher;
    context.regime = regime_at(contracts_, teacher.provider, teacher.account, row.period);
    if (context.regime) {
      const auto& regime = contracts_[context.regime->contract].regimes[context.regime->regime];
      context.by_hours = std::holds_alternative<ComputeHours>(regime.terms);
    }
    return context;
  }

  void problem(const UsageRow& row, SavingsProblem kind, std::string sentence, int64_t quantity) {
    result_.problems.add(zone_.local_month(row.period), kind, std::move(sentence), quantity);
  }

  Result<void> add(const UsageRow& row) {
    TRY(const auto context, context_of(row));
    const auto& name = context.program->id;
    if (!context.regime) {
      problem(row, SavingsProblem::no_contract,
              "no contract prices the teacher of " + name + ", " +
                  context.program->teacher.provider + " " + context.program->teacher.model,
              row.requests);
      return success();
    }
    if (context.by_hours && context.profile == nullptr) {
      problem(row, SavingsProblem::no_profile,
              "the teacher of " + name +
                  " is billed by compute time, and the programme has no "
                  "compute profile",
              row.requests);
      return success();
    }
    add_extras(row, context);
    bool counted = false;
    for (size_t meter = 0; meter < meter_count; ++meter) {
      if (meter == compute || row.counts[meter] == 0) continue;
      add_class(row, context, meter, counted);
    }
    // A request without any count is still a request.
    if (!counted) put(row, context, meter_count, counted);
    return success();
  }

  void add_extras(const UsageRow& row, const Context& context) {
    for (uint32_t i = 0; i < row.extras_count; ++i) {
      const auto& extra = usage_.extras[row.extras_begin + i];
      const std::string name(usage_.text(extra.name));
      const auto& ignored = context.program->ignored_extras;
      if (std::find(ignored.begin(), ignored.end(), name) == ignored.end())
        problem(row, SavingsProblem::no_ratio,
                context.program->id + " has no ratio for the counted extra " + name, extra.count);
    }
  }

  void add_class(const UsageRow& row, const Context& context, size_t meter, bool& counted) {
    const auto* ratio = context.ratios == nullptr ? nullptr : &context.ratios->of[meter];
    if (ratio == nullptr || !ratio->has_value()) {
      problem(row, SavingsProblem::no_ratio,
              context.program->id + " has no ratio for " + std::string(meter_names[meter]) +
                  " at that time",
              row.counts[meter]);
      return;
    }
    if (context.by_hours && meter < token_meter_count && !timed(context, meter)) {
      problem(row, SavingsProblem::no_profile,
              "the compute profile of " + context.program->id + " does not time " +
                  std::string(meter_names[meter]),
              row.counts[meter]);
      return;
    }
    put(row, context, meter, counted);
  }

  static bool timed(const Context& context, size_t meter) {
    if (context.cache == nullptr || !is_text_input(meter))
      return context.profile->us[meter].has_value();
    for (size_t to = 0; to < text_input_meters.size(); ++to)
      if (!context.cache->shares[to].is_zero() && !context.profile->us[to]) return false;
    return true;
  }

  // The factors by which one class of the student becomes classes of the teacher.
  static std::array<Ratio, meter_count> factors_of(const Context& context, size_t meter) {
    std::array<Ratio, meter_count> factors;
    if (meter == meter_count) return factors;
    const auto& ratio = *context.ratios->of[meter];
    if (context.cache != nullptr && is_text_input(meter)) {
      for (size_t to = 0; to < text_input_meters.size(); ++to)
        factors[to] = ratio * context.cache->shares[to];
    } else {
      factors[meter] = ratio;
    }
    if (!context.by_hours || meter >= token_meter_count) return factors;
    Rational us;
    for (size_t to = 0; to < token_meter_count; ++to) {
      if (factors[to].high.is_zero()) continue;
      const auto share = context.cache != nullptr && is_text_input(meter)
                             ? context.cache->shares[to]
                             : Rational(Int128{1});
      us += share * *context.profile->us[to];
      factors[to] = Ratio();
    }
    factors[compute] = ratio * us;
    return factors;
  }

  // One row per class, so that every charge has one factor. The first counts the requests.
  void put(const UsageRow& row, const Context& context, size_t meter, bool& counted) {
    const auto key = key_of(row, context, meter, !std::exchange(counted, true));
    const auto& converted = result_.keys[key];
    UsageRow made;
    made.period = row.period;
    made.key = key;
    made.requests = row.requests * converted.requests;
    if (meter < meter_count)
      for (size_t to = 0; to < meter_count; ++to)
        if (!converted.factors[to].high.is_zero()) made.counts[to] = row.counts[meter];
    result_.table.rows.push_back(made);
  }

  uint32_t key_of(const UsageRow& row, const Context& context, size_t meter, bool first) {
    const Place place{row.key,
                      meter,
                      first,
                      context.ratios,
                      context.cache,
                      context.profile,
                      context.regime->contract,
                      context.regime->regime};
    const auto [found, added] =
        places_.try_emplace(place, static_cast<uint32_t>(result_.keys.size()));
    if (!added) return found->second;
    const auto& source = usage_.keys[row.key];
    auto key = teachers_[static_cast<size_t>(context.index)];
    key.name_space = source.name_space;
    key.team = source.team;
    key.project = source.project;
    key.workload = source.workload;
    key.program = source.program;
    key.context_tier = source.context_tier;
    key.outcome = source.outcome;
    key.exposure = source.exposure;
    result_.table.keys.push_back(key);
    result_.keys.push_back(
        {row.key, context.index, context.regime->contract,
         meter >= static_cast<size_t>(Meter::output_text) && meter < token_meter_count,
         factors_of(context, meter), first ? 1 : 0});
    return found->second;
  }

  using Place =
      std::tuple<uint32_t, size_t, bool, const void*, const void*, const void*, size_t, size_t>;

  const UsageTable& usage_;
  std::span<const int32_t> program_of_key_;
  std::span<const Program> programs_;
  std::span<const Contract> contracts_;
  const TimeZone& zone_;
  std::vector<UsageKey> teachers_;
  std::map<Place, uint32_t> places_;
  Converted result_;
};

}  // namespace

Result<Converted> convert(const UsageTable& usage, std::span<const int32_t> program_of_key,
                          std::span<const Program> programs, std::span<const Contract> contracts,
                          const TimeZone& zone) {
  return Converter(usage, program_of_key, programs, contracts, zone).run();
}

Result<UsageTable> whole_units(const Converted& converted) {
  auto table = converted.table;
  for (auto& row : table.rows) {
    const auto& factors = converted.keys[row.key].factors;
    for (size_t meter = 0; meter < meter_count; ++meter) {
      if (row.counts[meter] == 0) continue;
      const auto exact = Rational(Int128{row.counts[meter]}) * factors[meter].ratio;
      const auto units = -(-exact).rounded(Rounding::floor);
      if (units > limits::meter_total_max || units < -limits::meter_total_max)
        return Error{ErrorCode::overflow, "a converted count of " +
                                              std::string(meter_names[meter]) +
                                              " is larger than can be counted"};
      row.counts[meter] = static_cast<int64_t>(units);
    }
  }
  return table;
}

std::optional<RegimeInForce> regime_at(std::span<const Contract> contracts,
                                       std::string_view provider, std::string_view account,
                                       Instant at) {
  for (size_t i = 0; i < contracts.size(); ++i) {
    if (!contracts[i].covers(provider, account)) continue;
    const auto& regimes = contracts[i].regimes;
    for (size_t j = 0; j < regimes.size(); ++j)
      if (regimes[j].interval.contains(at)) return RegimeInForce{i, j};
  }
  return std::nullopt;
}

}  // namespace gauger::billing
