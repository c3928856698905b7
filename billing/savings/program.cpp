#include "billing/savings/program.h"

#include <algorithm>
#include <set>

#include "billing/document.h"
#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

constexpr int ratio_digits = 12;
constexpr size_t list_max = 10'000;
constexpr int32_t months_max = 1'200;
// A teacher that takes a million tokens for one of the student's is a mistake; so is a second
// of an accelerator per token.
constexpr Int128 ratio_max = 1'000'000;
constexpr Int128 one = pico_per_unit;

struct Reader {
  std::string_view file;

  // "1.10", or "11/10".
  Result<Rational> fraction(const Node& node) const {
    TRY(const auto text, read_text(file, node, "a ratio"));
    const auto slash = text.find('/');
    if (slash == std::string::npos) {
      TRY(const auto value, read_decimal(file, node, ratio_digits));
      return Rational::ratio(value, one);
    }
    const auto above = parse_decimal(text.substr(0, slash), 0);
    const auto below = parse_decimal(text.substr(slash + 1), 0);
    if (!above.has_value() || !below.has_value() || below.value() <= 0)
      return document_error(file, node.line, "'" + text + "' is not a fraction such as 11/10");
    return Rational::ratio(above.value(), below.value());
  }

  Result<Rational> quantity(const Node& node) const {
    TRY(auto value, fraction(node));
    if (value.is_negative() || value > Rational(ratio_max))
      return document_error(file, node.line, "'" + node.text + "' is not between 0 and 1000000");
    return value;
  }

  Result<Rational> percent(const Node& node) const {
    TRY(const auto value, fraction(node));
    if (value.is_negative() || value > Rational(Int128{100}))
      return document_error(file, node.line, "'" + node.text + "' is not a percentage");
    return value / Rational(Int128{100});
  }

  Result<int32_t> month(const Node& node) const {
    TRY(const auto text, read_text(file, node, "a month"));
    const auto parsed = parse_month(text);
    if (!parsed.has_value()) return document_error(file, node.line, parsed.error().sentence);
    return parsed.value();
  }

  Result<int32_t> months(const Node& node) const {
    TRY(const auto value, read_integer(file, node, 1, months_max));
    return static_cast<int32_t>(value);
  }

  // A number, or {ratio, low, high}.
  Result<Ratio> ratio(const Node& node) const {
    if (node.kind != Node::Kind::map) {
      TRY(const auto value, quantity(node));
      return Ratio{value, value, value};
    }
    TRY(auto fields, Fields::of(file, node, "a ratio"));
    Ratio read;
    TRY(const auto* value, fields.required("ratio"));
    TRY(const auto* low, fields.required("low"));
    TRY(const auto* high, fields.required("high"));
    TRY(read.ratio, quantity(*value));
    TRY(read.low, quantity(*low));
    TRY(read.high, quantity(*high));
    TRY(fields.finish());
    if (read.low > read.ratio || read.ratio > read.high)
      return document_error(file, node.line, "a ratio lies between its 'low' and its 'high'");
    return read;
  }

  Result<int64_t> sample(Fields& fields) const {
    const auto* node = fields.optional("sample");
    if (node == nullptr) return 0;
    return read_integer(file, *node, 1, INT64_MAX);
  }

  Result<Instant> from(Fields& fields) const {
    TRY(const auto at, fields.instant("from"));
    return at.value_or(begin_of_time);
  }

