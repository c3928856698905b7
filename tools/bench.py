#!/usr/bin/env python3
"""./dev bench: what one machine does, from bytes to a settled ledger, and what that costs.

Generates the seeded benchmark data once (gauger-load generate), measures each stage of the event
path, whole ledgers, a redelivery, latency at a tenth of the full rate, a restart after kill -9 and
queries, then compares the sums with the generator's. Medians of several runs. "Settled" is
durable, rollups packed, closed; times are of the whole process. BENCHMARKS.md has the method.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

import bench_peers

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build/release/bin"
STORE = ROOT / ".gauger/bench"


class Done:
    """A finished process: what it printed, and what it used."""

    def __init__(self, *command):
        begin = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                   text=True)
        self.printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - begin
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.resident_mib = usage.ru_maxrss / 1024
        self.bytes_written = usage.ru_oublock * 512
        if process.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, command))} failed")

    def json(self):
        return json.loads(self.printed)


def say(sentence):
    print(f"bench: {sentence}", file=sys.stderr, flush=True)


def size_of(directory):
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def data_of(options):
    """The events' file and its expected sums, made when they are missing."""
    suffix = "pb" if options.format == "proto" else "jsonl"
    name = f"{options.events}-{options.seed}{'-dense' if options.dense else ''}.{suffix}"
    events, summary = STORE / name, STORE / f"{name}.json"
    if not (events.exists() and summary.exists()):
        say(f"generating {options.events:,} events")
        Done(BIN / "gauger-load", "generate", "--events", options.events, "--seed", options.seed,
             "--format", options.format, "--output", events, "--summary", summary,
             *(["--dense"] if options.dense else []))
    return events, json.loads(summary.read_text())


def ingest_command(ledger, *source):
    return (BIN / "gauger", "ingest", "--data", ledger, "--backfill", "--output", "json", *source)


def compare(ledger, expected):
    """The ledger's sums are the generator's, to the token."""
    rows = Done(BIN / "gauger", "usage", "--data", ledger, "--by", "team", "--output",
                "json").json()["rows"]
    for meter, total in expected["total"].items():
        found = sum(row.get(meter, 0) for row in rows)
        if found != total:
            sys.exit(f"bench: {meter} is {found}, the generator made {total}")


def stages(events, count):
    figures = {}
    bare = None
    for name, stage in Done(BIN / "gauger-bench", "stages", events, count).json().items():
        bare = bare or stage
        figures[f"stage {name}: ns CPU per event"] = 1e9 * stage["cpu_seconds"] / stage["events"]
        figures[f"stage {name}: % of bare"] = 100 * bare["cpu_seconds"] / stage["cpu_seconds"]
    return figures


def whole(events, expected, ledger):
    """A new ledger from a file, then all of it again."""
    shutil.rmtree(ledger, ignore_errors=True)
    first = Done(*ingest_command(ledger, events))
    counted = first.json()
    on_disk = size_of(ledger)
    compare(ledger, expected)
    asked = Done(BIN / "gauger-bench", "queries", ledger, "2026-10").json()
    again = Done(*ingest_command(ledger, events))
    if again.json()["accepted"] != 0:
        sys.exit("bench: a redelivery was counted")
    compare(ledger, expected)
    accepted = counted["accepted"]
    parts = asked["bytes"]
    named = sum(value for name, value in parts.items() if name != "events")
    return {
        "file to settled: events/s": counted["records"] / first.seconds,
        "file to settled: ns CPU per event": 1e9 * first.cpu_seconds / counted["records"],
        "file to settled: resident MiB": first.resident_mib,
        "write amplification": first.bytes_written / on_disk,
        "bytes per event": on_disk / accepted,
        **{f"bytes per event: {name}": parts[name] / accepted for name in parts
           if name != "events"},
        "bytes per event: log and rest": (on_disk - named) / accepted,
        "redelivery: events/s": counted["records"] / again.seconds,
        "redelivery: % of first pass": 100 * first.seconds / again.seconds,
        "query, month by team and model: ms": asked["month_by_team_model_ms"],
        "query, a team's month by day and model: ms": asked["team_month_by_day_model_ms"],
        "open beside a writer: s": asked["open_seconds"],
    }


