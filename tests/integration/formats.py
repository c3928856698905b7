"""Why: an adapter is worth what a stranger gets out of it with the command that the README
shows. How: one small file per format through `gauger ingest`, and what `gauger usage`, `gauger
quarantine` and a draft then show; usage that nobody claimed is claimed afterwards."""
import json
import pathlib
import unittest

import cli

NOW = "2027-01-16T12:00:00Z"
AT = "2027-01-16T10:00:00Z"
GOLDEN = cli.ROOT / "tests/golden"


def envelope(identity, response, **more):
    return {"source": "gateway", "id": identity, "completed_at": AT, "response": response, **more}


def anthropic(**usage):
    return {"model": "claude-sonnet-4-5", "usage": usage}


OTLP = {"resourceSpans": [{"resource": {"attributes": [
    {"key": "service.name", "value": {"stringValue": "chat-api"}}]}, "scopeSpans": [{"spans": [{
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "startTimeUnixNano": "1800093599000000000", "endTimeUnixNano": "1800093600000000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.provider.name", "value": {"stringValue": "anthropic"}},
            {"key": "gen_ai.response.model", "value": {"stringValue": "claude-sonnet-4-5"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "100"}},
            {"key": "gen_ai.usage.cache_read.input_tokens", "value": {"intValue": "60"}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "50"}}]}]}]}]}

LITELLM = {"request_id": "chatcmpl-1", "call_type": "acompletion", "api_key": "hash-1",
           "endTime": "2027-01-16 10:00:02+00", "status": "success",
           "model": "anthropic/claude-sonnet-4-5", "custom_llm_provider": "anthropic",
           "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
           "metadata": {"usage_object": {"prompt_tokens": 100, "completion_tokens": 50,
                                         "total_tokens": 150,
                                         "prompt_tokens_details": {"cached_tokens": 60}}}}

CSV_MAPPING = """csv:
  columns:
    request: id
    finished: {field: completed_at, format: unix_ms}
    prompt: input_total
    cached: cache_read
    answer: output_text
  constants: {source: own-gateway, provider: openai, model: gpt-5}
"""

# format: (file, content, further flags, requests, input of all kinds, output of all kinds)
EVENT = {"source": "s", "id": "1", "completed_at": AT, "team": "search", "provider": "p",
         "model": "m", "input_uncached": 40, "cache_read": 60, "output_text": 50}
CHAT = {"model": "gpt-5-2025-08-07", "service_tier": "default",
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
                  "prompt_tokens_details": {"cached_tokens": 60}}}
SENT = {
    "json": ("events.jsonl", EVENT, [], 1, 100, 50),
    "cloudevents": ("events.json", GOLDEN / "cloudevents_batch.json", [], 2, None, None),
    "anthropic": ("responses.jsonl", envelope("a", anthropic(
        input_tokens=30, cache_read_input_tokens=60, cache_creation_input_tokens=10,
        output_tokens=50)), [], 1, 100, 50),
    "openai": ("responses.jsonl", envelope("o", CHAT), [], 1, 100, 50),
    "openai-compatible": ("responses.jsonl", envelope("v", CHAT), ["--provider", "vllm"],
                          1, 100, 50),
    "bedrock": ("responses.jsonl", envelope("b", {"usage": {
        "inputTokens": 30, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 10,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 10}], "outputTokens": 50,
        "totalTokens": 150}}, model="amazon.nova-pro-v1:0"), [], 1, 100, 50),
    "gemini": ("responses.jsonl", envelope("g", {"modelVersion": "gemini-2.5-pro", "usageMetadata": {
        "promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 30,
        "thoughtsTokenCount": 20, "totalTokenCount": 150}}), [], 1, 100, 50),
    "otlp": ("spans.json", OTLP, [], 1, 100, 50),
    "litellm": ("rows.json", [LITELLM], [], 1, 100, 50),
    "csv": ("log.csv", "request,finished,prompt,cached,answer\nr1,1800093600000,100,60,50\n",
            ["--csv-mapping"], 1, 100, 50),
}
INPUT = ["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h"]
OUTPUT = ["output_text", "output_reasoning"]


