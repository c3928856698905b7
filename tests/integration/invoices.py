"""Invoices as finance meets them: finalized, corrected, exported, judged by other people's tools."""
import decimal
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

import cli
import focus_rules
from service import Service, same_answers

FOCUS = cli.ROOT.parent / "shared/data/focus"
JUDGES = ("hledger", "ledger", "bean-check", "qpdf", "pdftotext")

BOOK = """kind: price_book
id: list
version: {version}
currency: USD
prices:
  - {{provider: acme, model: x1, per: million, input_uncached: {price}, output_text: 25, cache_read: 0.5}}
  - {{provider: acme, model: x1, service_tier: batch, per: million, input_uncached: 1.5,
      output_text: {{graduated: [{{up_to: 1000, price: 12.5}}, {{price: 11}}]}}}}
  - {{provider: in-house, model: tiny_v2, per: hour, compute_us: 36}}
"""
ISSUER = """kind: issuer
id: larkfield
version: 1
name: Larkfield Insurance AG
address: [Hafenstr. 1, 20457 Hamburg]
tax_id: DE123456789
time_zone: Europe/Berlin
number_prefix: LF-
payment_terms: 30 days net
bill_to:
  - {id: research, name: "Larkfield Forschung & Küste", address: ["Möwenweg 2"]}
"""
ORGANISATION = """kind: organisation
id: larkfield
version: 1
units:
  - {id: larkfield, bill_to: larkfield-ag}
  - {id: lab, parent: larkfield, bill_to: research}
teams:
  - {team: search, unit: lab}
  - {team: ranking, unit: lab}
"""


def event(number, at, team="search", **more):
    return {"source": "gateway", "id": f"e{number}", "completed_at": at, "team": team,
            "project": "web", "provider": "acme", "model": "x1", "input_uncached": 1234567 + number,
            "output_text": 8901, **more}


class Invoices(cli.CliTest):
    def setUp(self):
        super().setUp()
        self.book = self.write("book.yaml", BOOK.format(version="v1", price="5"))
        self.organisation = self.write("organisation.yaml", ORGANISATION)
        self.number = 0

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def ingest(self, now, *events):
        self.number += 1
        path = self.write(f"events-{self.number}.jsonl",
                          "".join(json.dumps(one) + "\n" for one in events))
        cli.ingest(self.ledger, "--now", now, path)

    def september(self):
        self.ingest("2026-09-20T00:00:00Z",
                    *[event(i, f"2026-09-{i + 1:02}T10:00:00Z") for i in range(10)],
                    *[event(20 + i, f"2026-09-{i + 1:02}T10:00:00Z", "ranking", service_tier="batch")
                      for i in range(3)],
                    event(30, "2026-09-15T10:00:00Z", "ranking", model="tiny_v2", provider="in-house",
                          compute_us=123_456_789, input_uncached=5),
                    event(31, "2026-09-15T10:00:00Z", "ads"),
                    # In Berlin already October.
                    event(32, "2026-09-15T22:30:00Z", "ads"))

    def invoice(self, *arguments, code=0):
        return cli.gauger("invoice", arguments[0], "--data", self.ledger, *arguments[1:], code=code)

    def finalize(self, period, now, *arguments, code=0):
        return self.invoice("finalize", "--period", period, "--now", now, "--book", self.book,
                            "--organisation", self.organisation, "--by", "ada", *arguments, code=code)

    def listed(self):
        return json.loads(self.invoice("list", "--output", "json").stdout)

    def shown(self, number):
        return self.invoice("show", number, "--output", "json").stdout

    def export(self, number, kind):
        path = self.directory / f"{number}.{kind}"
        self.invoice("export", number, "--format", kind, "--to", path)
        return path

    def posted_issuer(self):
        self.invoice("issuer", "--now", "2026-09-20T01:00:00Z", self.write("issuer.yaml", ISSUER))


