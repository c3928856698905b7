"""The real binary on the real broker, killed again and again: nothing is lost, nothing doubled.

    python3 tests/crash/crash.py --kills 200 [--seed N]

After a SIGTERM the loop ends, and the verdict follows on what it did: grants are killed as before.

A generator knows every sum in advance. Its events are produced twice and more, shuffled, while the
consumer is killed: at random instants and at named points (ledger/crash_point.h), with the broker
restarted in between. Invoices are finalized, backups taken, ledgers rebuilt and reservations
granted by processes that are killed likewise. After the last kill the sums must be the generator's,
`gauger verify` must find nothing, and every named point must have been hit.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import broker  # noqa: E402
import cli  # noqa: E402

GAUGER = str(cli.BIN / "gauger")
NOW = "2026-10-20T12:00:00Z"
MOST_KILLS_PER_BROKER = 400
# Points of each kind of process; `passes` is how far into it the point may lie.
INTAKE_POINTS = ("before_write", "after_write", "before_sync", "after_sync", "after_anchor")
PACK_POINTS = ("before_pack", "after_pack", "before_run_header", "after_run_header")
BOOK = """kind: price_book
id: list
version: v1
currency: USD
prices:
  - {provider: acme, model: x1, per: million, input_uncached: 5, output_text: 25}
