"""A provider's bill from its report to the posting, as a user goes through it."""
import csv
import gzip
import io
import json
import os
import unittest

import cli
from service import Service, same_answers

REPORTS = cli.ROOT.parent / "shared/data/provider_reports"
BOOK = """kind: price_book
id: anthropic-list
version: 2026-08-01
currency: USD
prices:
  - {provider: anthropic, model: claude-opus-4-7, per: million, input_uncached: 5, output_text: 25}
  - {provider: anthropic, model: claude-opus-4-7, service_tier: priority, per: million, input_uncached: 10, output_text: 50}
"""
CONTRACT = """kind: contract
id: frontier
version: 1
provider: anthropic
currency: USD
begins: 2026-01-01
ends: 2027-01-01
regimes: [{from: 2026-01-01, tokens: {price_book: anthropic-list, discounts: [{percent: 10, model: "*"}]}}]
"""
TEAMS = """attribution:
  - {match: {workspace: lab}, team: research}
"""


def event(number, day, team, tokens_in, tokens_out, tier="standard"):
    return {"source": "gateway", "id": f"e{number}", "team": team, "provider": "anthropic",
            "provider_account": "prod", "model": "claude-opus-4-7", "service_tier": tier,
            "started_at": f"2026-08-{day:02}T10:00:00Z", "completed_at": f"2026-08-{day:02}T10:00:01Z",
            "input_uncached": tokens_in, "output_text": tokens_out}


def cost(day, token_type, cents, workspace="prod", cost_type="tokens"):
    token = cost_type == "tokens"
    return day, {"currency": "USD", "amount": cents, "workspace_id": workspace,
                 "description": f"Opus {token_type}", "cost_type": cost_type,
                 "context_window": None,
                 "model": "claude-opus-4-7" if token else None,
                 "service_tier": "standard" if token else None,
                 "token_type": token_type if token else None, "inference_geo": None}


def page(results, days, more=None):
    data = [{"starting_at": f"2026-08-{day:02}T00:00:00Z",
             "ending_at": f"2026-08-{day + 1:02}T00:00:00Z",
             "results": [result for of, result in results if of == day]} for day in days]
    return {"data": data, "has_more": more is not None, "next_page": more}