  Result<ConversionRatios> ratios(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "ratios"));
    ConversionRatios read;
    read.line = node.line;
    TRY(read.from, from(fields));
    TRY(read.sample, sample(fields));
    if (const auto* input = fields.optional("input")) {
      TRY(const auto value, ratio(*input));
      for (const auto meter : text_input_meters) read.of[static_cast<size_t>(meter)] = value;
    }
    if (const auto* output = fields.optional("output")) {
      TRY(const auto value, ratio(*output));
      for (const auto meter : {Meter::output_text, Meter::output_reasoning})
        read.of[static_cast<size_t>(meter)] = value;
    }
    for (size_t i = 0; i < meter_count; ++i) {
      if (static_cast<Meter>(i) == Meter::compute_us) continue;
      if (const auto* value = fields.optional(meter_names[i])) {
        TRY(read.of[i], ratio(*value));
      }
    }
    TRY(fields.finish());
    return read;
  }

  Result<CacheProfile> cache_profile(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a cache profile"));
    CacheProfile read;
    read.line = node.line;
    TRY(read.from, from(fields));
    Rational rest(Int128{1});
    for (size_t i = 1; i < text_input_meters.size(); ++i) {
      const auto* share = fields.optional(to_string(text_input_meters[i]));
      if (share == nullptr) continue;
      TRY(read.shares[i], percent(*share));
      rest -= read.shares[i];
    }
    if (rest.is_negative())
      return document_error(file, node.line, "the parts of a cache profile exceed 100 percent");
    read.shares[0] = rest;
    TRY(fields.finish());
    return read;
  }

  Result<ComputeProfile> compute_profile(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a compute profile"));
    ComputeProfile read;
    read.line = node.line;
    TRY(read.from, from(fields));
    TRY(read.sample, sample(fields));
    const auto put = [&](Meter meter, const Rational& us) {
      read.us[static_cast<size_t>(meter)] = us;
    };
    if (const auto* input = fields.optional("input")) {
      TRY(const auto us, quantity(*input));
      for (const auto meter : text_input_meters) put(meter, us);
    }
    if (const auto* output = fields.optional("output")) {
      TRY(const auto us, quantity(*output));
      for (const auto meter : {Meter::output_text, Meter::output_reasoning}) put(meter, us);
    }
    for (size_t i = 0; i < token_meter_count; ++i) {
      if (const auto* us = fields.optional(meter_names[i])) {
        TRY(read.us[i], quantity(*us));
      }
    }
    TRY(fields.finish());
    return read;
  }

  Result<OneOff> one_off(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a one-off"));
    OneOff read;
    read.line = node.line;
    TRY(read.label, fields.text_or("label", ""));
    TRY(const auto* month_node, fields.required("month"));
    TRY(read.month, month(*month_node));
    TRY(const auto* months_node, fields.required("months"));
    TRY(read.months, months(*months_node));
    TRY(const auto* amount, fields.required("amount"));
    TRY(const auto pico, read_decimal(file, *amount, money_digits));
    if (pico < 0 || pico > one * one)
      return document_error(file, amount->line, "'" + amount->text + "' is not a cost");
    read.amount = Rational(pico);
    TRY(const auto reestimates, fields.list("reestimates"));
    for (const auto& item : reestimates) {
      TRY(auto parts, Fields::of(file, item, "a re-estimate"));
      OneOff::Reestimate reestimate{};
      TRY(const auto* at, parts.required("from"));
      TRY(reestimate.month, month(*at));
      TRY(const auto* whole, parts.required("months"));
      TRY(reestimate.months, months(*whole));
      TRY(parts.finish());
      if (!read.reestimates.empty() && read.reestimates.back().month >= reestimate.month)
        return document_error(file, item.line, "re-estimates follow one another");
      read.reestimates.push_back(reestimate);
    }
    TRY(fields.finish());
    return read;
  }

  Result<TeacherModel> teacher(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "the teacher"));
    TeacherModel read;
    TRY(read.provider, fields.text("provider"));
    TRY(read.model, fields.text("model"));
    TRY(read.account, fields.text_or("account", ""));
    TRY(read.region, fields.text_or("region", ""));
    TRY(read.accelerator, fields.text_or("accelerator", ""));
    TRY(const auto tier, fields.text_or("service_tier", "standard"));
    const auto found = find_name<ServiceTier>(service_tier_names, tier);
    if (!found) return fields.error("'" + tier + "' is not a service tier");
    read.service_tier = *found;
    TRY(fields.finish());
    return read;
  }

  Result<LicenceScope> licence(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "the licence"));
    LicenceScope read;
    TRY(const auto scope, fields.text_or("scope", "external"));
    if (scope != "internal" && scope != "external")
      return fields.error("'scope: " + scope + "' is neither internal nor external");
    read.external = scope == "external";
    TRY(const auto ends, fields.instant("ends"));
    read.ends = ends.value_or(end_of_time);
    TRY(fields.finish());
    return read;
  }

  // A list of dated items, each after the one before.
  template <class T, class Read>
  Result<std::vector<T>> dated(Fields& fields, std::string_view name, const Read& read) const {
    TRY(const auto nodes, fields.list(name));
    if (nodes.size() > list_max)
      return fields.error("'" + std::string(name) + "' holds too many entries");
    std::vector<T> list;
    for (const auto& node : nodes) {
      TRY(auto item, read(node));
      if (!list.empty() && list.back().from >= item.from)
        return document_error(file, node.line,
                              "each of '" + std::string(name) + "' begins after the one before");
      list.push_back(std::move(item));
    }
    return list;
  }

  Result<void> read_costs(Fields& fields, Program& program) const {
    TRY(const auto one_offs, fields.list("one_offs"));
    if (one_offs.size() > list_max) return fields.error("'one_offs' holds too many entries");
    for (const auto& node : one_offs) {
      TRY(auto read, one_off(node));
      program.one_offs.push_back(std::move(read));
    }
    if (const auto* node = fields.optional("distillation_months")) {
      TRY(program.distillation_months, months(*node));
    }
    TRY(const auto* go_live, fields.required("go_live"));
    TRY(program.go_live, month(*go_live));
    if (const auto* retired = fields.optional("retired")) {
      TRY(program.retired, month(*retired));
      if (*program.retired < program.go_live)
        return document_error(file, retired->line, "a programme is retired after it went live");
    }
    return success();
  }

  Result<void> read_conversion(Fields& fields, Program& program) const {
    TRY(program.ratios,
        dated<ConversionRatios>(fields, "ratios", [&](const Node& node) { return ratios(node); }));
    if (program.ratios.empty()) return fields.error("a conversion has 'ratios'");
    TRY(const auto extras, fields.list("ignored_extras"));
    for (const auto& node : extras) {
      TRY(auto name, read_text(file, node, "ignored_extras"));
      program.ignored_extras.push_back(std::move(name));
    }
    TRY(program.cache_profiles,
        dated<CacheProfile>(fields, "cache_profiles",
                            [&](const Node& node) { return cache_profile(node); }));
    return success();
  }

  Result<void> read_rules(Fields& fields, Program& program) const {
    TRY(program.compute_profiles,
        dated<ComputeProfile>(fields, "compute_profiles",
                              [&](const Node& node) { return compute_profile(node); }));
    if (const auto* node = fields.optional("licence")) {
      TRY(program.licence, licence(*node));
    }
    if (const auto* floor = fields.optional("acceptance_floor_percent")) {
      TRY(program.acceptance_floor, percent(*floor));
    }
    program.alert_share = Rational::ratio(1, 10);
    if (const auto* share = fields.optional("drift_alert_percent")) {
      TRY(program.alert_share, percent(*share));
    }
    return success();
  }
};