"""


class Generator:
    """Events of known sums: usage, some of it retracted, of teams that are billed."""

    def __init__(self, seed, events):
        chance = random.Random(seed)
        self.lines = []
        self.sums = collections.defaultdict(lambda: [0, 0, 0])
        for i in range(events):
            team = f"team-{chance.randrange(9)}"
            tokens = (chance.randrange(100_000), chance.randrange(5_000))
            completed = f"2026-10-{1 + chance.randrange(19):02}T{chance.randrange(24):02}:07:00Z"
            self.lines.append(json.dumps({
                "source": "gateway", "id": f"e{i}", "completed_at": completed, "team": team,
                "provider": "acme", "model": "x1", "input_uncached": tokens[0],
                "output_text": tokens[1]}))
            if chance.randrange(20) == 0:
                self.lines.append(json.dumps({
                    "source": "gateway", "id": f"r{i}", "retracts": {"id": f"e{i}"}}))
                continue
            row = self.sums[team]
            row[0] += 1
            row[1] += tokens[0]
            row[2] += tokens[1]
        self.accepted = len(self.lines)

    def write_copies(self, directory, copies, seed):
        chance = random.Random(seed)
        paths = []
        for copy in range(copies):
            lines = list(self.lines)
            chance.shuffle(lines)
            path = directory / f"copy{copy}.jsonl"
            path.write_text("\n".join(lines) + "\n")
            paths.append(path)
        return paths


class CrashLoop:
    def __init__(self, options, directory):
        self.options = options
        self.chance = random.Random(options.seed)
        self.directory = directory
        self.ledger = directory / "ledger"
        self.backups = directory / "backups"
        self.book = directory / "book.yaml"
        self.book.write_text(BOOK)
        self.hits = collections.Counter()
        self.killed = 0
        self.broker_restarts = 0
        self.interrupted = False
        self.generator = Generator(options.seed, max(20_000, 40 * options.kills))
        self.invoiced = 0

    def produce(self, paths, *options):
        return self.broker.producer("usage", "--format", "jsonl", *options, *paths)

    # --- processes to kill ------------------------------------------------------------------

    def consume(self, *arguments, now=NOW):
        return [GAUGER, "ingest", "--data", str(self.ledger), "--now", now, "--hot-identities",
                "2000", "--kafka", self.broker.bootstrap, "--topic", "usage", "--format", "json",
                *arguments]

    def run_until(self, command, point=None, passes=1, seconds=5.0, stdout=subprocess.DEVNULL):
        """Runs a command until the point kills it, or we do; says whether it ended by itself."""
        environment = dict(os.environ)
        if point:
            environment["GAUGER_CRASH_AT"] = f"{point}:{passes}"
        with subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE,
                              env=environment) as process:
            try:
                _, errors = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.killed += 1
                return False
            if process.returncode == -signal.SIGKILL:
                self.hits[point] += 1
                self.killed += 1
                return False
            assert process.returncode == 0, f"{command}: {errors.decode()}"
            return True

    def kill_consumer(self, kill):
        if kill % 2 == 0:
            self.run_until(self.consume(), seconds=self.chance.uniform(0.02, 0.5))
            return
        # Packing happens as a consumer ends in order.
        if kill % 6 == 1:
            self.run_until(self.consume("--until-end"), self.chance.choice(PACK_POINTS),
                           seconds=20)
        else:
            self.run_until(self.consume(), self.chance.choice(INTAKE_POINTS),
                           self.chance.randrange(1, 4), seconds=2)

    def finalize(self, point):
        done = self.run_until(
            [GAUGER, "invoice", "finalize", "--data", str(self.ledger), "--period", "2026-10",
             "--now", "2026-11-01T02:00:00Z", "--book", str(self.book), "--bill-to",
             f"team-{self.invoiced % 9}", "--by", "crash"], point, seconds=30)
        return done

    def kill_others(self, kill):
        """Backups and rebuilds: of a ledger that is otherwise left alone for the moment."""
        which = kill % 3
        if which == 0:
            self.run_until([GAUGER, "backup", "--data", str(self.ledger), "--to",
                            str(self.backups)], "before_manifest", seconds=30)
        elif which == 1:
            self.run_until([GAUGER, "rebuild", "--data", str(self.ledger)], "rollups_removed",
                           seconds=30)
        else:
            target = self.directory / "restored"
            cli.gauger("backup", "--data", self.ledger, "--to", self.backups)
            self.run_until([GAUGER, "restore", "--from", str(self.backups), "--data",
                            str(target)], "before_naming", seconds=60)
            assert not target.exists(), "a restore that was killed left a ledger behind"

    # --- the loop ---------------------------------------------------------------------------

    def run(self):
        signal.signal(signal.SIGTERM, self.interrupt)
        self.broker = broker.Broker(self.directory / "broker")
        try:
            self.broker.create_topic("usage", 6)
            self.loop()
            self.judge()
        finally:
            self.broker.stop()

    def interrupt(self, *_):
        print("interrupted: the loop ends, the verdict follows", flush=True)
        self.interrupted = True

    def loop(self):
        copies = self.generator.write_copies(self.directory, 3, self.options.seed)
        kills = self.options.kills
        assert self.produce(copies[:1]).wait() == 0
        # The redeliveries last about as long as the loop; a kill takes half a second or more.
        producer = self.produce(
            copies[1:], "--rate", max(1, 4 * self.generator.accepted // kills))
        began = time.monotonic()
        between_restarts = min(kills // 3, MOST_KILLS_PER_BROKER) or 1
        for kill in range(kills):
            if self.interrupted:
                break
            if kill % 20 == 19:
                self.kill_others(kill // 20)
            else:
                self.kill_consumer(kill)
            if kill % between_restarts == between_restarts - 1:
                self.broker.run("kill")
                self.broker.run("start")
                self.broker_restarts += 1
            if kill % 50 == 49:
                self.say(kill + 1, began)
        if producer.poll() is None:  # what it had not sent yet comes at once
            producer.terminate()
            producer = self.produce(copies[1:])
        assert producer.wait(timeout=600) == 0
        self.finish()

    def say(self, kills, began):
        seconds = time.monotonic() - began
        print(f"{kills} kills in {seconds:.0f} s, {sum(self.hits.values())} at named points",
              flush=True)

    def finish(self):
        assert self.run_until(self.consume("--until-end"), seconds=600)
        # Whatever chance left out is hit now, on new events or on none.
        for point in INTAKE_POINTS + PACK_POINTS:
            tries = 0
            while not self.hits[point] and tries < 20:
                tries += 1
                more = self.directory / "more.jsonl"
                more.write_text(self.more_events())
                assert self.produce([more]).wait() == 0
                self.run_until(self.consume("--until-end"), point, seconds=30)
        for which in range(3):
            self.kill_others(which)
        # The month is over, and everything of it has been read.
        assert self.run_until(self.consume("--until-end", now="2026-11-01T01:00:00Z"), seconds=600)

    def more_events(self):
        """Some thousand more, known to the generator: a run is built of what has aged."""
        first = self.generator.accepted
        lines = []
        for i in range(first, first + 3_000):
            lines.append(json.dumps({
                "source": "gateway", "id": f"m{i}", "completed_at": "2026-10-19T23:00:00Z",
                "team": "team-0", "provider": "acme", "model": "x1", "input_uncached": 1,
                "output_text": 1}))
            for column in range(3):
                self.generator.sums["team-0"][column] += 1
        self.generator.accepted += len(lines)
        return "\n".join(lines) + "\n"

    # --- the verdict ------------------------------------------------------------------------

    def judge(self):
        self.check_sums(self.ledger)
        self.check_invoices()
        self.check_backup()
        self.check_grants()
        wanted = {*INTAKE_POINTS, *PACK_POINTS, "before_manifest", "rollups_removed",
                  "before_naming", "before_documents", "after_documents", "after_grant"}
        missed = sorted(wanted - set(self.hits))
        assert not missed, f"never hit: {missed}"
        points = ", ".join(f"{name} {count}" for name, count in sorted(self.hits.items()))
        print(f"{self.killed} processes killed, {sum(self.hits.values())} of them at named points; "
              f"{self.broker_restarts} restarts of the broker; {self.generator.accepted} events, "
              f"each produced at least three times\n{points}\nsums equal, verify finds nothing")

    def check_sums(self, ledger):
        found = cli.sums(ledger, "team", ["input_uncached", "output_text"])
        assert found == {team: row for team, row in self.generator.sums.items()}, (
            found, dict(self.generator.sums))
        report = cli.verified(ledger)
        assert report["findings"] == [] and report["accepted"] == self.generator.accepted, report

    def check_invoices(self):
        """Killed before and after the commit: a number is given once, and none is left out."""
        for bill_to in range(9):
            self.invoiced = bill_to
            point = ("before_documents", "after_documents", None)[bill_to % 3]
            done = self.finalize(point)
            assert done == (point is None)
        numbers = [one["id"] for one in json.loads(
            cli.gauger("invoice", "list", "--data", self.ledger, "--output", "json").stdout)]
        # Three were killed before the commit, three after it, three ended in order.
        assert numbers == [f"G-{number:06}" for number in range(1, 7)], numbers
        for bill_to in (0, 3, 6):
            self.invoiced = bill_to
            assert self.finalize(None)
        cli.gauger("invoice", "verify", "--data", self.ledger)

    def check_backup(self):
        cli.gauger("backup", "--data", self.ledger, "--to", self.backups)
        restored = self.directory / "restored"
        cli.gauger("restore", "--from", self.backups, "--data", restored, "--now",
                   "2026-11-02T00:00:00Z")
        self.check_sums(restored)

    def check_grants(self):
        data = self.directory / "grants"
        told = self.directory / "told"
        with told.open("ab") as out:
            for seed in range(1, 2 + self.options.kills // 20):
                point = self.chance.choice(("after_grant", "before_sync", "after_sync", None))
                self.run_until([str(cli.BIN / "gauger_crash_grants"), str(data), str(seed)], point,
                               self.chance.randrange(1, 60), self.chance.uniform(0.05, 0.6), out)
            self.run_until([str(cli.BIN / "gauger_crash_grants"), str(data), "0"], "after_grant",
                           5, 30, out)
        with told.open("rb") as lines:
            cli.run(cli.BIN / "gauger_crash_grants", data, "check", stdin=lines)
        assert cli.verified(data)["findings"] == []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gauger-crash-") as scratch:
        CrashLoop(options, pathlib.Path(scratch)).run()


if __name__ == "__main__":
    main()
