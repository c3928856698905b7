#!/usr/bin/env python3
"""./dev bench: how fast files become a settled ledger, what that costs on disk, and how fast a
month is rated.

Generates the seeded benchmark data once (gauger-load generate), ingests it into new ledgers,
delivers all of it again, asks the month's usage, and compares the sums with the generator's.
Medians of several runs; rates are events of the file per second of wall-clock time, from the
start of the process to a settled ledger (durable, rollups packed, closed).
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build/release/bin"


def timed(*command):
    """Seconds, and what the command printed."""
    begin = time.monotonic()
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True,
                          text=True)
    return time.monotonic() - begin, done.stdout


def size_of(directory):
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def one_run(events, summary, ledger):
    """One ledger from nothing: {figure: value}."""
    shutil.rmtree(ledger, ignore_errors=True)
    ingest = (BIN / "gauger", "ingest", "--data", ledger, "--backfill", "--output", "json", events)
    first, printed = timed(*ingest)
    counted = json.loads(printed)
    bytes_first = size_of(ledger)
    again, printed = timed(*ingest)
    if json.loads(printed)["accepted"] != 0:
        sys.exit("bench: a redelivery was counted")
    ask = (BIN / "gauger", "usage", "--data", ledger, "--by", "team,model", "--output", "json")
    asked, printed = timed(*ask)
    compare(json.loads(printed)["rows"], summary)
    return {
        "first pass, events/s": counted["records"] / first,
        "redelivery, events/s": counted["records"] / again,
        "redelivery against first pass, %": 100 * first / again,
        "bytes on disk per event": bytes_first / counted["accepted"],
        "open and month by team and model, ms": asked * 1000,
    }


def rating():
    """A month of 1,000,000 rollup rows, rated and allocated to 10,000 teams: milliseconds of one
    core. At most 2,000 are asked for."""
    _, printed = timed(BIN / "gauger_bench_billing", "--benchmark_format=json",
                       "--benchmark_filter=rate_and_allocate", "--benchmark_repetitions=3")
    medians = [run for run in json.loads(printed)["benchmarks"]
               if run.get("aggregate_name") == "median"]
    return medians[0]["cpu_time"]


def compare(rows, summary):
    """The ledger's sums are the generator's, to the token."""
    for meter, total in summary["total"].items():
        found = sum(row.get(meter, 0) for row in rows)
        if found != total:
            sys.exit(f"bench: {meter} is {found}, the generator made {total}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--dense", action="store_true", help="6 hours instead of 31 days")
    parser.add_argument("--format", choices=("proto", "jsonl"), default="proto")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    options = parser.parse_args()

    directory = ROOT / ".gauger/bench"
    directory.mkdir(parents=True, exist_ok=True)
    suffix = "pb" if options.format == "proto" else "jsonl"
    name = f"{options.events}-{options.seed}{'-dense' if options.dense else ''}.{suffix}"
    events, summary = directory / name, directory / f"{name}.json"
    if not summary.exists():
        print(f"generating {options.events} events", file=sys.stderr)
        timed(BIN / "gauger-load", "generate", "--events", options.events, "--seed", options.seed,
              "--format", options.format, "--output", events, "--summary", summary,
              *(["--dense"] if options.dense else []))
    expected = json.loads(summary.read_text())
    runs = []
    for run in range(options.runs):
        runs.append(one_run(events, expected, directory / "ledger"))
        print(f"run {run + 1} of {options.runs}", file=sys.stderr)
    medians = {figure: round(statistics.median(run[figure] for run in runs), 1)
               for figure in runs[0]}
    medians["1 M rows to 10,000 teams, ms"] = round(rating(), 1)
    if options.output == "json":
        print(json.dumps({"events": options.events, "seed": options.seed, "runs": options.runs,
                          "medians": medians}, indent=2))
        return
    print(f"{options.events:,} events ({options.format}{', dense' if options.dense else ''}), "
          f"medians of {options.runs} runs; sums equal the generator's")
    for figure, value in medians.items():
        print(f"  {figure:<40} {value:>14,.1f}")


main()
