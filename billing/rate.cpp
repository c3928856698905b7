#include "billing/rate.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>

#include "billing/usage_groups.h"

namespace gauger::billing {
namespace {

// One slot per meter, and one for requests.
constexpr size_t item_slots = meter_count + 1;
constexpr int32_t no_rule = -1;

// All that a (price key, price interval, part of the day) decides.
struct Choice {
  std::array<int32_t, item_slots> rules{};  // no_rule: unpriced
  const Prices* prices = nullptr;           // null: no entry matches
  // What an entry prices by time covers the tokens, and the other way round.
  bool prices_tokens = false;
  bool prices_compute = false;
  size_t entry = 0;
  int64_t context_above = 0;
  uint32_t model_tier = 0;
};

// A slot of the day: a choice, or the sentence with which usage of it is refused.
struct PricedSlot {
  int32_t minute_from;
  int32_t minute_until;
  uint32_t choice;
  std::optional<Error> refusal;
};

struct PricedSegment {
  Interval interval;
  std::vector<PricedSlot> slots;
};

struct Resolution {
  std::vector<PricedSegment> segments;
  size_t latest = 0;  // where the row before was found
};

class Rater {
 public:
  Rater(const UsageTable& usage, const PriceBook& book, const RateOptions& options)
      : usage_(usage), book_(book), options_(options), groups_(options.zone, options.grouping) {}

  Result<Rated> run() {
    if (book_.status == BookStatus::proposed && !options_.proposals)
      return Error{ErrorCode::refused,
                   "the price book " + book_.id + " " + book_.version +
                       " is a proposal: accept it with `gauger catalog accept` first"};
    prepare();
    for (const auto& row : usage_.rows) {
      TRY(add(row));
    }
    TRY(emit());
    return std::move(rated_);
  }

 private:
  void prepare() {
    rated_.currency = book_.currency;
    rated_.strings = usage_.strings;
    rated_.keys = usage_.keys;
    rated_.as_of_sequence = usage_.as_of_sequence;
    rated_.model_tiers.emplace_back(unclassified);
    resolution_of_key_.assign(usage_.keys.size(), unresolved);
  }

  // --- resolving prices, once per price key ------------------------------------------------
  static constexpr uint32_t unresolved = UINT32_MAX;
  using KeyParts = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t, uint8_t, uint8_t>;

  Result<uint32_t> resolution_of(uint32_t key_index) {
    const auto& key = usage_.keys[key_index];
    if (key.context_tier > usage_.context_boundaries.size())
      return invalid_argument("a usage key has context tier " + std::to_string(key.context_tier) +
                              ", but the ledger keeps only " +
                              std::to_string(usage_.context_boundaries.size()) + " boundaries");
    const KeyParts parts{key.provider.value,
                         key.model.value,
                         key.region.value,
                         key.accelerator.value,
                         static_cast<uint8_t>(key.service_tier),
                         key.context_tier};
    const auto [found, added] =
        by_parts_.try_emplace(parts, static_cast<uint32_t>(resolutions_.size()));
    if (added) resolutions_.push_back(resolve(key));
    return found->second;
  }

  Resolution resolve(const UsageKey& key) {
    const PriceKey price_key{.provider = usage_.text(key.provider),
                             .model = usage_.text(key.model),
                             .region = usage_.text(key.region),
                             .accelerator = usage_.text(key.accelerator),
                             .service_tier = key.service_tier};
    const auto prices = entries_in_force(book_, price_key);
    const auto tiers = options_.catalog == nullptr
                           ? order_by_precedence({})
                           : tiers_in_force(*options_.catalog, price_key.provider, price_key.model);
    Resolution resolution;
    for (const auto& price : prices) {
      for (const auto& tier : tiers) {
        const Interval both{std::max(price.interval.from, tier.interval.from),
                            std::min(price.interval.until, tier.interval.until)};
        if (both.from >= both.until) continue;
        PricedSegment segment{both, {}};
        for (const auto& slot : price.slots)
          segment.slots.push_back(resolve_slot(key, price_key, slot, tier.slots.front()));
        resolution.segments.push_back(std::move(segment));
      }
    }
    return resolution;
  }