def restart(events, seconds, ledger):
    """kill -9 near the end of a first pass, then the next start."""
    shutil.rmtree(ledger, ignore_errors=True)
    process = subprocess.Popen([str(part) for part in ingest_command(ledger, events)],
                               stdout=subprocess.DEVNULL)
    time.sleep(0.85 * seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    opened = Done(BIN / "gauger-bench", "open", ledger).json()
    return {"restart after kill -9: s": opened["seconds"],
            "restart after kill -9: identities": opened["identities"],
            "dedup memory: bytes per identity": opened["identity_bytes"] /
            max(1, opened["identities"])}


def full_window(events, expected, identities):
    """A file into a ledger that knows many identities already, kill -9, and the next start."""
    ledger = STORE / "full-ledger"
    shutil.rmtree(ledger, ignore_errors=True)
    filled = Done(BIN / "gauger-bench", "fill", ledger, identities)
    on_disk = size_of(ledger)
    first = Done(*ingest_command(ledger, events))
    counted = first.json()
    if counted["accepted"] != expected["events"]:
        sys.exit("bench: an identity was counted twice, or not at all")
    process = subprocess.Popen([str(part) for part in ingest_command(ledger, events)],
                               stdout=subprocess.DEVNULL)
    time.sleep(0.5 * first.seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    opened = Done(BIN / "gauger-bench", "open", ledger).json()
    shutil.rmtree(ledger, ignore_errors=True)
    known = f"{identities:,} identities known"
    return {
        f"{known}: filled, identities/s": identities / filled.seconds,
        f"{known}: bytes per identity on disk": on_disk / identities,
        f"{known}: file to settled: events/s": counted["records"] / first.seconds,
        f"{known}: file to settled: ns CPU per event":
            1e9 * first.cpu_seconds / counted["records"],
        f"{known}: resident MiB": first.resident_mib,
        f"{known}: restart after kill -9: s": opened["seconds"],
        f"{known}: restart: resident MiB": opened["resident_mib"],
        f"{known}: dedup memory: bytes per identity":
            opened["identity_bytes"] / opened["identities"],
    }


def latency(events, rate, ledger):
    shutil.rmtree(ledger, ignore_errors=True)
    found = Done(BIN / "gauger-bench", "latency", events, ledger, rate, 15).json()
    return {f"at {rate:,.0f} events/s, {name[:-3].replace('_', ' ')}: ms": value
            for name, value in found.items() if name.endswith("_ms")}


class Kafka:
    """A real broker with the events in a topic of 12 partitions."""

    def __init__(self, events):
        self.script = ROOT / "tools/kafka/kafka.sh"
        self.directory = STORE / "kafka"
        self.brokers = Done(self.script, "start", "--dir", self.directory).printed.split()[-1]
        self.topic = f"bench-{os.getpid()}"
        say("producing the events into a topic")
        Done(BIN / "gauger-load", "produce", "--brokers", self.brokers, "--topic", self.topic,
             "--partitions", 12, events)

    def run(self, records, expected, ledger):
        bare = Done(BIN / "gauger-bench", "consume", self.brokers, self.topic, records).json()
        shutil.rmtree(ledger, ignore_errors=True)
        done = Done(*ingest_command(ledger, "--kafka", self.brokers, "--topic", self.topic,
                                    "--until-end"))
        compare(ledger, expected)
        return {"Kafka, bare consumer: events/s": records / bare["seconds"],
                "Kafka to settled: events/s": records / done.seconds,
                "Kafka to settled: % of bare": 100 * bare["seconds"] / done.seconds,
                "Kafka to settled: ns CPU per event": 1e9 * done.cpu_seconds / records}

    def stop(self):
        Done(self.script, "stop", "--dir", self.directory)


def rating():
    """A month of 1,000,000 rollup rows, rated and allocated to 10,000 teams, on one core."""
    runs = Done(BIN / "gauger_bench_billing", "--benchmark_format=json",
                "--benchmark_filter=rate_and_allocate").json()["benchmarks"]
    return {"a month of 1,000,000 rows rated and allocated to 10,000 teams: ms CPU":
            runs[0]["cpu_time"]}


def medians(runs):
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}


def repeated(times, what, measure):
    runs = []
    for run in range(times):
        say(f"{what}, run {run + 1} of {times}")
        runs.append(measure())
    figures = medians(runs)
    # As they come: a later part may fail.
    for name, value in figures.items():
        say(f"  {name:<72} {value:>16,.1f}")
    return figures


def measure(options):
    events, expected = data_of(options)
    records = expected["records"]
    ledger = STORE / "ledger"
    figures = repeated(options.runs, "stages",
                       lambda: stages(events, min(records, options.stage_events)))
    figures |= repeated(options.runs, "file to settled ledger",
                        lambda: whole(events, expected, ledger))
    rate = figures["file to settled: events/s"]
    if options.format == "proto":
        figures |= repeated(options.runs, "latency", lambda: latency(
            events, min(rate / 10, records / 20), ledger))
    figures |= repeated(options.runs, "restart",
                        lambda: restart(events, records / rate, ledger))
    if options.identities:
        figures |= repeated(min(options.runs, options.identity_runs), "full window",
                            lambda: full_window(events, expected, options.identities))
    figures |= repeated(options.runs, "rating", rating)
    if options.kafka:
        kafka = Kafka(events)
        try:
            figures |= repeated(options.runs, "Kafka",
                                lambda: kafka.run(records, expected, ledger))
        finally:
            kafka.stop()
    if options.peers:
        figures |= repeated(options.runs, "peers", lambda: bench_peers.run(
            BIN, STORE, options, rate))
    shutil.rmtree(ledger, ignore_errors=True)
    return figures


# What `--all` measures, one behind the other.
VARIANTS = (
    ("31 days", {"kafka": True, "peers": True}),
    ("6 hours", {"dense": True}),
    ("JSON lines", {"format": "jsonl"}),
)


def measure_all(options):
    identities = options.identities or 100_000_000
    figures = {}
    for name, wanted in VARIANTS:
        say(f"== {name}")
        plain = {"kafka": False, "peers": False, "dense": False, "format": "proto"}
        variant = argparse.Namespace(**{
            **vars(options), **plain, **wanted,
            "identities": identities if name == VARIANTS[0][0] else 0})
        figures |= {f"{name}: {what}": value for what, value in measure(variant).items()}
    return figures


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__.splitlines()[0],
        epilog="Examples: ./dev bench --events 4000000 --kafka --peers --output json; "
        "./dev bench --all --runs 3")
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3, help="medians of so many runs")
    parser.add_argument("--dense", action="store_true", help="6 hours instead of 31 days")
    parser.add_argument("--format", choices=("proto", "jsonl"), default="proto")
    parser.add_argument("--stage-events", type=int, default=2_000_000,
                        help="events of the staged table; all their blocks are held in memory")
    parser.add_argument("--kafka", action="store_true",
                        help="from a real broker, beside the bare consumer")
    parser.add_argument("--peers", action="store_true",
                        help="the same events into SQLite, DuckDB and PostgreSQL")
    parser.add_argument("--peer-events", type=int, default=1_000_000)
    parser.add_argument("--identities", type=int, default=0,
                        help="also with so many identities in the window already "
                        "(some 60 bytes of disk each)")
    parser.add_argument("--identity-runs", type=int, default=1,
                        help="runs of that, which fills a ledger each time")
    parser.add_argument("--all", action="store_true",
                        help="31 days with Kafka, peers and 100,000,000 identities in the window; "
                        "6 hours; JSON lines")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    STORE.mkdir(parents=True, exist_ok=True)
    figures = measure_all(options) if options.all else measure(options)
    if options.output == "json":
        asked = {name: getattr(options, name) for name in ("events", "seed", "runs", "dense",
                                                           "format")}
        print(json.dumps({**asked, "cores": os.cpu_count(), "medians": figures}, indent=2))
        return
    kind = "all" if options.all else options.format + (", dense" if options.dense else "")
    print(f"{options.events:,} events ({kind}), "
          f"medians of {options.runs} runs on {os.cpu_count()} cores; "
          "sums equal the generator's")
    for name, value in figures.items():
        print(f"  {name:<72} {value:>16,.1f}")


main()
