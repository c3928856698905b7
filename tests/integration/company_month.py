"""The demonstration's month, from the generator to the invoice, against its expected sums."""
import json
import unittest

import cli


class CompanyMonth(cli.CliTest):
    def test_the_month_is_metered_deduplicated_rated_and_invoiced(self):
        month = self.directory / "month"
        cli.load("company", "--month", "2026-10", "--seed", "7", "--events", "60000", "--output", month)
        expected = json.loads((month / "expected.json").read_text())
        files = sorted((month / "events").iterdir())
        clock = ["--now", "2026-11-01T06:00:00Z"]

        first = cli.ingest(self.ledger, *clock, *files)
        self.assertEqual(first["duplicate"], expected["duplicates"])
        self.assertEqual(first["restamped"], expected["restamped"])
        self.assertEqual(first["conflict"], expected["conflicts"])
        self.compare(expected)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])

        # Too old for the window; admitted by hand.
        stale = sorted((month / "stale").iterdir())
        refused = cli.ingest(self.ledger, *clock, *stale)
        self.assertEqual(refused["quarantined"], expected["too_old_in_stale"])
        self.assertEqual(refused["accepted"], 0)
        listed = json.loads(cli.gauger("quarantine", "list", "--data", self.ledger, "--limit",
                                       "10000", "--output", "json").stdout)
        reasons = {}
        for record in listed:
            reasons[record["reason"]] = reasons.get(record["reason"], 0) + 1
        self.assertEqual(reasons.pop("too_old"), expected["too_old_in_stale"])
        self.assertEqual(reasons.pop("conflict"), expected["conflicts"])
        self.assertEqual(reasons, expected["quarantined"])

        # Everything again, backwards: nothing changes.
        again = cli.ingest(self.ledger, *clock, *reversed(files))
        self.assertEqual(again["accepted"], 0)
        self.compare(expected)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])
        self.check_invoice(month)

    def compare(self, expected):
        for by, rows in (("team,model", "by_team_model"), ("day", "by_day"), ("team", "by_team")):
            found = {tuple(row.pop(c) for c in by.split(",")): row
                     for row in cli.usage(self.ledger, by)}
            wanted = {tuple(row[c] for c in by.split(",")):
                          {k: v for k, v in row.items() if k not in by.split(",") and v != 0}
                      for row in expected[rows]}
            for row in found.values():
                row.pop("extras", None)
            for row in wanted.values():
                row.pop("extras", None)
            self.assertEqual(found, wanted)

    def check_invoice(self, month):
        printed = cli.gauger("invoice", "draft", "--data", self.ledger, "--team", "support",
                             "--period", "2026-10", "--book", month / "price_book.yaml",
                             "--models", month / "models.yaml", "--output", "json")
        draft = json.loads(printed.stdout, parse_float=str)
        cents = sum(round(float(line["amount"]) * 100) for line in draft["lines"])
        self.assertEqual(cents, round(float(draft["total"]) * 100))
        self.assertGreater(cents, 0)


class Refusals(cli.CliTest):
    """A wrong flag, file or document: one sentence, exit code 2, nothing written."""

    def refused(self, word, *arguments):
        printed = cli.gauger(*arguments, code=2)
        self.assertIn(word, printed.stderr)
        self.assertFalse(self.ledger.exists(), "nothing is written")

    def test_what_cannot_be_meant_is_refused_by_name(self):
        good = self.directory / "events.jsonl"
        good.write_text("{}\n")
        data = ["ingest", "--data", self.ledger]
        self.refused("nosuch.jsonl", *data, self.directory / "nosuch.jsonl")
        self.refused("nosuch.jsonl", *data, good, self.directory / "nosuch.jsonl")
        self.refused("events.txt", *data, self.directory / "events.txt")
        self.refused("--grian", *data, good, "--grian", "30")
        self.refused("grain", *data, good, "--grain", "7")
        self.refused("Mars/Olympus", *data, good, "--time-zone", "Mars/Olympus")
        self.refused("sometimes", *data, good, "--now", "sometimes")
        self.refused("parchment", *data, good, "--format", "parchment")
        self.refused("--topic", *data, "--kafka", "127.0.0.1:9")

    def test_questions_that_cannot_be_answered_are_refused(self):
        line = ('{"source": "s", "id": "1", "completed_at": "2026-10-01T00:00:00Z", "team": "t", '
                '"provider": "p", "model": "m", "input_uncached": 3}\n')
        events = self.directory / "events.jsonl"
        events.write_text(line)
        cli.ingest(self.ledger, "--backfill", events)
        ask = ["usage", "--data", self.ledger]
        for word, arguments in (("colour", ["--by", "colour"]), ("2026-13", ["--period", "2026-13"]),
                                ("gold", ["--service-tier", "gold"]),
                                ("grain", ["--from", "2026-10-01T00:10:00Z"]),
                                ("--models", ["--by", "model_tier"])):
            self.assertIn(word, cli.gauger(*ask, *arguments, code=2).stderr)
        self.assertIn("no ledger", cli.gauger("usage", "--data", self.directory, code=1).stderr)


if __name__ == "__main__":
    cli.main()