class Life(Invoices):
    def test_an_invoice_stands_whatever_comes_later(self):
        self.september()
        self.posted_issuer()
        early = self.finalize("2026-09", "2026-09-25T00:00:00Z", "--bill-to", "research", code=1)
        self.assertIn("2026-09 is blocked by\n  incomplete", early.stderr)
        done = self.finalize("2026-09", "2026-10-01T00:00:00Z", "--all").stdout
        self.assertEqual([line.split()[0] for line in done.splitlines()], ["LF-000001", "LF-000002"])
        first = {name: self.shown(name) for name in ("LF-000001", "LF-000002")}
        again = self.finalize("2026-09", "2026-10-01T00:00:00Z", "--bill-to", "research", code=1)
        self.assertIn("is finalized as LF-000002", again.stderr)

        # Late usage, a retraction, and a thousand more events.
        self.ingest("2026-10-02T00:00:00Z", event(40, "2026-09-30T10:00:00Z"),
                    {"source": "gateway", "id": "r1", "completed_at": "2026-10-01T10:00:00Z",
                     "retracts": {"id": "e3"}},
                    event(41, "2026-10-01T10:00:00Z"),
                    *[event(1000 + i, "2026-10-01T11:00:00Z", "ads") for i in range(1000)])
        self.book = self.write("book.yaml", BOOK.format(version="v2", price="4"))
        self.finalize("2026-10", "2026-11-01T00:00:00Z", "--all")
        for name, text in first.items():
            self.assertEqual(self.shown(name), text)
        october = json.loads(self.shown("LF-000004"))["content"]
        corrections = [line for line in october["lines"] if line["type"] == "correction"]
        # e40 less e3 at the price of September: 37 tokens of input at 5 per million.
        self.assertEqual([(line["month"], line["item"], line["quantity"], line["amount_exact"],
                           line["rule"]["version"]) for line in corrections],
                         [("2026-09", "input_uncached", "37", "0.000185", "v1")])
        nothing = self.invoice("correct", "LF-000002", "--now", "2026-11-01T00:00:00Z", code=1)
        self.assertIn("nothing is to be corrected", nothing.stderr)

        # Another price of the past moves it by a note alone, and once.
        rerate = ["correct", "LF-000002", "--now", "2026-11-02T00:00:00Z", "--book", self.book,
                  "--organisation", self.organisation]
        self.assertIn("nothing is posted", self.invoice(*rerate).stdout)
        note = json.loads(self.invoice(*rerate, "--post", "--reason", "new list", "--output",
                                       "json").stdout)["content"]
        self.assertEqual(note["type"], "credit_note")
        self.invoice(*rerate, "--post", "--reason", "new list", code=1)
        void = self.invoice("correct", "LF-000001", "--void", "--reason", "wrong party", "--now",
                            "2026-11-02T00:00:00Z", "--output", "json").stdout
        self.assertEqual(json.loads(void)["content"]["voids"], 1)
        states = {row["id"]: row["state"] for row in self.listed()}
        self.assertEqual(states["LF-000001"], "void by LF-000006")
        self.assertEqual(states["LF-000002"], "corrected by LF-000004")
        self.assertIn("6 documents of larkfield", self.invoice("verify").stdout)
        for name, text in first.items():
            self.assertEqual(self.shown(name), text)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])

    def test_the_service_shows_the_same_documents(self):
        self.september()
        self.posted_issuer()
        self.finalize("2026-09", "2026-10-01T00:00:00Z", "--all")
        with Service(self.ledger) as service:
            same_answers(self, self.ledger, service, "invoice", "list", outputs=("table", "csv"))
            same_answers(self, self.ledger, service, "invoice", "show", "LF-000001",
                         outputs=("csv", "json"))
            for form, accept in (("pdf", "application/pdf"), ("focus", "application/vnd.focus+csv")):
                connection = service.connection()
                connection.request("GET", "/v1/invoices/2", headers={"Accept": accept})
                self.assertEqual(connection.getresponse().read(), self.export("2", form).read_bytes())

    def test_a_line_leads_to_its_events(self):
        self.september()
        self.finalize("2026-09", "2026-10-01T00:00:00Z", "--bill-to", "research")
        lines = json.loads(self.shown("1"))["content"]["lines"]
        number = next(i for i, line in enumerate(lines, 1)
                      if line["team"] == "search" and line["item"] == "input_uncached")
        walked = self.invoice("show", "1", "--line", str(number), "--events").stdout
        for i in range(10):
            self.assertRegex(walked, rf"\be{i} .* {1234567 + i}\n")
        self.assertIn(f"10 events, {lines[number - 1]['quantity']} input_uncached", walked)
        self.assertIn("in 10 requests", walked)

    def test_doubt_stops_an_invoice_until_it_is_decided(self):
        self.september()
        self.ingest("2026-09-21T00:00:00Z",
                    event(50, "2026-09-20T10:00:00Z", images=7),
                    event(51, "2026-09-20T10:00:00Z", usage_source="estimated"),
                    event(31, "2026-09-20T10:00:00Z", "ads", cache_read=9),
                    event(52, "2026-09-20T10:00:00Z", input_uncached=-1))
        now = "2026-10-01T00:00:00Z"
        terms = ["--book", self.book, "--organisation", self.organisation, "--now", now]
        month = ["--period", "2026-09", *terms]
        rows = {row["bill_to"]: row for row in
                json.loads(self.invoice("review", *month, "--output", "json").stdout)}
        self.assertEqual(rows["research"]["blockers"], 3)
        self.assertEqual(rows["ads"]["blockers"], 1)
        self.finalize("2026-09", now, "--all", code=1)
        self.assertEqual(self.listed(), [])
        shown = self.invoice("review", *month, "--bill-to", "research").stdout
        self.assertIn("unpriced:acme/x1+4/images", shown)
        self.assertIn("gauger invoice decide --blocker 'unpriced:acme/x1+4/images'", shown)

        decide = ["decide", *month, "--by", "ada", "--reason", "known"]
        self.assertIn("needs --reason", self.invoice(*decide[:-2], "--all", "--kind", "unpriced",
                                                     "--action", "waive", code=2).stderr)
        self.invoice(*decide, "--bill-to", "research", "--blocker", "unpriced:acme/x1+4/images",
                     "--action", "provisional-price", "--price", "0.04 per unit")
        self.invoice(*decide, "--bill-to", "research", "--kind", "estimated", "--action", "defer")
        self.invoice(*decide, "--all", "--kind", "quarantined", "--action", "waive")
        self.finalize("2026-09", now, "--bill-to", "research")
        content = json.loads(self.shown("1"))["content"]
        provisional = [line for line in content["lines"]
                       if line.get("rule", {}).get("document") == "provisional"]
        self.assertEqual([line["amount_exact"] for line in provisional], ["0.28"])
        self.assertEqual(sorted(blocker["decision"]["action"] for blocker in content["blockers"]),
                         ["defer", "provisional_price", "waive"])
        # e51 was deferred.
        self.assertNotIn("1234618", "".join(line["quantity"] for line in content["lines"]))
        forced = self.finalize("2026-09", now, "--bill-to", "ads", "--force", code=2)
        self.assertIn("--reason", forced.stderr)
        self.finalize("2026-09", now, "--bill-to", "ads", "--force", "--reason", "year end")
        self.assertEqual(json.loads(self.shown("2"))["content"]["forced"],
                         {"by": "ada", "reason": "year end"})

    def test_what_was_reviewed_is_what_is_finalized(self):
        self.september()
        review = ["review", "--period", "2026-09", "--book", self.book, "--bill-to", "ads", "--by",
                  "ada"]
        self.invoice(*review, "--now", "2026-10-01T00:00:00Z")
        self.ingest("2026-10-01T00:00:00Z", event(60, "2026-09-30T10:00:00Z", "ads"))
        refused = self.finalize("2026-09", "2026-10-01T01:00:00Z", "--bill-to", "ads", code=1)
        self.assertIn("was reviewed at", refused.stderr)
        self.invoice(*review, "--now", "2026-10-01T02:00:00Z")
        self.finalize("2026-09", "2026-10-01T03:00:00Z", "--bill-to", "ads")

    def test_a_bundle_is_checked_without_a_ledger(self):
        self.september()
        self.finalize("2026-09", "2026-10-01T00:00:00Z", "--all")
        bundle = self.export("2", "bundle")
        self.assertIn("the chain holds", cli.gauger("invoice", "verify", bundle).stdout)
        forged = bundle.read_text().replace('"quantity":"', '"quantity":"1', 1)
        bundle.write_text(forged)
        self.assertIn("FINDING", cli.gauger("invoice", "verify", bundle, code=1).stdout)
        bundle.write_text("{}")
        cli.gauger("invoice", "verify", bundle, code=2)


