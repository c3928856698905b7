#!/usr/bin/env python3
"""A second, independent implementation of rating, in exact fractions.

Generates books, contracts and usage, rates them here, lets the scenario runner rate the same
text, and compares every amount, quantity, unpriced item, team share and total exactly.

usage: rating_oracle.py RUNNER [CASES [SEED]]
"""
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from fractions import Fraction

TOKENS = ["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio",
          "input_image", "output_text", "output_reasoning", "output_audio"]
INPUTS = TOKENS[:6]
METERS = TOKENS + ["compute_us", "web_searches", "images"]
SERVICE_TIERS = ["standard", "batch", "flex", "priority", "provisioned"]
UNITS = {"unit": 1, "thousand": 1000, "million": 1_000_000, "hour": 3_600_000_000}
BOUNDARIES = [100, 1000]
JANUARY = datetime(2027, 1, 1, tzinfo=timezone.utc)
FEBRUARY = datetime(2027, 2, 1, tzinfo=timezone.utc)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def decimal(value):
    """A Fraction whose denominator divides a power of ten, as text."""
    whole = value * 10 ** 12
    assert whole.denominator == 1
    digits = str(abs(whole.numerator)).rjust(13, "0")
    text = digits[:-12] + "." + digits[-12:]
    return ("-" if value < 0 else "") + text.rstrip("0").rstrip(".")


def exact(value):
    """As the runner prints: a decimal where 12 digits are enough, a fraction otherwise."""
    if (value * 10 ** 12).denominator == 1:
        return decimal(value)
    return f"{value.numerator}/{value.denominator}"


