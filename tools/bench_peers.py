"""The same events in general databases, for ./dev bench --peers.

Each gets a CSV file of the columns that the ledger decides by, keeps an event once by its
identity, and adds what was new to hourly rollups by team, model, workload and context: the least
that would do for billing. None of them keeps a hash chain, conflicts, offsets or quarantine. What
is counted is from the CSV file to durable tables; making the file is not.
"""
import csv
import json
import os
import shutil
import subprocess
import tempfile
import time

METERS = ("input_uncached", "cache_read", "cache_write_5m", "output_text", "output_reasoning",
          "compute_us")
TEXTS = ("source", "id", "team", "project", "workload", "provider", "model", "completed_at")
COLUMNS = ", ".join([f"{name} TEXT NOT NULL" for name in TEXTS] +
                    [f"{name} BIGINT NOT NULL" for name in METERS])
NAMES = ", ".join(TEXTS + METERS)
GROUP = "team, workload, provider, model"
SUMS = ", ".join(f"sum({name}) AS {name}" for name in METERS)
ADD = ", ".join(f"{name} = rollups.{name} + excluded.{name}" for name in ("requests",) + METERS)
ROLLUPS = (f"CREATE TABLE rollups (hour TEXT, team TEXT, workload TEXT, provider TEXT, model TEXT, "
           "requests BIGINT, " + ", ".join(f"{name} BIGINT" for name in METERS) +
           f", PRIMARY KEY (hour, {GROUP}));")


def make_csv(binaries, store, options):
    path = store / f"{options.peer_events}-{options.seed}.csv"
    if path.exists():
        return path
    lines = store / f"{options.peer_events}-{options.seed}-peers.jsonl"
    subprocess.run([binaries / "gauger-load", "generate", "--events", str(options.peer_events),
                    "--seed", str(options.seed), "--format", "jsonl", "--output", lines],
                   check=True, stdout=subprocess.DEVNULL)
    with open(lines) as events, open(path.with_suffix(".part"), "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for line in events:
            event = json.loads(line)
            writer.writerow([event.get(name, "") for name in TEXTS] +
                            [event.get(name, 0) for name in METERS])
    path.with_suffix(".part").rename(path)
    lines.unlink()
    return path


def upsert(new):
    return (f"INSERT INTO rollups SELECT substr(completed_at, 1, 13) AS hour, {GROUP}, "
            f"count(*) AS requests, {SUMS} FROM {new} WHERE true GROUP BY hour, {GROUP} "
            f"ON CONFLICT (hour, {GROUP}) DO UPDATE SET {ADD};")


def sqlite(path, directory):
    """In one transaction: rows by their rowid are what was new."""
    script = (f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;\n"
              f"CREATE TABLE staged ({COLUMNS});\n"
              f"CREATE TABLE events ({COLUMNS}, UNIQUE (source, id));\n{ROLLUPS}\n"
              f".mode csv\n.import {path} staged\n"
              f"BEGIN; INSERT OR IGNORE INTO events SELECT * FROM staged;\n"
              f"{upsert('events')} DROP TABLE staged; COMMIT;\n"
              "SELECT count(*) FROM events;\n")
    done = subprocess.run(["sqlite3", f"{directory}/peer.db"], input=script, text=True, check=True,
                          capture_output=True)
    return int(done.stdout.split()[-1])


def postgresql(path, directory):
    """A server of its own, default settings; COPY, then a conflict-ignoring insert."""
    binaries = sorted(p for p in os.scandir("/usr/lib/postgresql"))[-1].path + "/bin"
    data, socket = f"{directory}/data", f"{directory}/socket"
    os.makedirs(socket)
    run = []
    if os.getuid() == 0:
        shutil.chown(directory, "postgres")
        shutil.chown(socket, "postgres")
        run = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*run, f"{binaries}/initdb", "-D", data, "-A", "trust", "-U", "bench"], **quiet)
    subprocess.run([*run, f"{binaries}/pg_ctl", "-D", data, "-w", "-l", f"{directory}/log", "-o",
                    f"-k {socket} -c listen_addresses=''", "start"], **quiet)
    try:
        script = (f"CREATE UNLOGGED TABLE staged ({COLUMNS});\n"
                  f"CREATE TABLE events ({COLUMNS}, UNIQUE (source, id));\n{ROLLUPS}\n"
                  f"\\copy staged FROM '{path}' CSV\n"
                  f"WITH new AS (INSERT INTO events SELECT * FROM staged ON CONFLICT DO NOTHING "
                  f"RETURNING *) {upsert('new')}\n"
                  "SELECT count(*) FROM events;\n")
        begin = time.monotonic()
        done = subprocess.run(["psql", "-q", "-At", "-h", socket, "-U", "bench", "postgres", "-v",
                               "ON_ERROR_STOP=1"], input=script, text=True, check=True,
                              capture_output=True)
        return int(done.stdout.split()[-1]), time.monotonic() - begin
    finally:
        subprocess.run([*run, f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "stop"],
                       **quiet)


def duckdb(path, directory, store):
    """The npm package, with a primary key."""
    modules = store / "node_modules"
    if not (modules / "@duckdb/node-api").exists():
        subprocess.run(["npm", "install", "--silent", "--prefix", store, "@duckdb/node-api"],
                       check=True, stdout=subprocess.DEVNULL)
    statements = [f"CREATE TABLE events ({COLUMNS}, PRIMARY KEY (source, id))", ROLLUPS,
                  f"INSERT OR IGNORE INTO events SELECT {NAMES} FROM read_csv('{path}', "
                  f"header=false, names={list(TEXTS + METERS)!r}, all_varchar=false, "
                  "types={'completed_at': 'VARCHAR'})",
                  upsert("events"), "CHECKPOINT"]
    script = f"""
const {{ DuckDBInstance }} = require('@duckdb/node-api');
(async () => {{
  const instance = await DuckDBInstance.create({json.dumps(f"{directory}/peer.duckdb")});
  const connection = await instance.connect();
  const begin = process.hrtime.bigint();
  for (const statement of {json.dumps(statements)}) await connection.run(statement);
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const rows = await (await connection.run('SELECT count(*) FROM events')).getRows();
  console.log(JSON.stringify({{seconds, events: Number(rows[0][0])}}));
}})();
"""
    done = subprocess.run(["node", "-e", script], check=True, capture_output=True, text=True,
                          env={**os.environ, "NODE_PATH": str(modules)})
    found = json.loads(done.stdout)
    return found["events"], found["seconds"]


def timed(peer, *arguments):
    begin = time.monotonic()
    return peer(*arguments), time.monotonic() - begin


def run(binaries, store, options, rate):
    path = make_csv(binaries, store, options)
    figures = {}
    counts = set()
    for name, peer in (("SQLite", lambda d: timed(sqlite, path, d)),
                       ("PostgreSQL", lambda d: postgresql(path, d)),
                       ("DuckDB", lambda d: duckdb(path, d, store))):
        # PostgreSQL runs as a user of its own, who must reach its directory.
        with tempfile.TemporaryDirectory(prefix="gauger-peer-", dir="/var/tmp") as directory:
            os.chmod(directory, 0o755)
            events, seconds = peer(directory)
        counts.add(events)
        figures[f"{name}, dedup and rollup: events/s"] = options.peer_events / seconds
        figures[f"against {name}: times"] = rate * seconds / options.peer_events
    if len(counts) != 1:
        raise SystemExit(f"bench: the peers disagree on how many events there are: {counts}")
    return figures