CONTRACT = """kind: contract
id: frontier
version: 1
provider: acme
currency: USD
time_zone: Europe/Berlin
begins: 2026-08-31T22:00:00Z
ends: 2027-08-31T22:00:00Z
regimes:
  - from: 2026-08-31T22:00:00Z
    tokens: {price_book: list}
"""


class Contracts(Invoices):
    def test_a_closed_month_is_invoiced_as_it_was_handed_down(self):
        self.ingest("2026-09-20T00:00:00Z",
                    *[event(i, f"2026-09-{i + 1:02}T10:00:00Z") for i in range(10)],
                    event(31, "2026-09-15T10:00:00Z", "ads"))
        self.posted_issuer()
        month = ["--data", self.ledger, "--period", "2026-09", "--contract", "frontier"]
        cli.gauger("terms", "post", "--data", self.ledger, "--by", "ada",
                   self.write("contract.yaml", CONTRACT), self.book, self.organisation)
        now = ["--period", "2026-09", "--now", "2026-10-01T00:00:00Z"]
        blocked = self.invoice("finalize", *now, "--bill-to", "ads", code=1)
        self.assertIn("unallocated:frontier", blocked.stderr)
        cli.gauger("allocation", "close", *month, "--by", "ada")
        self.invoice("finalize", *now, "--all")
        totals = {row["bill_to"]: row["total"] for row in self.listed()}
        self.assertEqual(totals, {"ads": "6.40", "research": "63.95"})
        kinds = {one["kind"] for one in json.loads(self.shown("1"))["content"]["terms"]}
        self.assertEqual(kinds, {"allocation", "contract", "organisation", "price_book"})

        # What comes late pays the closing average, posted once by its own document.
        late = self.write("late.jsonl", json.dumps(event(40, "2026-09-30T10:00:00Z")) + "\n")
        cli.ingest(self.ledger, "--backfill", late)
        correct = ["correct", "LF-000002", "--now", "2026-10-02T00:00:00Z"]
        self.invoice(*correct, code=1)
        cli.gauger("rerate", "--data", self.ledger, "--period", "2026-09", "--post", "--by", "ada")
        note = json.loads(self.invoice(*correct, "--post", "--reason", "late", "--output",
                                       "json").stdout)["content"]
        self.assertEqual((note["type"], note["total"]), ("debit_note", "6.39"))
        self.invoice(*correct, code=1)
        self.assertIn("3 documents", self.invoice("verify").stdout)


