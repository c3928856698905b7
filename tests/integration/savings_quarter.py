"""A quarter of two programmes, generated, ingested and reported by the real programs, against the
same figures computed from the raw events in SQLite with whole numbers alone.

The frontier contract turns from compute-hours to tokens on January 1st. Requests are escalated,
retried, shadowed and distilled; outcomes and events come late, twice, out of order, and some are
taken back.
"""
import json
import pathlib
import random
import sqlite3
import tempfile
import unittest
from fractions import Fraction

import cli
from service import Service, same_answers

MONTHS = ("2026-11", "2026-12", "2027-01")
BOUNDARY = 2000  # tokens of context; the ledger keeps it, and the list doubles above it
DOCUMENTS = {
    "list.yaml": f"""kind: price_book
id: list
version: 1
currency: USD
prices:
  - provider: frontier
    model: teacher
    per: million
    input_uncached: 5
    cache_read: 0.50
    output_text: 25
    context_above: {{{BOUNDARY}: {{input_uncached: 10, cache_read: 1, output_text: 37.50}}}}
  - {{provider: hosted, model: small-b, per: million, input_uncached: 0.30, cache_read: 0.03, output_text: 1.20}}
""",
    "frontier.yaml": """kind: contract
id: frontier
version: 1
provider: frontier
currency: USD
begins: 2026-01-01
ends: 2028-01-01
regimes:
  - from: 2026-01-01
    compute_hours: {basis: metered, prices: [{model: teacher, per: hour, compute_us: 36}]}
  - {from: 2027-01-01, tokens: {price_book: list, discounts: [{percent: 10}]}}
""",
    "hosted.yaml": """kind: contract
id: hosted
version: 1
provider: hosted
currency: USD
begins: 2026-01-01
ends: 2028-01-01
regimes: [{from: 2026-01-01, tokens: {price_book: list}}]
""",
    "cluster.yaml": """kind: contract
id: cluster
version: 1
provider: in-house
currency: USD
begins: 2026-01-01
ends: 2028-01-01
regimes: [{from: 2026-01-01, compute_hours: {basis: capacity}}]
""",
    "capacity.yaml": """kind: capacity
id: cluster-2026
version: 1
contract: cluster
records:
  - {from: 2026-11-01, until: 2026-12-01, accelerator: h100, units: 1, per_hour: 2.40}
  - {from: 2026-12-01, until: 2027-02-01, accelerator: h100, units: 2, per_hour: 2.30}
""",
    "alpha.yaml": """kind: program
id: alpha
version: 1
currency: USD
teacher: {provider: frontier, model: teacher}
student: {provider: in-house, model: small-a}
ratios:
  - {input: 1.10, output: 0.95, sample: 400}
  - {from: 2026-12-16, input: {ratio: 1.2, low: 1.1, high: 1.3}, output: 0.9, sample: 900}
compute_profiles: [{input: 50, cache_read: 10, output: 1000, sample: 300}]
one_offs: [{month: 2026-10, amount: 3600, months: 12}, {month: 2026-12, amount: 600, months: 3}]
distillation_months: 4
go_live: 2026-11
acceptance_floor_percent: 90
""",
    "beta.yaml": """kind: program
id: beta
version: 1
currency: USD
teacher: {provider: frontier, model: teacher}
student: {provider: hosted, model: small-b}
ratios: [{input: 1, cache_read: 1, output: 5/4}]
compute_profiles: [{input: 50, cache_read: 10, output: 1000}]
one_offs: [{month: 2026-11, amount: 100, months: 10}]
go_live: 2026-12
acceptance_floor_percent: 99.5
""",
}
STUDENTS = {"alpha": ("in-house", "small-a"), "beta": ("hosted", "small-b")}
COUNTS = ("input_uncached", "cache_read", "output_text", "compute_us")


REATTRIBUTION = """kind: reattribution
id: old-gateway
version: 1
rules: [{match: {source: old-gateway}, team: search}]
"""