// The last that has begun before the period; none may begin inside it.
template <class T>
Result<const T*> in_force(const Program& program, const std::vector<T>& list, Interval period) {
  const T* found = nullptr;
  for (const auto& item : list) {
    if (item.from <= period.from) {
      found = &item;
    } else if (item.from < period.until) {
      return document_error(program.file, item.line,
                            "the programme changes at " + format_instant(item.from) +
                                ", inside the usage period that begins at " +
                                format_instant(period.from) +
                                "; programmes change on the ledger's grain");
    }
  }
  return found;
}

}  // namespace

Result<Program> parse_program(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_program(root, file);
}

Result<Program> read_program(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "a programme"));
  const Reader reader{file};
  Program program;
  program.file = file;
  TRY(const auto kind, fields.text("kind"));
  if (kind != "program") return fields.error("'kind: " + kind + "' is not a program");
  TRY(program.id, fields.text("id"));
  TRY(program.version, fields.text("version"));
  TRY(const auto currency, fields.text("currency"));
  const auto found = Currency::find(currency);
  if (!found.has_value()) return fields.error(found.error().sentence);
  program.currency = found.value();
  TRY(const auto* teacher, fields.required("teacher"));
  TRY(program.teacher, reader.teacher(*teacher));
  TRY(const auto* student, fields.required("student"));
  TRY(auto parts, Fields::of(file, *student, "the student"));
  TRY(program.student.provider, parts.text("provider"));
  TRY(program.student.model, parts.text("model"));
  TRY(parts.finish());
  TRY(const auto workloads, fields.list("workloads"));
  for (const auto& node : workloads) {
    TRY(auto workload, read_text(file, node, "workloads"));
    program.workloads.push_back(std::move(workload));
  }
  TRY(reader.read_conversion(fields, program));
  TRY(reader.read_rules(fields, program));
  TRY(reader.read_costs(fields, program));
  TRY(fields.finish());
  return program;
}

Result<Alternative> parse_alternative(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_alternative(root, file);
}

Result<Alternative> read_alternative(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "an alternative"));
  const Reader reader{file};
  Alternative alternative;
  alternative.file = file;
  TRY(const auto kind, fields.text("kind"));
  if (kind != "alternative") return fields.error("'kind: " + kind + "' is not an alternative");
  TRY(alternative.id, fields.text("id"));
  TRY(alternative.version, fields.text("version"));
  TRY(alternative.price_book, fields.text("price_book"));
  auto& conversion = alternative.conversion;
  conversion.file = file;
  conversion.id = alternative.id;
  TRY(const auto* from, fields.required("from"));
  TRY(auto parts, Fields::of(file, *from, "the model that is used"));
  TRY(conversion.student.provider, parts.text("provider"));
  TRY(conversion.student.model, parts.text("model"));
  TRY(parts.finish());
  TRY(const auto* to, fields.required("to"));
  TRY(conversion.teacher, reader.teacher(*to));
  TRY(reader.read_conversion(fields, conversion));
  TRY(fields.finish());
  return alternative;
}

Result<void> check_programs(const std::vector<Program>& programs) {
  std::set<std::string> ids;
  for (const auto& program : programs)
    if (!ids.insert(program.id).second)
      return Error{ErrorCode::conflict,
                   program.file + ": the programme " + program.id + " is described twice"};
  return success();
}

Result<const ConversionRatios*> ratios_at(const Program& program, Interval period) {
  return in_force(program, program.ratios, period);
}
Result<const CacheProfile*> cache_profile_at(const Program& program, Interval period) {
  return in_force(program, program.cache_profiles, period);
}
Result<const ComputeProfile*> compute_profile_at(const Program& program, Interval period) {
  return in_force(program, program.compute_profiles, period);
}

}  // namespace gauger::billing