class Numbers(Invoices):
    def test_numbers_have_no_gap_under_concurrent_finalizing_and_kills(self):
        teams = [f"team{i:02}" for i in range(12)]
        self.ingest("2026-09-20T00:00:00Z",
                    *[event(i, "2026-09-10T10:00:00Z", team) for i, team in enumerate(teams)])
        random.seed(7)
        kills = 0
        left = set(teams)
        for _ in range(40):
            started = [subprocess.Popen(
                [cli.BIN / "gauger", "invoice", "finalize", "--data", self.ledger, "--period",
                 "2026-09", "--now", "2026-10-01T00:00:00Z", "--book", self.book, "--bill-to", team],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for team in random.sample(sorted(left), min(4, len(left)))]
            for process in started:
                if random.random() < 0.6:
                    time.sleep(random.random() * 0.15)
                    process.send_signal(signal.SIGKILL)
                    kills += process.wait() == -signal.SIGKILL
                process.wait()
            left = set(teams) - {row["bill_to"] for row in self.listed()}
            if not left:
                break
        for team in sorted(left):
            self.invoice("finalize", "--period", "2026-09", "--now", "2026-10-01T00:00:00Z", "--book",
                         self.book, "--bill-to", team)
        rows = self.listed()
        self.assertGreater(kills, 0)
        self.assertEqual([row["number"] for row in rows], list(range(1, len(teams) + 1)))
        self.assertEqual(sorted(row["bill_to"] for row in rows), teams)
        self.assertIn("12 documents", self.invoice("verify").stdout)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])