class Traffic:
    """Events as JSON, in the order of their delivery."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.on_time, self.late = [], []
        self.source = "gateway"
        for month, days in zip(MONTHS, (30, 31, 31)):
            for number in range(4000):
                day = self.random.randint(1, days)
                self.root(f"{month}-{number}", f"{month}-{day:02}T{self.random.randint(0, 23):02}:"
                                               f"{self.random.randint(0, 59):02}:00Z")

    def event(self, key, at, program, model, **fields):
        event = {"source": self.source, "id": key, "completed_at": at, "program": program,
                 "provider": model[0], "model": model[1], **fields}
        total = self.random.randint(800, 2600)
        event["cache_read"] = self.random.choice((0, 0, total // 3))
        event["input_uncached"] = total - event["cache_read"]
        event["output_text"] = self.random.randint(20, 400)
        if model[0] == "in-house":
            event["accelerator"] = "h100"
            event["compute_us"] = self.random.randint(100_000, 900_000)
        if model[0] == "frontier":
            event["compute_us"] = self.random.randint(100_000, 500_000)
        # Some come weeks late, some twice.
        (self.late if self.random.random() < 0.1 else self.on_time).append(event)
        if self.random.random() < 0.05:
            self.late.append(event)
        return event

    def root(self, key, at):
        program = self.random.choice(("alpha", "beta"))
        who = {"team": self.random.choice(("search", "ads", "claims")),
               "workload": self.random.choice(("answers", "routes"))}
        # One gateway does not know its team; REATTRIBUTION says it later.
        self.source = "gateway"
        if who["team"] == "search" and self.random.random() < 0.3:
            self.source = "old-gateway"
        student = STUDENTS[program]
        outcome = self.random.choices(("accepted", "escalated", "failed"), (92, 6, 2))[0]
        stated_later = self.random.random() < 0.2
        self.event(key, at, program, student, **who,
                   **({} if stated_later else {"outcome": outcome}))
        if stated_later:
            self.late.append({"source": self.source, "id": key + "-outcome",
                              "outcome_of": {"id": key}, "outcome": outcome})
        teacher = ("frontier", "teacher")
        if outcome == "escalated":
            self.event(key + "-fallback", at, program, teacher, role="fallback", parent_id=key,
                       **who)
        if self.random.random() < 0.03:
            self.event(key + "-retry", at, program, student, role="retry", parent_id=key, **who)
        if self.random.random() < 0.02:
            self.event(key + "-shadow", at, program, teacher, purpose="shadow", parent_id=key, **who)
        if program == "alpha" and self.random.random() < 0.02:
            self.event(key + "-distillation", at, program, teacher, purpose="distillation", **who)
        if self.random.random() < 0.05:  # other work on the same contracts
            self.event(key + "-other", at, "", self.random.choice((teacher, STUDENTS["alpha"])),
                       **who)
        if self.random.random() < 0.01:
            self.event(key + "-mistake", at, program, student, outcome="accepted", **who)
            self.late.append({"source": self.source, "id": key + "-retraction",
                              "retracts": {"id": key + "-mistake", "reason": "sent twice"}})


def as_sent(event):
    if event["source"] == "old-gateway":
        return {name: value for name, value in event.items() if name != "team"}
    return event


def database(events):
    """The usage events as they count at the end, each once."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE event (id TEXT PRIMARY KEY, at TEXT, team TEXT, workload TEXT,"
                 " program TEXT, provider TEXT, role TEXT, outcome TEXT, purpose TEXT,"
                 " input_uncached INTEGER, cache_read INTEGER, output_text INTEGER,"
                 " compute_us INTEGER)")
    for event in events:
        if "retracts" in event or "outcome_of" in event:
            continue
        base.execute("INSERT OR IGNORE INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     (event["id"], event["completed_at"], event["team"], event["workload"],
                      event["program"], event["provider"], event.get("role", "root"),
                      event.get("outcome"), event.get("purpose", "production"),
                      *(event.get(name, 0) for name in COUNTS)))
    for event in events:
        if "outcome_of" in event:
            base.execute("UPDATE event SET outcome = ? WHERE id = ?",
                         (event["outcome"], event["outcome_of"]["id"]))
        if "retracts" in event:
            base.execute("DELETE FROM event WHERE id = ?", (event["retracts"]["id"],))
    base.executescript(VIEWS)
    return base