class ReconcileMonth(cli.CliTest):
    def setUp(self):
        super().setUp()
        events = [event(1, 3, "search", 1_000_000, 100_000), event(2, 4, "support", 400_000, 60_000),
                  event(3, 4, "search", 0, 40_000), event(4, 5, "search", 50_000, 1_000, "priority")]
        path = self.directory / "events.jsonl"
        path.write_text("".join(json.dumps(e) + "\n" for e in events))
        cli.ingest(self.ledger, "--now", "2026-08-20T00:00:00Z", path)
        self.book = self.directory / "book.yaml"
        self.book.write_text(BOOK)
        self.teams = self.directory / "teams.yaml"
        self.teams.write_text(TEAMS)

    def reconcile(self, command, *arguments, code=0):
        terms = ["--provider", "anthropic", "--period", "2026-08-01/2026-08-08", "--book", self.book]
        return cli.gauger("reconcile", command, "--data", self.ledger, *terms, *arguments, code=code)

    def load(self, *arguments, code=0):
        return cli.gauger("reconcile", "load", "--data", self.ledger, *arguments, code=code)

    def write_report(self, output_of_day_4="250"):
        results = [cost(3, "uncached_input_tokens", "500"), cost(3, "output_tokens", "500"),
                   cost(4, "uncached_input_tokens", "200"), cost(4, "output_tokens", output_of_day_4),
                   cost(4, "output_tokens", "75", workspace="lab"),
                   cost(6, "", "12.5", cost_type="code_execution")]
        first, second = self.directory / "page1.json", self.directory / "page2.json.gz"
        first.write_text(json.dumps(page(results, range(1, 4), "page_2")))
        second.write_bytes(gzip.compress(json.dumps(page(results, range(4, 8))).encode()))
        return first, second

    def test_a_bill_is_loaded_explained_signed_off_and_posted(self):
        pages = self.write_report()
        self.assertIn("version 1", self.load(*pages).stdout)
        self.assertIn("known already", self.load(*reversed(pages)).stdout)

        report = json.loads(self.reconcile("report", "--output", "json").stdout)
        classes = {c["class"]: c["amount"] for c in report["classes"]}
        # The output of the 3rd is billed twice; the lab is no account of ours; the priority tier
        # is not in this report.
        self.assertEqual(classes, {"duplicate": "2.5", "missing_in_ledger": "0.75",
                                   "outside_coverage": "-0.55", "provider_only_fee": "0.125"})
        self.assertEqual(report["ledger_total"], "12.55")
        self.assertEqual(report["statement_total"], "15.375")
        self.assertIn("theirs is 2 times ours", self.reconcile("report").stdout)

        # Nothing is posted that nobody has signed.
        who = ["--by", "M. Weber", "--why", "August is closed"]
        self.assertIn("not signed off", self.reconcile("post", *who, code=1).stderr)
        self.reconcile("sign-off", *who)
        self.assertIn("signed off already, by M. Weber", self.reconcile("sign-off", *who).stdout)
        rules = ["--rule", "duplicate=by_use", "--rule", "missing_in_ledger=by_account",
                 "--attribution", self.teams, "--output", "json"]
        posting = json.loads(self.reconcile("post", *who, *rules).stdout)
        lines = {(line["class"], line["team"]): line["amount"] for line in posting["lines"]}
        self.assertEqual(lines[("duplicate", "search")], "2.50")
        self.assertEqual(lines[("missing_in_ledger", "research")], "0.75")
        self.assertIn(("provider_only_fee", "unallocated"), lines)

        def cents(text):
            return round(float(text) * 100)

        self.assertEqual(cents(posting["bill"]),
                         cents(posting["charged"]) + cents(posting["elsewhere"]) +
                         cents(posting["tax"]) + sum(cents(a) for a in lines.values()))
        self.assertIn("posted already", self.reconcile("post", *who, *rules).stderr)

        # A restatement is a new version with a difference, and wants a new signature.
        restated = self.load(*self.write_report("251"))
        self.assertIn("version 2", restated.stdout)
        self.assertIn("1 lines changed", restated.stdout)
        self.assertIn("has changed since then", self.reconcile("post", *who, *rules, code=1).stderr)
        old = json.loads(self.reconcile(
            "report", "--statement", "anthropic/anthropic_cost/2026-08-01@1", "--output",
            "json").stdout)
        # But for the block that the ledger has come to since.
        self.assertEqual({**old, "as_of_sequence": 0}, {**report, "as_of_sequence": 0})
        self.reconcile("sign-off", *who)
        self.assertIn("change of", self.reconcile("post", *who, *rules).stderr)

        listed = json.loads(cli.gauger("reconcile", "list", "--data", self.ledger, "--output",
                                       "json").stdout)
        self.assertEqual([s["version"] for s in listed["statements"]], [1, 2])
        trend, = listed["reconciliations"]
        self.assertEqual((trend["provider"], trend["signed_by"]), ("anthropic", "M. Weber"))
        self.assertRegex(trend["matched_share"], r"^\d+\.\d+ %$")

        disputed = list(csv.DictReader(io.StringIO(self.reconcile("export").stdout)))
        self.assertEqual({row["class"] for row in disputed},
                         {"duplicate", "missing_in_ledger", "provider_only_fee", "quantity"})
        self.assertEqual(cli.verified(self.ledger)["findings"], [])

    def test_the_service_takes_statements_reports_and_signs_off(self):
        cli.gauger("terms", "post", "--data", self.ledger, "--by", "ada", self.book)
        pages = self.write_report()
        bodies = [p.read_bytes() if p.suffix != ".gz" else gzip.decompress(p.read_bytes())
                  for p in pages]
        joined = json.loads(bodies[0])
        for body in bodies[1:]:
            joined["data"] += json.loads(body)["data"]
        joined["has_more"] = False
        with Service(self.ledger) as service:
            status, made, _ = service.post("/v1/statements", joined)
            self.assertEqual((status, made["kind"], made["version"]), (201, "statement", 1))
            self.assertEqual(service.post("/v1/statements", joined)[0], 200)
            asked = "provider=anthropic&period=2026-08&book=anthropic-list"
            status, report, _ = service.get(f"/v1/reconciliations/report?{asked}")
            self.assertEqual((status, report["difference"]), (200, "2.825"))
            sign = {"provider": "anthropic", "period": "2026-08", "book": "anthropic-list",
                    "reason": "August is closed"}
            self.assertEqual(service.post("/v1/reconciliations", sign)[0], 201)
            same_answers(self, self.ledger, service, "reconcile", "list")
            trend, = service.get("/v1/reconciliations")[1]["reconciliations"]
            self.assertEqual((trend["why"], trend["difference"]), ("August is closed", "2.825"))

            # What was signed is posted once; other rules are another version.
            post = {**sign, "rules": {"duplicate": "by_use"}}
            status, made, _ = service.post("/v1/reconciliations/postings", post)
            self.assertEqual((status, made["version"]), (201, 1))
            self.assertEqual(service.post("/v1/reconciliations/postings", post)[0], 200)
            del post["rules"]
            self.assertEqual(service.post("/v1/reconciliations/postings", post)[1]["version"], 2)
            listed, = service.get("/v1/reconciliations/postings")[1]["items"]
            self.assertEqual((listed["kind"], listed["version"]), ("reconciliation_posting", 2))
            wrong = {**sign, "rules": {"duplicate": "by_guess"}}
            self.assertEqual(service.post("/v1/reconciliations/postings", wrong)[0], 400)
            unsigned = {**sign, "period": "2026-08-01"}
            self.assertEqual(service.post("/v1/reconciliations/postings", unsigned)[0], 422)

    def test_the_command_line_signs_off_and_posts_by_the_service(self):
        cli.gauger("terms", "post", "--data", self.ledger, "--by", "ada", self.book)
        self.load(*self.write_report())
        with Service(self.ledger) as service:
            def ask(command, *arguments, code=0):
                return cli.gauger("reconcile", command, "--server", service.url, "--provider",
                                  "anthropic", "--period", "2026-08", "--book", "anthropic-list",
                                  *arguments, code=code)
            report = json.loads(ask("report", "--output", "json").stdout)
            self.assertEqual(report["difference"], "2.825")
            why = ["--why", "August is closed"]
            self.assertIn("not signed off", ask("post", *why, code=1).stderr)
            ask("sign-off", *why)
            posting = json.loads(
                ask("post", *why, "--rule", "duplicate=by_use", "--output", "json").stdout)
        # The directory knows what the service wrote.
        self.assertEqual((posting["kind"], posting["version"]), ("reconciliation_posting", 1))
        listed = cli.gauger("reconcile", "list", "--data", self.ledger).stdout
        self.assertIn("August is closed", listed)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])

    def test_our_side_is_rated_with_the_contract_that_was_posted(self):
        contract = self.directory / "contract.yaml"
        contract.write_text(CONTRACT)
        self.load(*self.write_report())
        ask = ["reconcile", "report", "--data", self.ledger, "--provider", "anthropic",
               "--period", "2026-08", "--output", "json"]
        self.assertIn("gauger terms post", cli.gauger(*ask, code=1).stderr)
        cli.gauger("terms", "post", "--data", self.ledger, "--by", "ada", self.book, contract)
        report = json.loads(cli.gauger(*ask).stdout)
        # A tenth is discounted, so every price of the report is higher than ours.
        self.assertEqual(report["ledger_total"], "11.295")
        self.assertIn("rate", {c["class"] for c in report["classes"]})

    def test_refusals_name_what_is_missing(self):
        self.assertIn("no statement of 'anthropic'", self.reconcile("report", code=1).stderr)
        broken = self.directory / "broken.json"
        broken.write_text("{}")
        self.assertIn("--format", self.load(broken, code=2).stderr)
        self.assertIn("cannot read", self.load(self.directory / "none.json", code=2).stderr)
        nowhere = cli.gauger("reconcile", "load", "--data", self.directory / "none",
                             *self.write_report(), code=1)
        self.assertFalse((self.directory / "none").exists(), nowhere.stderr)

    def test_the_providers_own_examples_load_as_they_are(self):
        if not REPORTS.exists():
            if os.environ.get("CI") == "true":
                self.fail(f"{REPORTS} is not there")
            self.skipTest("the provider reports are not beside the repository")
        for name, arguments in (
                ("anthropic_cost_report.json", []), ("anthropic_usage_report_messages.json", []),
                ("openai_organization_costs.json", []),
                ("openai_organization_usage_completions.json", []),
                ("openai_result_objects_grouped.json",
                 ["--format", "openai_usage", "--period", "2026-08"]),
                ("aws_cur2_bedrock_iam_principal_example.csv",
                 ["--period", "2026-04", "--currency", "USD"]),
                ("aws_cur2_columns.csv", ["--period", "2026-05"])):
            with self.subTest(name):
                self.assertIn("version 1", self.load(REPORTS / name, *arguments).stdout)


if __name__ == "__main__":
    cli.main()