class Formats(cli.CliTest):
    def write(self, name, content):
        path = self.directory / name
        if isinstance(content, pathlib.Path):
            content = content.read_text()
        path.write_text(content if isinstance(content, str) else json.dumps(content) + "\n")
        return path

    def ingest(self, file, *flags):
        return cli.ingest(self.ledger, "--now", NOW, file, *flags)

    def lines(self, name, records):
        return self.write(name, "".join(json.dumps(record) + "\n" for record in records))

    def test_every_format_counts_what_was_sent(self):
        for name, (file, content, flags, requests, taken, given) in SENT.items():
            with self.subTest(name):
                self.ledger = self.directory / name
                if flags == ["--csv-mapping"]:
                    flags = [*flags, self.write("mapping.yaml", CSV_MAPPING)]
                path = self.write(file, content)
                report = self.ingest(path, "--format", name, *flags)
                self.assertEqual((report["accepted"], report["quarantined"]), (requests, 0))
                again = self.ingest(path, "--format", name, *flags)
                self.assertEqual((again["accepted"], again["duplicate"]), (0, requests))
                row, = cli.usage(self.ledger, "namespace")
                self.assertEqual(row["requests"], requests)
                if taken is not None:
                    self.assertEqual(sum(row.get(m, 0) for m in INPUT), taken)
                    self.assertEqual(sum(row.get(m, 0) for m in OUTPUT), given)

    def test_totals_that_disagree_are_set_aside_with_both_numbers(self):
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 151}
        report = self.ingest(self.lines("r.jsonl", [
            envelope("1", {"model": "gpt-5", "usage": usage})]), "--format", "openai")
        self.assertEqual(report["quarantined"], 1)
        listed = json.loads(cli.gauger("quarantine", "list", "--data", self.ledger, "--output",
                                       "json").stdout)
        self.assertEqual(listed[0]["reason"], "totals_disagree")
        self.assertIn("151", listed[0]["detail"])
        self.assertIn("150", listed[0]["detail"])

    def test_unknown_usage_keys_are_counted_and_named(self):
        file = self.lines("r.jsonl", [envelope(str(i), anthropic(
            input_tokens=1, output_tokens=0, moon_tokens=i)) for i in range(3)])
        report = self.ingest(file, "--format", "anthropic")
        self.assertEqual(report["extras"], {"moon_tokens": 2})
        row, = cli.usage(self.ledger, "model")
        self.assertEqual(row["extras"], {"moon_tokens": 3})
        said = cli.gauger("ingest", "--data", self.ledger, "--now", NOW, file, "--format",
                          "anthropic").stdout
        self.assertIn("moon_tokens in 2 events", said)

    def test_a_failed_call_is_missing_until_its_usage_is_reported(self):
        failed = envelope("attempt-7", None, request={"model": "gpt-5"}, team="search")
        self.ingest(self.lines("r.jsonl", [failed]), "--format", "openai")
        row, = cli.usage(self.ledger, "team,model,usage_source")
        self.assertEqual((row["usage_source"], row["requests"]), ("missing", 1))
        draft = json.loads(self.draft("search"))
        self.assertIn("missing", [blocker["kind"] for blocker in draft["blockers"]])
        reported = envelope("attempt-7-usage", CHAT, team="search",
                            retracts={"id": "attempt-7", "reason": "reported"})
        file = self.lines("later.jsonl", [reported])
        for accepted in (1, 0):
            self.assertEqual(self.ingest(file, "--format", "openai")["accepted"], accepted)
            row, = cli.usage(self.ledger, "team,usage_source")
            self.assertEqual((row["usage_source"], row["requests"], row["input_uncached"]),
                             ("reported", 1, 40))
        cli.verified(self.ledger)

    def draft(self, team):
        book = self.write("book.yaml", """kind: price_book
id: list
version: 1
currency: USD
prices:
  - {provider: anthropic, model: "*", per: million, input_uncached: 3, cache_read: 1, output_text: 15}
""")
        return cli.gauger("invoice", "draft", "--data", self.ledger, "--team", team, "--period",
                          "2027-01", "--book", book, "--output", "json").stdout

    def test_unclaimed_usage_is_visible_and_can_be_claimed_later(self):
        key = {"api_key": "key_search", "workspace": "ml"}
        file = self.lines("r.jsonl", [
            envelope("1", anthropic(input_tokens=1000, output_tokens=10), **key),
            envelope("2", anthropic(input_tokens=2000, output_tokens=20), **key),
            envelope("3", anthropic(input_tokens=4000, output_tokens=40), api_key="other")])
        self.assertEqual(self.ingest(file, "--format", "anthropic")["unattributed"], 3)
        unclaimed = cli.usage(self.ledger, "team,workload", "--team", "unattributed")
        self.assertEqual([(row["workload"], row["requests"]) for row in unclaimed],
                         [("api_key=key_search workspace=ml source=gateway", 2),
                          ("api_key=other source=gateway", 1)])
        before = json.loads(self.draft("unattributed"))
        document = self.write("keys.yaml", """kind: reattribution
id: keys
version: 1
rules:
  - {match: {api_key: key_search}, team: search, project: ranking, from: 2027-01-01,
     until: 2027-02-01}
""")
        preview = cli.gauger("reattribute", "preview", "--data", self.ledger, document, "--output",
                             "json").stdout
        post = ("reattribute", "post", "--data", self.ledger, "--author", "ada", "--output", "json")
        posted = cli.gauger(*post, document).stdout
        self.assertEqual(json.loads(preview), json.loads(posted))
        self.assertEqual([(row["team"], row["requests"], row["input"])
                          for row in json.loads(posted)],
                         [("search", 2, 3000), ("unattributed", -2, -3000)])
        self.assertEqual(cli.sums(self.ledger, "team", ["input_uncached"]),
                         {"search": [2, 3000], "unattributed": [1, 4000]})
        row, = cli.usage(self.ledger, "project,model", "--team", "search")
        self.assertEqual((row["project"], row["input_uncached"]), ("ranking", 3000))
        # The money follows, and none is lost.
        after = [json.loads(self.draft(team)) for team in ("search", "unattributed")]
        tokens = [sum(line["quantity"] for line in draft["lines"]) for draft in [before, *after]]
        self.assertEqual(tokens, [7070, 3030, 4040])
        # Posting it again moves nothing, and no rules take it back.
        self.assertEqual(json.loads(cli.gauger(*post, document).stdout), [])
        cli.gauger(*post, self.write("none.yaml",
                                     "kind: reattribution\nid: keys\nversion: 2\nrules: []\n"))
        self.assertEqual(cli.sums(self.ledger, "team", []), {"unattributed": [3]})
        versions = json.loads(cli.gauger("reattribute", "list", "--data", self.ledger, "--output",
                                         "json").stdout)
        self.assertEqual([version["version"] for version in versions], [1, 2, 3])
        # A mapping document for what comes from now on makes no conflict of what came.
        mapping = self.write("attribution.yaml",
                             "attribution: [{match: {api_key: key_search}, team: search}]\n")
        report = self.ingest(file, "--format", "anthropic", "--attribution", mapping)
        self.assertEqual((report["duplicate"], report["conflict"]), (3, 0))
        cli.verified(self.ledger)


if __name__ == "__main__":
    cli.main()