  PricedSlot resolve_slot(const UsageKey& key, const PriceKey& price_key, const Slot& slot,
                          const Slot& tier) {
    PricedSlot priced{slot.minute_from, slot.minute_until, 0, std::nullopt};
    if (slot.index == tie_applies) {
      priced.refusal = tie(price_key, slot);
      return priced;
    }
    Choice choice;
    choice.rules.fill(no_rule);
    if (slot.index != nothing_applies) {
      choice.entry = static_cast<size_t>(slot.index);
      priced.refusal = choose_context(book_.entries[choice.entry], key.context_tier, choice);
      if (!priced.refusal) choose_rules(choice);
    }
    if (tier.index == tie_applies) {
      priced.refusal =
          Error{ErrorCode::conflict, "two entries of the model catalogue match " +
                                         std::string(price_key.provider) + " " +
                                         std::string(price_key.model) + " equally well"};
    } else if (tier.index != nothing_applies) {
      choice.model_tier =
          tier_index(options_.catalog->entries[static_cast<size_t>(tier.index)].tier);
    }
    priced.choice = static_cast<uint32_t>(choices_.size());
    choices_.push_back(choice);
    return priced;
  }

  Error tie(const PriceKey& key, const Slot& slot) const {
    auto error = document_error(
        book_.file, book_.entries[slot.tied_b].line,
        "'" + book_.entries[slot.tied_b].label() + "' and '" + book_.entries[slot.tied_a].label() +
            "' at line " + std::to_string(book_.entries[slot.tied_a].line) + " match " +
            std::string(key.provider) + " " + std::string(key.model) + " equally well");
    error.code = ErrorCode::conflict;
    return error;
  }

  // The usage knows only on which side of the ledger's boundaries a request lay.
  std::optional<Error> choose_context(const PriceEntry& entry, ContextTier tier, Choice& choice) {
    const auto& kept = usage_.context_boundaries;
    for (const auto& context : entry.context_above)
      if (!std::binary_search(kept.begin(), kept.end(), context.above))
        return document_error(book_.file, entry.line,
                              "'" + entry.label() + "' changes above " +
                                  std::to_string(context.above) +
                                  " tokens, a context boundary that the ledger does not keep");
    const auto input = tier == 0 ? 0 : kept[tier - 1U] + 1;
    choice.prices = &prices_for_input(entry, input);
    for (const auto& context : entry.context_above)
      if (&context.prices == choice.prices) choice.context_above = context.above;
    return std::nullopt;
  }

  void choose_rules(Choice& choice) {
    for (size_t slot = 0; slot < item_slots; ++slot)
      choice.rules[slot] = rule_for(choice, slot < meter_count ? meter_names[slot] : requests_item);
    auto& reasoning = choice.rules[static_cast<size_t>(Meter::output_reasoning)];
    if (find_item(*choice.prices, to_string(Meter::output_reasoning)) == nullptr)
      reasoning = choice.rules[static_cast<size_t>(Meter::output_text)];
    for (size_t slot = 0; slot < token_meter_count; ++slot)
      choice.prices_tokens |= choice.rules[slot] != no_rule;
    choice.prices_compute = choice.rules[static_cast<size_t>(Meter::compute_us)] != no_rule;
  }