class Exports(Invoices):
    """Formats that others read, judged by their own programs."""

    def setUp(self):
        super().setUp()
        self.september()
        self.posted_issuer()
        self.finalize("2026-09", "2026-10-01T00:00:00Z", "--all")
        self.ingest("2026-10-02T00:00:00Z", event(40, "2026-09-30T10:00:00Z"),
                    event(42, "2026-09-30T10:00:00Z", "ads", input_uncached=3),
                    event(41, "2026-10-01T10:00:00Z"), event(43, "2026-10-01T10:00:00Z", "ads"))
        self.finalize("2026-10", "2026-11-01T00:00:00Z", "--all")
        self.invoice("correct", "LF-000001", "--void", "--reason", "wrong party", "--now",
                     "2026-11-02T00:00:00Z")

    def totals(self):
        """{bill-to: sum of its documents}."""
        sums = {}
        for row in self.listed():
            name = row["bill_to"]
            sums[name] = sums.get(name, 0) + decimal.Decimal(row["total"])
        return sums

    def journal(self, kind):
        path = self.directory / f"all.{kind}"
        cli.gauger("export", kind, "--data", self.ledger, "--to", path)
        return path

    def test_hledger_ledger_and_beancount_agree_with_the_totals(self):
        totals = self.totals()
        wanted = {"Assets:Receivable:Research": totals["research"],
                  "Assets:Receivable:Ads": totals["ads"]}
        hledger = self.journal("hledger")
        cli.run("hledger", "check", "-s", "ordereddates", "-f", hledger)
        printed = cli.run("hledger", "-f", hledger, "balance", "--flat", "Assets", "-E", "--no-total")
        self.assertEqual(self.balances(printed.stdout), wanted)
        ledger = self.journal("ledger")
        printed = cli.run("ledger", "--pedantic", "--strict", "-f", ledger, "balance", "--flat", "-E",
                          "--no-total", "Assets")
        self.assertEqual(self.balances(printed.stdout), wanted)
        beancount = self.journal("beancount")
        cli.run("bean-check", beancount)
        query = cli.run("bean-query", "-f", "csv", beancount,
                        "SELECT account, sum(number) WHERE account ~ 'Assets' GROUP BY account")
        found = {}
        for line in query.stdout.splitlines()[1:]:
            account, number = line.split(",")
            found[account.strip()] = decimal.Decimal(number)
        self.assertEqual(found, wanted)
        whole = cli.run("ledger", "-f", ledger, "balance", "--flat").stdout.splitlines()
        self.assertEqual(whole[-1].strip(), "0")

    @staticmethod
    def balances(text):
        found = {}
        for line in text.splitlines():
            match = re.match(r"\s*(-?[\d.]+)(?: USD)?\s+(\S+)$", line)
            if match:
                found[match[2]] = decimal.Decimal(match[1])
        return found

    def test_every_focus_row_keeps_the_published_rules(self):
        text = self.journal("focus").read_text()
        rules = focus_rules.Rules(FOCUS / "focus_validator_model-1.2.json.gz",
                                  FOCUS / "currency_codes.csv")
        failed, applied = rules.check(text)
        unknown = {name: (sentence, bad[0]) for name, (sentence, bad) in failed.items()
                   if name not in focus_rules.KNOWN_WRONG}
        self.assertEqual(unknown, {})
        self.assertGreater(len(applied), 250)
        columns = [line.split(",")[0] for line in
                   (FOCUS / "focus_1.2_columns.csv").read_text().splitlines()[1:]]
        self.assertEqual(rules.columns[:57], columns)
        sums = {}
        for row in rules.rows:
            name = row["InvoiceId"]
            sums[name] = sums.get(name, 0) + decimal.Decimal(row["BilledCost"])
        self.assertEqual(sums, {row["id"]: decimal.Decimal(row["total"]) for row in self.listed()})
        broken, _ = rules.check(text.replace("Usage-Based", "Sometimes", 1))
        self.assertIn("ChargeFrequency-C-003-M", broken)
        print(f"FOCUS: {len(rules.rows)} rows, {len(applied)} rules")

    def test_every_figure_stands_in_the_pdf(self):
        for row in self.listed():
            path = self.export(row["id"], "pdf")
            checked = cli.run("qpdf", "--check", path)
            self.assertIn("No syntax or stream encoding errors found", checked.stdout)
            text = cli.run("pdftotext", "-layout", path, "-").stdout
            flat = re.sub(r"[\s,]+", "", text)
            content = json.loads(self.shown(row["id"]))["content"]
            for line in content["lines"]:
                self.assertIn(line["amount"], flat)
                self.assertIn(line["amount_exact"], flat)
                if line["type"] != "rounding":
                    self.assertIn(line["quantity"], flat)
            for figure in (content["total"], content["id"], row["hash"], "page1of"):
                self.assertIn(figure, flat)
            self.assertEqual(path.read_bytes(), self.export(row["id"], "pdf").read_bytes())
            self.assertIn("Larkfield Insurance AG", text)
            if content["bill_to"]["id"] == "research":
                self.assertIn("Larkfield Forschung & Küste", text)

    def test_names_of_any_script_stand_in_the_pdf(self):
        self.ingest("2026-11-02T00:00:00Z", event(70, "2026-11-01T10:00:00Z", "поиск"))
        self.finalize("2026-11", "2026-12-01T00:00:00Z", "--bill-to", "поиск")
        path = self.export("LF-000006", "pdf")
        cli.run("qpdf", "--check", path)
        self.assertIn("поиск", cli.run("pdftotext", "-layout", path, "-").stdout)


def needed():
    missing = [tool for tool in JUDGES if shutil.which(tool) is None]
    missing += [] if FOCUS.exists() else ["../shared/data/focus"]
    if not missing:
        return
    if os.environ.get("CI") == "true":
        raise SystemExit(f"not installed, and CI needs it: {', '.join(missing)}")
    print(f"skipped: {', '.join(missing)} not there")
    raise SystemExit(cli.SKIPPED)


if __name__ == "__main__":
    needed()
    unittest.main(verbosity=2)