# Amounts in 10^-12 dollars: $36 an hour is 10,000 a microsecond. Ratios of alpha are in hundredths,
# beta's likewise (100, 125), so converted amounts are in 1/1000 of that with the discount of 10 %.
VIEWS = f"""
CREATE VIEW dated AS SELECT *, substr(at, 1, 7) AS month,
  CASE program WHEN 'alpha' THEN CASE WHEN at < '2026-12-16' THEN 110 ELSE 120 END ELSE 100 END AS in_ratio,
  CASE program WHEN 'alpha' THEN CASE WHEN at < '2026-12-16' THEN 95 ELSE 90 END ELSE 125 END AS out_ratio
FROM event;
CREATE VIEW priced AS SELECT *,
  -- the teacher's own charge, in thousandths
  CASE WHEN month < '2027-01' THEN compute_us * 10000 * 1000
  WHEN input_uncached + cache_read > {BOUNDARY}
  THEN (input_uncached * 10000000 + cache_read * 1000000 + output_text * 37500000) * 900
  ELSE (input_uncached * 5000000 + cache_read * 500000 + output_text * 25000000) * 900 END AS teacher,
  -- what the teacher would have charged for the student's request, in thousandths
  CASE WHEN month < '2027-01'
  THEN ((input_uncached * 50 + cache_read * 10) * in_ratio + output_text * 1000 * out_ratio) * 10000 * 10
  WHEN (input_uncached + cache_read) * in_ratio > {BOUNDARY} * 100
  THEN ((input_uncached * 10000000 + cache_read * 1000000) * in_ratio + output_text * 37500000 * out_ratio) * 9
  ELSE ((input_uncached * 5000000 + cache_read * 500000) * in_ratio + output_text * 25000000 * out_ratio) * 9
  END AS converted,
  input_uncached * 300000 + cache_read * 30000 + output_text * 1200000 AS hosted
FROM dated;
"""
# Dollars for what was provisioned in a month, in 10^-12.
CLUSTER = {"2026-11": 30 * 24 * 2_400_000_000_000, "2026-12": 31 * 24 * 2 * 2_300_000_000_000,
           "2027-01": 31 * 24 * 2 * 2_300_000_000_000}


def expected(base, by):
    """{(month, program, ...by): {figure: exact}} from the raw events."""
    used = dict(base.execute("SELECT month, sum(compute_us) FROM dated WHERE provider = 'in-house'"
                             " GROUP BY month"))
    figures = {}
    columns = ", ".join(["month", "program", *by])
    for *where, accepted, fallback, shadow, hosted, compute in base.execute(
            f"SELECT {columns},"
            " sum(CASE WHEN outcome = 'accepted' AND role = 'root' AND purpose = 'production'"
            "          THEN converted ELSE 0 END),"
            " sum(CASE WHEN role = 'fallback' THEN teacher ELSE 0 END),"
            " sum(CASE WHEN purpose = 'shadow' THEN teacher ELSE 0 END),"
            " sum(CASE WHEN provider = 'hosted' THEN hosted ELSE 0 END),"
            " sum(CASE WHEN provider = 'in-house' THEN compute_us ELSE 0 END)"
            f" FROM priced WHERE program <> '' GROUP BY {columns}"):
        # All that was provisioned is paid, and shared by use.
        student = hosted + Fraction(CLUSTER[where[0]] * compute, used[where[0]])
        found = {"counterfactual": Fraction(accepted + fallback, 1000), "student_cost": student,
                 "escalations": Fraction(fallback, 1000), "shadow": Fraction(shadow, 1000)}
        found["gross"] = found["counterfactual"] - student - found["escalations"]
        figures[tuple(where)] = found
    return figures


def amortization(base, program, month):
    """Straight-line from the go-live or the month after, whichever is later."""
    go_live = {"alpha": "2026-11", "beta": "2026-12"}[program]
    vintages = {"alpha": [("2026-10", 3600 * 10**12, 12), ("2026-12", 600 * 10**12, 3)],
                "beta": [("2026-11", 100 * 10**12, 10)]}[program]
    for spent, amount in base.execute(
            "SELECT month, sum(teacher) FROM priced WHERE purpose = 'distillation' AND program = ?"
            " GROUP BY month", (program,)):
        vintages = [*vintages, (spent, Fraction(amount, 1000), 4)]
    parts = [Fraction(amount, months) for spent, amount, months in vintages
             if spent < month and go_live <= month]
    return sum(parts, Fraction(0))


