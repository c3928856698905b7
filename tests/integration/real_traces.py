"""Real traffic from files: the sums equal what the traces are known to hold."""
import json
import random

import cli


class RealTraces(cli.CliTest):
    def test_sums_equal_the_traces_to_the_token_and_redelivery_changes_nothing(self):
        files = cli.convert_traces(self.directory)
        first = cli.ingest(self.ledger, "--backfill", *files)
        self.assertEqual(first["accepted"], 45_616)
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)

        lines = [line for file in files for line in file.read_text().splitlines()]
        random.Random(7).shuffle(lines)
        halves = []
        for i in range(2):
            halves.append(self.directory / f"half{i}.jsonl")
            halves[i].write_text("\n".join(lines[i::2]))
        shuffled = cli.ingest(self.ledger, "--backfill", *halves)
        self.assertEqual((shuffled["accepted"], shuffled["duplicate"]), (0, 45_616))

        restamped = self.directory / "restamped.jsonl"
        with restamped.open("w") as out:
            for line in lines:
                event = json.loads(line)
                event["started_at"] = event["completed_at"] = "2026-10-31T23:59:59Z"
                out.write(json.dumps(event) + "\n")
        moved = cli.ingest(self.ledger, "--backfill", restamped)
        self.assertEqual((moved["accepted"], moved["restamped"]), (0, 45_616))
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])

    def test_long_contexts_are_told_apart_and_priced_apart(self):
        kind, file, *_ = cli.TRACE_FILES["claude_code"]
        events = self.directory / "claude.jsonl"
        events.write_text(cli.load("convert", kind, cli.TRACES / file))
        cli.ingest(self.ledger, "--backfill", events)
        below = above = output_above = 0
        for line in events.read_text().splitlines():
            event = json.loads(line)
            if int(event["input_uncached"]) > 200_000:
                above += int(event["input_uncached"])
                output_above += int(event["output_text"])
            else:
                below += int(event["input_uncached"])
        tiers = cli.sums(self.ledger, "context_tier", ["input_uncached"])
        low = sum(tiers[name][1] for name in ("0-128000", "128000-200000"))
        self.assertEqual((low, sum(row[1] for row in tiers.values()) - low), (below, above))

        book = self.directory / "book.yaml"
        book.write_text("""kind: price_book
id: test
version: "1"
currency: USD
context_boundaries: [200000]
prices:
  - provider: anthropic
    model: "claude-*"
    per: million
    input_uncached: 5
    output_text: 25
    context_above:
      200000: {input_uncached: 10, output_text: 37.50}
""")
        drafts = {}
        months = {row["month"] for row in cli.usage(self.ledger, "month")}
        for month in months:
            printed = cli.gauger("invoice", "draft", "--data", self.ledger, "--team", "claude-code",
                                 "--period", month, "--book", book, "--output", "json")
            drafts[month] = json.loads(printed.stdout, parse_float=str)
        total = sum(round(float(draft["total"]) * 100) for draft in drafts.values())
        output = sum(int(json.loads(line)["output_text"]) for line in
                     events.read_text().splitlines())
        exact = below * 5 + above * 10 + (output - output_above) * 25 + output_above * 37.5
        self.assertLessEqual(abs(total - exact / 10_000), 0.5 * len(months))


if __name__ == "__main__":
    cli.main(needs_traces=True)