  int32_t rule_for(const Choice& choice, std::string_view item) {
    if (choice.prices == nullptr) return no_rule;
    const auto* found = find_item(*choice.prices, item);
    if (found == nullptr || !found->price) return no_rule;
    const auto& entry = book_.entries[choice.entry];
    // What is no token and carries over a boundary is one price, and counts in one schedule.
    const auto* base = find_item(entry.prices, item);
    const auto meter = find_meter(item);
    const bool token = meter && static_cast<size_t>(*meter) < token_meter_count;
    const bool carried = !token && base != nullptr && *base == *found;
    if (carried) found = base;
    const auto [rule, added] =
        rule_of_price_.try_emplace(found, static_cast<int32_t>(rated_.rules.size()));
    if (added) {
      rated_.rules.push_back({.document = book_.id,
                              .version = book_.version,
                              .line = entry.line,
                              .label = entry.label(),
                              .item = std::string(item),

                              .context_above = carried ? 0 : choice.context_above,
                              .price = *found->price});
    }
    return rule->second;
  }

  uint32_t tier_index(const std::string& tier) {
    auto& tiers = rated_.model_tiers;
    const auto found = std::find(tiers.begin(), tiers.end(), tier);
    if (found != tiers.end()) return static_cast<uint32_t>(found - tiers.begin());
    tiers.push_back(tier);
    return static_cast<uint32_t>(tiers.size() - 1);
  }

  // --- adding up usage ---------------------------------------------------------------------
  Result<void> add(const UsageRow& row) {
    if (row.key >= usage_.keys.size())
      return Error{ErrorCode::corruption, "a usage row names a key that does not exist"};
    if (!options_.keys.empty() && options_.keys[row.key] == 0) return success();
    const auto end = row.period + usage_.grain;
    const auto& within = options_.within;
    if (!within.contains(row.period)) {
      if (row.period < within.from && end > within.from) return inside(row, within.from);
      return success();
    }
    if (within.until < end) return inside(row, within.until);
    auto& resolution = resolution_of_key_[row.key];
    if (resolution == unresolved) {
      TRY(resolution, resolution_of(row.key));
    }
    TRY(const auto choice, choice_at(resolutions_[resolution], row, end));
    TRY(const auto group, groups_.group_of(row.period, end));
    return cells_.add(usage_, row, choice, group);
  }

  Result<uint32_t> choice_at(Resolution& resolution, const UsageRow& row, Instant end) {
    auto& segments = resolution.segments;
    if (!segments[resolution.latest].interval.contains(row.period))
      resolution.latest =
          static_cast<size_t>(std::upper_bound(segments.begin(), segments.end(), row.period,
                                               [](Instant at, const PricedSegment& segment) {
                                                 return at < segment.interval.until;
                                               }) -
                              segments.begin());
    const auto& segment = segments[resolution.latest];
    if (segment.interval.until < end) return inside(row, segment.interval.until);
    const auto* slot = &segment.slots.front();
    if (segment.slots.size() > 1) {
      const auto day = std::chrono::floor<std::chrono::days>(row.period);
      const auto minute = static_cast<int32_t>((row.period - day) / std::chrono::minutes{1});
      while (slot->minute_until <= minute) ++slot;
      const auto change = day + std::chrono::minutes{slot->minute_until};
      if (slot->minute_until < minutes_per_day && change < end) return inside(row, change);
      if (end - day > std::chrono::days{1}) return inside(row, day + std::chrono::days{1});
    }
    if (slot->refusal) return *slot->refusal;
    return slot->choice;
  }

  Error inside(const UsageRow& row, Instant change) const {
    return invalid_argument(
        "the terms change at " + format_instant(change) +
        ", inside the usage period that begins at " + format_instant(row.period) + " and lasts " +
        std::to_string(usage_.grain.count()) + " minutes; terms change on the ledger's grain");
  }

  // --- charges -----------------------------------------------------------------------------
  Result<void> emit() {
    for (const auto index : cells_.ordered(groups_)) {
      const auto& cell = cells_.at(index);
      const auto& choice = choices_[cell.choice];
      if (usage_.keys[cell.key].usage_source != UsageSource::reported && cell.requests != 0)
        rated_.uncertain.push_back({groups_.begin(cell.group), cell.key, cell.requests});
      for (size_t i = 0; i < meter_count; ++i)
        if (!covered(choice, i))
          emit_item(cell, choice, item_of(static_cast<Meter>(i)), choice.rules[i], cell.counts[i]);
      refuse_missing_time(cell, choice);
      if (choice.rules[meter_count] != no_rule)
        emit_item(cell, choice, item_requests, choice.rules[meter_count], cell.requests);
      for (const auto& [name, count] : cells_.extras_of(index))
        emit_item(cell, choice, item_of_extra(name), rule_for(choice, usage_.text(name)), count);
    }
    return apply_schedules();
  }