class Price:
    """One price: a schedule over Fractions per single unit."""

    def __init__(self, rng, per, schedules=True):
        self.kind = rng.choice(["flat"] * 5 + ["graduated", "volume", "package"]) if schedules \
            else "flat"
        self.per = per

        def amount():
            return Fraction(rng.randrange(0, 5000), 100)

        if self.kind == "flat":
            self.quoted = amount()
        elif self.kind == "package":
            self.size = rng.choice([1, 7, 100, 1000])
            self.quoted = amount()
        else:
            ends = sorted(rng.sample(range(1, 5000), rng.randrange(0, 3)))
            self.tiers = [(end, amount()) for end in ends] + [(None, amount())]

    def yaml(self):
        if self.kind == "flat":
            return decimal(self.quoted)
        if self.kind == "package":
            return f"{{package: {{size: {self.size}, price: {decimal(self.quoted)}}}}}"
        tiers = ", ".join("{" + (f"up_to: {end}, " if end else "") + f"price: {decimal(p)}}}"
                          for end, p in self.tiers)
        return f"{{{self.kind}: [{tiers}]}}"

    def of(self, quantity):
        units = UNITS[self.per]
        if self.kind == "flat":
            return self.quoted * quantity / units
        if self.kind == "package":
            return -(-quantity // self.size) * self.quoted
        if self.kind == "volume":
            for end, price in self.tiers:
                if end is None or quantity <= end:
                    return price * quantity / units
        total, below = Fraction(0), 0
        for end, price in self.tiers:
            reached = quantity if end is None else min(end, quantity)
            total += price * (reached - below) / units
            below = reached
        return total


class Entry:
    def __init__(self, rng, provider, by_hour):
        self.provider = provider
        self.model = rng.choice(["m-a", "m-b", "m-*", "*", "m-?", {"prefix": "m"}, "*-a"])
        self.region = rng.choice([None] * 4 + ["eu", "e*"])
        self.tiers = rng.choice([["standard"]] * 4 + [["batch"], ["standard", "flex"],
                                                      SERVICE_TIERS])
        self.start = rng.choice([None, None, JANUARY + timedelta(days=rng.randrange(0, 31))])
        self.end = None
        if rng.random() < 0.15:
            self.end = (self.start or JANUARY) + timedelta(days=rng.randrange(1, 20))
        self.hours = None
        if rng.random() < 0.2:
            cuts = rng.sample(range(0, 48), 2)
            self.hours = (cuts[0] * 30, cuts[1] * 30)
        per = "hour" if by_hour else rng.choice(["unit", "thousand", "million"])
        items = ["compute_us"] if by_hour else rng.sample(TOKENS + ["images", "requests"],
                                                          rng.randrange(4, 12))
        self.per = per
        self.prices = {item: Price(rng, per, not by_hour) for item in items}
        if not by_hour and rng.random() < 0.1:
            self.prices[rng.choice(items)] = None
        self.above = {}
        if not by_hour and rng.random() < 0.3:
            boundary = rng.choice(BOUNDARIES)
            self.above[boundary] = {item: Price(rng, per) for item, price in self.prices.items()
                                    if item in TOKENS}

    def yaml(self):
        def clock(minute):
            return f'"{minute // 60:02}:{minute % 60:02}"'

        def items(prices):
            return ", ".join(f"{item}: {p.yaml() if p else 'unpriced'}"
                             for item, p in prices.items())

        model = "{prefix: m}" if isinstance(self.model, dict) else f'"{self.model}"'
        parts = [f"provider: {self.provider}", f"model: {model}"]
        if self.region:
            parts.append(f'region: "{self.region}"')
        if self.tiers == SERVICE_TIERS:
            parts.append("service_tier: any")
        elif self.tiers != ["standard"]:
            parts.append(f"service_tier: [{', '.join(self.tiers)}]")
        if self.start:
            parts.append(f"effective_from: {stamp(self.start)}")
        if self.end:
            parts.append(f"effective_until: {stamp(self.end)}")
        if self.hours:
            parts.append(f"hours: {{from: {clock(self.hours[0])}, until: {clock(self.hours[1])}}}")
        parts += [f"per: {self.per}", items(self.prices)]
        if self.above:
            inner = ", ".join(f"{b}: {{{items(p)}}}" for b, p in self.above.items())
            parts.append(f"context_above: {{{inner}}}")
        return "{" + ", ".join(parts) + "}"

    def scope(self):
        return (self.provider, str(self.model), self.region, tuple(self.tiers))

    def begins(self):
        return self.start or datetime.min.replace(tzinfo=timezone.utc)

    def ends(self):
        return self.end or datetime.max.replace(tzinfo=timezone.utc)

    def rank(self):
        def literal(pattern):
            if pattern is None or pattern == "*":
                return 0
            if isinstance(pattern, dict):
                return 1 + len(pattern["prefix"])
            if not set(pattern) & set("*?"):
                return 10 ** 9
            return 1 + sum(c not in "*?" for c in pattern)

        return (literal(self.model), literal(self.region), len(SERVICE_TIERS) - len(self.tiers),
                1 if self.hours else 0)

    def matches(self, use):
        return (self.provider == use["provider"] and match(self.model, use["model"])
                and match(self.region or "*", use["region"])
                and use["service_tier"] in self.tiers)

    def in_hours(self, moment):
        if not self.hours:
            return True
        minute = moment.hour * 60 + moment.minute
        start, end = self.hours
        return start <= minute < end if start < end else minute >= start or minute < end


def match(pattern, name):
    if isinstance(pattern, dict):
        return name.startswith(pattern["prefix"])
    if not pattern:
        return not name
    if pattern[0] == "*":
        return match(pattern[1:], name) or (bool(name) and match(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and match(pattern[1:], name[1:])


def contradictory(entries):
    for i, a in enumerate(entries):
        for b in entries[:i]:
            if a.scope() != b.scope() or bool(a.hours) != bool(b.hours):
                continue
            if a.hours and not any(in_window(a.hours, m) and in_window(b.hours, m)
                                   for m in range(0, 1440, 30)):
                continue
            if not (a.begins() < b.ends() and b.begins() < a.ends()):
                continue
            if a.hours != b.hours or a.begins() == b.begins():
                return True
            if (a if a.begins() < b.begins() else b).end:
                return True
    return False


def in_window(hours, minute):
    start, end = hours
    return start <= minute < end if start < end else minute >= start or minute < end


class Tie(Exception):
    pass


def entry_for(entries, use):
    """The entry in force for one use; None without one."""
    latest = {}
    for entry in entries:
        if not entry.matches(use) or entry.begins() > use["at"]:
            continue
        version = (entry.scope(), entry.hours)
        if version not in latest or latest[version].begins() < entry.begins():
            latest[version] = entry
    active = [e for e in latest.values() if e.ends() > use["at"] and e.in_hours(use["at"])]
    if not active:
        return None
    best = max(e.rank() for e in active)
    found = [e for e in active if e.rank() == best]
    if len(found) > 1:
        raise Tie
    return found[0]


def rate(entries, uses):
    """[(use, item, quantity, amount or None, reason)] with schedules over the whole month."""
    lines, pools = [], {}
    for use in uses:
        entry = entry_for(entries, use)
        total_input = sum(use["counts"].get(m, 0) for m in INPUTS)
        context = max([b for b in (entry.above if entry else {}) if total_input > b], default=0)
        prices = dict(entry.prices) if entry else {}
        if context:
            prices.update(entry.above[context])
        if "output_reasoning" not in prices and prices.get("output_text"):
            prices["output_reasoning"] = prices["output_text"]
        by_tokens = any(prices.get(m) for m in TOKENS)
        by_time = bool(prices.get("compute_us"))
        if by_time and not by_tokens and not use["counts"].get("compute_us") and \
                any(use["counts"].get(m) for m in TOKENS):
            lines.append([use, "requests", use["requests"], None,
                          "billed by compute time, and none was measured"])
        for item, quantity in list(use["counts"].items()) + [("requests", use["requests"])]:
            price = prices.get(item)
            if not quantity or (item == "requests" and not price):
                continue
            if not price:
                if item == "compute_us" and by_tokens:
                    continue
                if item in TOKENS and by_time and not by_tokens:
                    continue
                lines.append([use, item, quantity, None,
                              "the matching price entry does not price it" if entry
                              else "no price entry matches"])
                continue
            line = [use, item, quantity, Fraction(0), ""]
            lines.append(line)
            pools.setdefault((id(price), price), []).append(line)
    for (_, price), pool in pools.items():
        whole = sum(line[2] for line in pool)
        for line in pool:
            line[3] = price.of(whole) * Fraction(line[2], whole)
    return lines


def summed(lines, kind="usage"):
    priced, open_items = {}, {}
    for use, item, quantity, amount, reason in lines:
        where = (use["team"] or "-", use["model"], kind, item)
        if amount is None:
            key = (use["team"] or "-", use["model"], item, reason)
            open_items[key] = open_items.get(key, 0) + quantity
        else:
            had = priced.get(where, (0, Fraction(0)))
            priced[where] = (had[0] + quantity, had[1] + amount)
    return priced, open_items


def printed(priced, open_items):
    out = [f"{kind} {team} {model} {item} {quantity} {exact(amount)}"
           for (team, model, kind, item), (quantity, amount) in sorted(priced.items())]
    out += [f"unpriced {team} {model} {item} {quantity} {reason}"
            for (team, model, item, reason), quantity in sorted(open_items.items())]
    out.append("total " + exact(sum((a for _, a in priced.values()), Fraction(0))))
    return out


def half_even(value):
    floor = value.numerator // value.denominator
    rest = value - floor
    return floor + (1 if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2) else 0)


def handed_down(amounts, total):
    """Largest remainder; `amounts` in cents by name, ties to the earlier name."""
    floors = {name: a.numerator // a.denominator for name, a in amounts.items()}
    left = total - sum(floors.values())
    order = sorted(amounts, key=lambda name: (-(amounts[name] - floors[name]), name))
    assert 0 <= left <= len(order)
    return {name: floors[name] + (1 if name in order[:left] else 0) for name in amounts}


def cents(value):
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02}"


def make_uses(rng, by_hour):
    uses = []
    for _ in range(rng.randrange(1, 9)):
        meters = rng.sample(METERS if by_hour else METERS[:9] + METERS[10:], rng.randrange(1, 5))
        counts = {m: rng.choice([0, 1, rng.randrange(0, 300), rng.randrange(0, 5000)])
                  for m in meters}
        uses.append({"at": JANUARY + timedelta(minutes=30 * rng.randrange(0, 31 * 48)),
                     "team": rng.choice(["", "a", "b", "c"]), "provider": "p",
                     "model": rng.choice(["m-a", "m-b", "m-cc"]),
                     "region": rng.choice(["", "", "eu", "us"]),
                     "service_tier": rng.choice(["standard"] * 4 + SERVICE_TIERS),
                     "requests": rng.randrange(1, 50), "counts": counts})
    return uses


def usage_text(uses):
    lines = []
    for use in uses:
        words = [stamp(use["at"])]
        words += [f"{k}={use[k]}" for k in ("team", "provider", "model", "region") if use[k]]
        words.append(f"service_tier={use['service_tier']}")
        words.append(f"requests={use['requests']}")
        words += [f"{m}={n}" for m, n in use["counts"].items()]
        lines.append(" ".join(words))
    return "\n".join(lines)


def book_text(entries):
    return ("kind: price_book\nid: list\nversion: 1\ncurrency: USD\nprices:\n" +
            "".join(f"  - {entry.yaml()}\n" for entry in entries))


def plain_case(rng):
    by_hour = rng.random() < 0.15
    entries = [Entry(rng, "p", by_hour) for _ in range(rng.randrange(1, 7))]
    uses = make_uses(rng, by_hour)
    text = f"== ledger grain=30 boundaries=100,1000\n== book\n{book_text(entries)}" \
           f"== usage\n{usage_text(uses)}\n== rate\n"
    if contradictory(entries):
        return text, None
    try:
        return text, printed(*summed(rate(entries, uses)))
    except Tie:
        return text, None


def contract_case(rng):
    """A month of tokens under discounts and perhaps a commitment, handed down to teams."""
    entries = [Entry(rng, "p", False) for _ in range(rng.randrange(1, 5))]
    uses = make_uses(rng, False)
    discounts = []
    for _ in range(rng.randrange(0, 3)):
        discounts.append((Fraction(rng.randrange(1, 10000), 10000),
                          rng.choice(["*", "m-a", "m-*"]),
                          rng.choice([[], ["output_text"], ["input_uncached", "images"]]),
                          Fraction(rng.choice([0, 0, rng.randrange(0, 100000)]), 100)))
    commitment = rng.choice([None, Fraction(rng.randrange(0, 100_000_000), 100)])
    terms = ["price_book: list"]
    if discounts:
        terms.append("discounts: [" + ", ".join(
            f"{{percent: {decimal(share * 100)}, model: \"{model}\", above: {decimal(above)}" +
            (f", items: [{', '.join(items)}]" if items else "") + "}"
            for share, model, items, above in discounts) + "]")
    if commitment is not None:
        terms.append(f"commitment: {{amount: {decimal(commitment)}, from: 2027-01-01, "
                     "until: 2027-02-01}")
    contract = ("kind: contract\nid: c\nversion: 1\nprovider: p\ncurrency: USD\n"
                "begins: 2027-01-01\nends: 2027-02-01\n"
                f"regimes: [{{from: 2027-01-01, tokens: {{{', '.join(terms)}}}}}]\n")
    text = (f"== ledger grain=30 boundaries=100,1000\n== book\n{book_text(entries)}"
            f"== contract\n{contract}== usage\n{usage_text(uses)}\n== month 2027-01\n")
    if contradictory(entries):
        return text, None
    try:
        listed = rate(entries, uses)
    except Tie:
        return text, None
    priced, open_items = summed(listed)
    charged = [line for line in listed if line[3] is not None]
    everything = [(line, "usage", line[3]) for line in charged]
    for share, model, items, above in discounts:
        covered = [line for line in charged
                   if match(model, line[0]["model"]) and (not items or line[1] in items)]
        listed_sum = sum((line[3] for line in covered), Fraction(0))
        if listed_sum > above:
            factor = share * (listed_sum - above) / listed_sum
            everything += [(line, "discount", -line[3] * factor) for line in covered]
    spend = sum((amount for _, _, amount in everything), Fraction(0))
    owner = None
    if commitment is not None and commitment > spend:
        missing = commitment - spend
        if spend <= 0:
            owner = missing
        else:
            everything += [(line, "true_up", missing * amount / spend)
                           for line, _, amount in everything if amount]
    priced, teams = {}, {}
    for line, kind, amount in everything:
        where = (line[0]["team"] or "-", line[0]["model"], kind, line[1])
        had = priced.get(where, (0, Fraction(0)))
        priced[where] = (had[0] + (line[2] if kind == "usage" else 0), had[1] + amount)
        teams[line[0]["team"]] = teams.get(line[0]["team"], Fraction(0)) + amount
    if owner is not None:
        priced[("-", "-", "true_up", "requests")] = (0, owner)
        teams[""] = teams.get("", Fraction(0)) + owner
    for line in listed:
        teams.setdefault(line[0]["team"], Fraction(0))
    out = printed(priced, open_items)
    total = half_even(sum(teams.values(), Fraction(0)) * 100)
    shares = handed_down({team: amount * 100 for team, amount in teams.items()}, total)
    out += [f"team {team or 'unallocated'} {cents(shares[team])}" for team in sorted(shares)]
    return text, out + [f"bill {cents(total)}", f"payable {cents(total)}"]


def main():
    runner = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20270116
    rng = random.Random(seed)
    expected, texts = [], []
    for number in range(count):
        text, out = contract_case(rng) if number % 3 == 2 else plain_case(rng)
        texts.append(f"== case {number}\n{text}")
        expected.append(out)
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as file:
        file.write("".join(texts))
        file.flush()
        ran = subprocess.run([runner, "--print", file.name], capture_output=True, text=True,
                             check=False)
    if ran.returncode != 0:
        sys.exit(f"the runner failed: {ran.stderr}")
    came = [block.splitlines()[1:] for block in ("\n" + ran.stdout).split("\ncase ")[1:]]
    assert len(came) == count, f"{len(came)} of {count} cases came back"
    refused = failed = unpriced = 0
    for number in range(count):
        want, have = expected[number], came[number]
        if want is None:
            refused += 1
            agree = len(have) == 1 and have[0].startswith("refused ")
        else:
            unpriced += any(line.startswith("unpriced") for line in want)
            agree = sorted(want) == sorted(have)
        if not agree:
            failed += 1
            if failed <= 3:
                print(texts[number], "--- expected", *(want or ["refused"]), "--- came", *have,
                      sep="\n")
    print(f"seed {seed}: {count} cases, {refused} refused by both, {unpriced} with unpriced "
          f"items, {failed} disagree")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
