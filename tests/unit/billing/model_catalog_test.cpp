// Why: reports and quotas speak of tiers, and a tier that moves must not move the past.
#include "billing/model_catalog.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {
const std::string head = "kind: model_catalog\nid: acme\nversion: 3\nmodels:\n";
}

TEST_CASE("a model's tier is the most specific one in force at the time", "[billing]") {
  const auto catalog = parse_model_catalog(head + R"(
  - {provider: anthropic, model: "claude-opus-*", tier: frontier}
  - {provider: "*", model: "*-distilled", tier: distilled}
  - {provider: anthropic, model: claude-opus-3, tier: standard, effective_from: 2026-06-01}
)",
                                           "c.yaml")
                           .value();
  const auto tier = [&](std::string_view provider, std::string_view model, std::string_view at) {
    return model_tier(catalog, provider, model, parse_instant(at).value()).value();
  };
  CHECK(tier("anthropic", "claude-opus-3", "2026-05-31T23:30:00Z") == "frontier");
  CHECK(tier("anthropic", "claude-opus-3", "2026-06-01") == "standard");
  CHECK(tier("in-house", "opus-distilled", "2026-06-01") == "distilled");
  CHECK(tier("openai", "gpt-5", "2026-06-01") == unclassified);
}

TEST_CASE("catalogue entries that match equally well are refused", "[billing]") {
  CHECK(parse_model_catalog(head + "  - {provider: a, model: m, tier: x}\n"
                                   "  - {provider: a, model: [m, n], tier: y, tire: z}\n",
                            "c.yaml")
            .error()
            .sentence.substr(0, 24) == "c.yaml:6: unknown key 't");
  CHECK(parse_model_catalog(head + "  - {provider: a, model: \"m-*\", tier: x}\n"
                                   "  - {provider: a, model: \"*-mm\", tier: y}\n"
                                   "  - {provider: b, model: m-mm, tier: z}\n",
                            "c.yaml")
            .has_value());
  const auto catalog = parse_model_catalog(head +
                                               "  - {provider: a, model: \"m-*\", tier: x}\n"
                                               "  - {provider: a, model: \"*-m\", tier: y}\n",
                                           "c.yaml")
                           .value();
  CHECK(model_tier(catalog, "a", "m-m", parse_instant("2026-01-01").value()).error().code ==
        ErrorCode::conflict);
}