  // Tokens under a price per hour alone, or compute time under prices per token alone.
  static bool covered(const Choice& choice, size_t meter) {
    if (choice.rules[meter] != no_rule) return false;
    if (meter == static_cast<size_t>(Meter::compute_us)) return choice.prices_tokens;
    return meter < token_meter_count && choice.prices_compute && !choice.prices_tokens;
  }

  // Under a price per hour, tokens without any compute time were not free: nobody measured.
  void refuse_missing_time(const UsageCell& cell, const Choice& choice) {
    if (!choice.prices_compute || choice.prices_tokens) return;
    if (cell.requests_untimed != 0)
      rated_.unpriced.push_back({groups_.begin(cell.group), cell.key, item_requests,
                                 UnpricedReason::no_compute_time, cell.requests_untimed});
  }

  void emit_item(const UsageCell& cell, const Choice& choice, Item item, int32_t rule,
                 int64_t quantity) {
    if (quantity == 0) return;
    const auto from = groups_.begin(cell.group);
    if (rule == no_rule) {
      const auto reason =
          choice.prices == nullptr ? UnpricedReason::no_entry : UnpricedReason::no_price;
      rated_.unpriced.push_back({from, cell.key, item, reason, quantity});
      return;
    }
    const auto& price = rated_.rules[static_cast<size_t>(rule)].price;
    Charge charge{.from = from,
                  .key = cell.key,
                  .rule = static_cast<uint32_t>(rule),
                  .item = item,
                  .model_tier = choice.model_tier,
                  .quantity = quantity,
                  .amount = {}};
    if (price.schedule == Schedule::flat) {
      charge.amount = amount_of(price, quantity);
    } else {
      auto& pool = pools_[{charge.rule, groups_.month(cell.group)}];
      pool.quantity += quantity;
      pool.charges.push_back(rated_.charges.size());
    }
    rated_.charges.push_back(std::move(charge));
  }

  // What a schedule charges for the sum is shared by quantity: the same average price for all.
  Result<void> apply_schedules() {
    for (const auto& [where, pool] : pools_) {
      const auto& rule = rated_.rules[where.first];
      if (pool.quantity < 0)
        return invalid_argument("the quantity of " + rule.label + " " + rule.item +
                                " is below zero in a month with a " +
                                std::string(to_string(rule.price.schedule)) + " schedule");
      if (pool.quantity == 0) continue;
      const auto total = amount_of(rule.price, pool.quantity);
      for (const auto index : pool.charges) {
        auto& charge = rated_.charges[index];
        charge.amount = total * Rational::ratio(charge.quantity, pool.quantity);
      }
    }
    return success();
  }

  struct Pool {
    Int128 quantity = 0;
    std::vector<size_t> charges;
  };

  const UsageTable& usage_;
  const PriceBook& book_;
  const RateOptions& options_;
  Rated rated_;
  std::map<KeyParts, uint32_t> by_parts_;
  std::vector<Resolution> resolutions_;
  std::vector<uint32_t> resolution_of_key_;
  std::vector<Choice> choices_;
  std::unordered_map<const ItemPrice*, int32_t> rule_of_price_;
  UsageGroups groups_;
  UsageCells cells_;
  std::map<std::pair<uint32_t, int32_t>, Pool> pools_;
};

}  // namespace

Result<Rated> rate(const UsageTable& usage, const PriceBook& book, const RateOptions& options) {
  return Rater(usage, book, options).run();
}

}  // namespace gauger::billing