def exact(text):
    """12.5, or 166.666666666666 2/3e-12, in 10^-12."""
    decimal, _, rest = text.partition(" ")
    value = Fraction(decimal) * 10**12
    if rest:
        rest = Fraction(rest.removesuffix("e-12"))
        value += -rest if decimal.startswith("-") else rest
    return value


class SavingsQuarter(unittest.TestCase):
    """One ledger for all questions; what changes it comes last, by name."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="gauger-test-")
        cls.directory = pathlib.Path(cls.scratch.name)
        cls.ledger = cls.directory / "ledger"
        cls.terms = []
        for name, text in DOCUMENTS.items():
            path = cls.directory / name
            path.write_text(text)
            cls.terms.append(path)
        traffic = Traffic(20270101)
        for name, events in (("on_time", traffic.on_time), ("late", traffic.late)):
            path = cls.directory / f"{name}.jsonl"
            path.write_text("".join(json.dumps(as_sent(event)) + "\n" for event in events))
            cli.ingest(cls.ledger, "--backfill", "--now", "2027-02-03T00:00:00Z",
                       path, *(["--context-boundaries", BOUNDARY] if name == "on_time" else []))
        reattribution = cls.directory / "reattribution.yaml"
        reattribution.write_text(REATTRIBUTION)
        cli.gauger("reattribute", "post", "--data", cls.ledger, "--author", "ada", reattribution)
        cls.base = database(traffic.on_time + traffic.late)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def ask(self, *arguments, terms=None):
        printed = cli.gauger(*arguments, "--data", self.ledger, "--output",
                             "json", terms or "--terms", *self.terms)
        return json.loads(printed.stdout)

    def report(self, by, *arguments):
        return self.ask("savings", "report", "--by", by, *arguments)

    def one(self, query, *arguments):
        return self.base.execute(query, arguments).fetchone()

    # --- the statement ---------------------------------------------------------------------
    def test_the_report_is_what_sqlite_makes_of_the_raw_events(self):
        requests, = self.one("SELECT count(*) FROM event")
        self.assertEqual(sum(row["requests"] for row in cli.usage(self.ledger, "program")), requests)
        for by in ((), ("team",), ("team", "workload"), ("workload",)):
            self.compare(by)

    def compare(self, by):
        report = self.report(",".join(("month", "program", *by)), "--period",
                             f"{MONTHS[0]}..{MONTHS[-1]}")
        self.assertEqual(report["problems"], [])
        found = {tuple(line[name] for name in ("month", "program", *by)):
                     {name: exact(line[name + "_exact"])
                      for name in ("counterfactual", "student_cost", "escalations", "shadow", "gross")}
                 for line in report["lines"]}
        self.assertEqual(found, expected(self.base, by))
        for figure in ("counterfactual", "gross", "net", "amortization", "realized_net"):
            self.assertEqual(sum(exact(line[figure + "_exact"]) for line in report["lines"]),
                             exact(report["total"][figure + "_exact"]), figure)
            self.assertEqual(sum(Fraction(line[figure]) for line in report["lines"]),
                             Fraction(report["total"][figure]), figure)

    def test_net_is_after_vintages_and_shadow_traffic(self):
        by_month = expected(self.base, ())
        for line in self.report("month,program", "--period", f"{MONTHS[0]}..{MONTHS[-1]}")["lines"]:
            figures = by_month[line["month"], line["program"]]
            spread = amortization(self.base, line["program"], line["month"])
            self.assertEqual(exact(line["amortization_exact"]), spread)
            self.assertEqual(exact(line["net_exact"]), figures["gross"] - figures["shadow"] - spread)
            # No minimum and no reserved hours with the provider: all of it is realized.
            self.assertEqual(line["stranded_exact"], "0")

    def test_the_guardrail_and_the_range_stand_in_the_statement(self):
        report = self.report("program", "--period", "2027-01")
        self.assertEqual([p["state"] for p in report["programs"]], ["qualified", "unqualified"])
        self.assertFalse(report["blocked"])
        low, mid, high = (exact(report["total"][name + "_exact"])
                          for name in ("net_low", "net", "net_high"))
        self.assertTrue(low < mid < high)

    def test_a_figure_leads_to_its_events(self):
        for program, part, where in (("alpha", "fallback", "role = 'fallback'"),
                                     ("beta", "retry", "role = 'retry'"),
                                     ("alpha", "distillation", "purpose = 'distillation'"),
                                     ("beta", "accepted", "outcome = 'accepted'")):
            rows = self.ask("savings", "events", "--program", program, "--part", part, "--period",
                            "2027-01", "--limit", "100000")["rows"]
            ids = [row[0] for row in self.base.execute(
                f"SELECT id FROM dated WHERE month = '2027-01' AND program = ? AND {where}", (program,))]
            self.assertEqual(sorted(row["id"] for row in rows), sorted(ids))

    def test_ratios_come_from_shadow_pairs(self):
        printed = cli.gauger("savings", "ratios", "--data", self.ledger, "--program", "alpha",
                             "--period", "2026-12", "--terms", *self.terms).stdout
        pairs, teacher, student = self.one(
            "SELECT count(*), sum(s.input_uncached + s.cache_read), sum(r.input_uncached + r.cache_read)"
            " FROM dated s JOIN event r ON r.id || '-shadow' = s.id"
            " WHERE s.month = '2026-12' AND s.program = 'alpha' AND s.purpose = 'shadow'")
        self.assertGreater(pairs, 10)
        self.assertIn(f"sample: {pairs}\n", printed)
        ratio = round(Fraction(teacher * 10**6, student))
        self.assertEqual(round(Fraction(printed.split("input: {ratio: ")[1].split(",")[0]) * 10**6), ratio)

    # --- other questions -------------------------------------------------------------------
    def costs(self, month):
        """What the contracts cost in a month, in 10^-12."""
        teacher, hosted = self.one(
            "SELECT sum(CASE provider WHEN 'frontier' THEN teacher ELSE 0 END),"
            " sum(CASE provider WHEN 'hosted' THEN hosted ELSE 0 END) FROM priced WHERE month = ?", month)
        return {"frontier": Fraction(teacher, 1000), "hosted": hosted, "in-house": CLUSTER[month]}

    def test_the_bridge_adds_up_from_one_cost_to_the_other(self):
        rows = {row["step"]: exact(row["exact"])
                for row in self.ask("bridge", "--from", "2026-12", "--to", "2027-01")["rows"]}
        base, later = rows.pop("2026-12"), rows.pop("2027-01")
        self.assertEqual(base, sum(self.costs("2026-12").values()))
        self.assertEqual(later, sum(self.costs("2027-01").values()))
        self.assertEqual(base + sum(rows.values()), later)
        self.assertNotEqual(rows["regime"], 0)

    def test_the_same_usage_under_hours_and_under_tokens(self):
        sides = {"hours.yaml": "compute_hours: {basis: metered, prices: [{model: teacher, per: hour, compute_us: 36}]}",
                 "tokens.yaml": "tokens: {price_book: list}"}
        for name, regime in sides.items():
            (self.directory / name).write_text(
                f"kind: contract\nid: {name[:-5]}\nversion: 1\nprovider: frontier\ncurrency: USD\n"
                f"begins: 2026-01-01\nends: 2028-01-01\nregimes: [{{from: 2026-01-01, {regime}}}]\n")
        answer = self.ask("compare", "terms", "--period", "2026-12", "--by", "provider", "--forecast",
                          "--terms", self.directory / "hours.yaml",
                          "--terms", self.directory / "tokens.yaml", terms="--with")
        line = next(row for row in answer["rows"] if row["provider"] == "frontier")
        hours, tokens, us, pico = self.one(
            "SELECT sum(compute_us) * 10000, sum(input_uncached + cache_read + output_text), sum(compute_us),"
            f" sum(CASE WHEN input_uncached + cache_read > {BOUNDARY}"
            " THEN input_uncached * 10000000 + cache_read * 1000000 + output_text * 37500000"
            " ELSE input_uncached * 5000000 + cache_read * 500000 + output_text * 25000000 END)"
            " FROM dated WHERE provider = 'frontier' AND month = '2026-12'")
        self.assertEqual((Fraction(line["a"]), Fraction(line["b"])),
                         (round(Fraction(hours, 10**10)) / Fraction(100), round(Fraction(pico, 10**10)) / Fraction(100)))
        self.assertEqual(int(line["break_even"]),
                         round(Fraction(tokens * 3_600_000_000 * hours, us * pico)))
        self.assertIn("forecast_error_a", answer)

    def test_another_date_of_the_switch_and_a_moved_workload(self):
        rows = {row["what"]: row for row in self.ask(
            "savings", "what-if", "--period", "2027-01", "--switch", "frontier=2027-02-01")["rows"]}
        us, = self.one("SELECT sum(compute_us) FROM dated WHERE provider = 'frontier' AND month = '2027-01'")
        self.assertEqual(Fraction(rows["contract frontier"]["then"]),
                         round(Fraction(us * 10000, 10**10)) / Fraction(100))
        self.assertEqual(rows["contract hosted"]["difference"], "0.00")
        moved = {row["what"]: row for row in self.ask(
            "savings", "what-if", "--period", "2027-01", "--program", "beta", "--workload", "answers",
            "--move", "50", "--acceptance", "90")["rows"]}
        self.assertLess(Fraction(moved["contract frontier"]["difference"]), 0)
        self.assertGreater(Fraction(moved["contract hosted"]["difference"]), 0)

    def test_shares_of_providers_add_up(self):
        rows = self.ask("savings", "dependence", "--period", "2027-01")["rows"]
        providers = [row for row in rows if not row["provider"].startswith("(")]
        tokens, = self.one("SELECT sum(input_uncached + cache_read + output_text) FROM dated"
                           " WHERE month = '2027-01'")
        self.assertEqual(sum(int(row["tokens"]) for row in providers), tokens)
        self.assertAlmostEqual(sum(float(row["spend_share"][:-2]) for row in providers), 100, delta=0.02)

    def test_the_cheapest_of_other_providers_is_named(self):
        (self.directory / "other.yaml").write_text(
            "kind: price_book\nid: other\nversion: 1\ncurrency: USD\nprices:\n"
            "  - {provider: other, model: big, per: million, input_uncached: 1, cache_read: 0.1, output_text: 4}\n"
            "  - {provider: other, model: half, per: million, input_uncached: 0.1, output_text: 1}\n")
        names = [self.directory / "other.yaml"]
        for model in ("big", "half"):
            names.append(self.directory / f"to-{model}.yaml")
            names[-1].write_text(
                f"kind: alternative\nid: to-{model}\nversion: 1\nprice_book: other\n"
                "from: {provider: frontier, model: teacher}\n"
                f"to: {{provider: other, model: {model}}}\nratios: [{{input: 1.05, output: 0.9}}]\n")
        rows = self.ask("compare", "alternatives", "--period", "2027-01", "--terms", *names)["rows"]
        self.assertEqual({row["alternative"] for row in rows if row["cheapest"]}, {"to-big"})
        half = next(row for row in rows if row["alternative"] == "to-half")
        self.assertIn("cache_read", half["unpriced"])
        pico, = self.one(
            "SELECT sum((input_uncached * 1000000 + cache_read * 100000) * 105 + output_text * 4000000 * 90)"
            " FROM dated WHERE provider = 'frontier' AND month = '2027-01' AND workload = 'routes'")
        big = next(row for row in rows if (row["alternative"], row["workload"]) == ("to-big", "routes"))
        self.assertEqual(Fraction(big["cost"]), round(Fraction(pico, 10**12)) / Fraction(100))

    # --- for good --------------------------------------------------------------------------
    def test_y_posted_terms_are_as_good_as_files(self):
        query = ("savings", "report", "--by", "month,program,team", "--period", MONTHS[-1])
        from_files = self.ask(*query)
        posted = cli.gauger("terms", "post", "--data", self.ledger, "--by", "ada", *self.terms)
        self.assertIn("program alpha version 1", posted.stdout)
        from_ledger = json.loads(cli.gauger(*query, "--data", self.ledger, "--output", "json").stdout)
        for name in ("lines", "total", "problems"):
            self.assertEqual(from_ledger[name], from_files[name])

    def test_y_the_service_says_the_same(self):
        with Service(self.ledger) as service:
            for arguments in (("savings", "report", "--by", "month,program,team", "--period", "2027-Q1"),
                              ("savings", "report", "--period", MONTHS[-1], "--basis", "list"),
                              ("cost", "--period", MONTHS[-1])):
                same_answers(self, self.ledger, service, *arguments)
            status, programs, _ = service.get(f"/v1/programs?period={MONTHS[-1]}")
            self.assertEqual(status, 200)
            total = {line["program"]: line for line in
                     self.report("program", "--period", MONTHS[-1])["lines"]}
            self.assertEqual({item["program"] for item in programs["items"]}, set(total))
            side = [path.read_text() for path in self.terms if "contract" in path.read_text()]
            status, compared, _ = service.post("/v1/comparisons",
                                               {"period": MONTHS[-1], "by": "team", "b": side})
            self.assertEqual(status, 200, compared)
            self.assertTrue(compared["rows"])
            self.assertTrue(all(row["a"] == row["b"] for row in compared["rows"]))

    def test_z_a_finalized_statement_stays_as_it_is(self):
        finalize = ["savings", "finalize", "--data", self.ledger, "--period", "2027-01", "--by",
                    "finance", "--terms", *self.terms]
        show = ["savings", "show", "--data", self.ledger, "2027-01/contract"]
        cli.gauger(*finalize)
        first = cli.gauger(*show).stdout
        total = json.loads(first)["statement"]["total"]
        self.assertEqual(total, self.report("", "--period", "2027-01")["total"])
        self.assertIn("says the same", cli.gauger(*finalize).stdout)
        late = self.directory / "later.jsonl"
        late.write_text(json.dumps(
            {"source": "gateway", "id": "much-later", "completed_at": "2027-01-31T12:00:00Z",
             "program": "alpha", "team": "ads", "workload": "routes", "provider": "in-house",
             "model": "small-a", "accelerator": "h100", "outcome": "accepted",
             "input_uncached": 1000, "output_text": 10, "compute_us": 1000}) + "\n")
        cli.ingest(self.ledger, "--backfill", "--now", "2027-02-04T00:00:00Z", late)
        self.assertIn("--because", cli.gauger(*finalize, code=1).stderr)
        cli.gauger(*finalize, "--because", "an event came late")
        self.assertEqual(cli.gauger(*show, "--version", 1).stdout, first)
        self.assertNotEqual(cli.gauger(*show).stdout, first)
        listed = cli.gauger("savings", "list", "--data", self.ledger).stdout
        self.assertEqual(listed.count("2027-01/contract"), 2)
        self.assertEqual(cli.verified(self.ledger)["findings"], [])

    def test_y_the_service_finalizes_and_compares(self):
        contracts = [path for path in self.terms if "contract" in path.read_text()]
        compare = ["compare", "terms", "--period", MONTHS[-1], "--by", "team", "--terms",
                   ",".join(str(path) for path in contracts), "--terms",
                   ",".join(str(path) for path in contracts)]
        finalize = ["savings", "finalize", "--period", "2026-12", "--because", "the year is over"]
        with Service(self.ledger) as service:
            same_answers(self, self.ledger, service, *compare)
            cli.gauger(*finalize, "--server", service.url)
            self.assertIn("version 1,", cli.gauger(*finalize, "--server", service.url).stdout)
            shown = cli.gauger("savings", "show", "--server", service.url, "2026-12/contract").stdout
        self.assertEqual(
            cli.gauger("savings", "show", "--data", self.ledger, "2026-12/contract").stdout, shown)
        self.assertEqual(json.loads(shown)["statement"]["total"],
                         self.report("", "--period", "2026-12")["total"])

    def test_z_an_open_outcome_blocks(self):
        event = self.directory / "open.jsonl"
        event.write_text(json.dumps(
            {"source": "gateway", "id": "open", "completed_at": "2026-11-30T12:00:00Z",
             "program": "beta", "team": "ads", "provider": "hosted", "model": "small-b",
             "input_uncached": 1, "output_text": 1}) + "\n")
        cli.ingest(self.ledger, "--backfill", "--now", "2027-02-04T00:00:00Z", event)
        report = self.report("", "--period", "2026-11")
        self.assertEqual([p["problem"] for p in report["problems"]], ["outcome_absent"])
        self.assertIn("problems", cli.gauger(
            "savings", "finalize", "--data", self.ledger, "--period", "2026-11", "--by", "finance",
            "--terms", *self.terms, code=1).stderr)


if __name__ == "__main__":
    cli.main()
