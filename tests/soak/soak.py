"""Hours of everything at once: memory and descriptors stay level, every sum is the generator's.

    python3 tests/soak/soak.py --seconds 14400 --rate 5000 --directory ./soak

A real broker gets --rate records a second, in rounds. Beside them come events by HTTP, checks,
reservations (settled, cancelled, left to expire), queries and backups. Between rounds the service
is ended in order, killed, or the broker is. After each round the sums must be the generator's; at
the end `gauger verify` must find nothing. With --directory the ledger is kept, and the next run
with it goes on where this one ended; samples gather in samples.csv there.
"""
import argparse
import collections
import datetime
import http.client
import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import broker  # noqa: E402
import cli  # noqa: E402
import service  # noqa: E402

METERS = ("input_uncached", "cache_read", "output_text")
COLUMNS = ("at", "rss_mib", "descriptors", "threads", "lag", "events", "disk_mib")
QUOTAS = {
    "soak-day": "kind: quota\nid: soak-day\nscope: {team: soak}\nmeasure: tokens\n"
                "limit: 1000000000000\nwindow: day\n",
    "soak-small": "kind: quota\nid: soak-small\nscope: {team: small}\nmeasure: tokens\n"
                  "limit: 5000\nwindow: day\n",
}


def price_book(providers):
    """One price for all of a provider: the metrics page then rates the month, too."""
    return ("kind: price_book\nid: list\nversion: v1\ncurrency: USD\nprices:\n" +
            "".join(f"  - {{provider: {name}, model: '*', per: million, input_uncached: 5, "
                    "output_text: 25}\n" for name in providers))


class Clients:
    """What asks the service while it reads the topic: one thread, one request after the other."""

    def __init__(self, soak):
        self.soak = soak
        self.latencies = collections.defaultdict(list)  # milliseconds, by kind of request
        self.connection = None

    def ask(self, kind, method, path, body=None, expected=(200,)):
        running = self.soak.running
        self.connection = self.connection or running.connection()
        began = time.monotonic()
        status, answer, _ = running.ask(method, path, body, connection=self.connection)
        self.latencies[kind].append(1000 * (time.monotonic() - began))
        assert status in expected, (method, path, status, answer)
        return status, answer

    def reset(self):
        """The service is another one now."""
        if self.connection:
            self.connection.close()
        self.connection = None

    def turn(self, number):
        """A second's worth of requests."""
        names = [f"hold-{number}-{i}" for i in range(6)]
        for name in names:
            self.ask("reserve", "POST", "/v1/reservations",
                     {"id": name, "team": "soak", "counts": {"input_uncached": 500}}, (201,))
        # Two are ended by their events, two cancelled, two left to expire.
        batch = [service.event(f"http-{number}-{i}", team="soak", tokens=100) for i in range(98)]
        batch += [service.event(f"held-{number}-{i}", team="soak", tokens=100,
                                reservation_id=names[i]) for i in range(2)]
        answer = self.ask("events", "POST", "/v1/events", batch)[1]
        assert answer["accepted"] == len(batch), answer
        self.soak.state["http"] += len(batch)
        for name in names[2:4]:
            self.ask("cancel", "DELETE", f"/v1/reservations/{name}", None, (204,))
        for _ in range(20):
            self.ask("check", "POST", "/v1/quotas/check",
                     {"team": "soak", "counts": {"input_uncached": 100}})
        self.ask("refused", "POST", "/v1/reservations",
                 {"id": f"small-{number}", "team": "small", "counts": {"input_uncached": 6000}},
                 (429,))
        self.ask("usage", "GET", "/v1/usage?by=model")
        self.ask("usage of a team", "GET", "/v1/usage?by=day,model&team=soak")
        self.ask("metrics", "GET", "/metrics")


class Soak:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.ledger = directory / "ledger"
        self.backups = directory / "backups"
        self.state_file = directory / "state.json"
        first = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=20)
        self.state = {"rounds": 0, "seconds": 0, "turns": 0, "records": 0, "events": 0, "http": 0,
                      "restarts": 0, "kills": 0, "broker_kills": 0, "backups": 0,
                      "from": first.strftime("%Y-%m-%d"), "sums": {}}
        if self.state_file.exists():
            self.state = json.loads(self.state_file.read_text())
        self.before = self.state["seconds"]  # of the runs before this one
        self.samples = []
        self.ready = []  # seconds from kill -9 to ready
        self.clients = Clients(self)
        self.began = time.monotonic()

    # --- what runs ----------------------------------------------------------------------------

    def start_service(self):
        self.running = service.Service(
            self.ledger, "--kafka", self.broker.bootstrap, "--topic", "usage", "--format", "json",
            "--lag-max", "1000000000")
        threading.Thread(target=self.keep_log, args=(self.running.process.stderr,),
                         daemon=True).start()
        self.clients.reset()

    def keep_log(self, lines):
        with (self.directory / "service.log").open("a") as log:
            try:
                for line in lines:
                    log.write(line)
            except ValueError:
                pass  # closed by the one who ended the service

    def disturb(self, number):
        """One thing that goes wrong between two rounds."""
        which = number % 4
        if which == 0:
            self.running.stop()
            self.start_service()
            self.state["restarts"] += 1
        elif which == 1:
            self.broker.run("kill")
            self.broker.run("start")
            self.state["broker_kills"] += 1
        elif which == 2:
            self.running.kill()
            began = time.monotonic()
            self.start_service()
            self.ready.append(time.monotonic() - began)
            self.state["kills"] += 1

    def backup(self):
        cli.gauger("backup", "--data", self.ledger, "--to", self.backups)
        self.state["backups"] += 1

    # --- rounds -------------------------------------------------------------------------------

    def run(self):
        place = self.directory / "broker"
        is_new = not place.exists()  # another one than before counts its offsets anew
        self.broker = broker.Broker(place)
        try:
            if is_new:
                self.broker.create_topic("usage", 6)
            self.start_service()
            for name, text in QUOTAS.items():
                status = self.running.post(f"/v1/quotas/{name}", text,
                                           headers={"Content-Type": "application/yaml"})[0]
                assert status in (200, 201, 409), status
            while time.monotonic() - self.began < self.options.seconds:
                self.round()
            self.running.stop()
            self.judge()
        finally:
            self.broker.run("stop", "--keep")

    def round(self):
        number = self.state["rounds"] + 1
        path = self.directory / "round.jsonl"
        records = self.options.rate * self.options.round
        summary = self.generate(path, records, number)
        producer = self.broker.producer(
            "usage", "--format", "jsonl", "--rate", self.options.rate, "--property",
            "compression.codec=lz4", path)
        while producer.poll() is None:
            self.second()
        assert producer.returncode == 0
        self.state["rounds"] = number
        self.state["records"] += records
        self.state["events"] += summary["events"]
        for meter, value in summary["total"].items():
            self.state["sums"][meter] = self.state["sums"].get(meter, 0) + value
        self.backup()
        self.drain()
        self.check_sums(self.state["sums"])
        if number == 1:
            self.post_prices()
        self.say(number)
        self.disturb(number)
        self.state["seconds"] = self.before + int(time.monotonic() - self.began)
        self.state_file.write_text(json.dumps(self.state))

    def post_prices(self):
        rows = self.running.get("/v1/usage?by=provider")[1]["rows"]
        status, answer, _ = self.running.post(
            "/v1/terms/price_book/list", price_book(row["provider"] for row in rows),
            headers={"Content-Type": "application/yaml"})
        assert status == 201, answer

    def generate(self, path, records, seed):
        summary = path.with_suffix(".summary")
        cli.load("generate", "--events", records, "--seed", seed, "--format", "jsonl", "--from",
                 self.state["from"], "--days", "19", "--teams", "200", "--output", path,
                 "--summary", summary)
        return json.loads(summary.read_text())

    def second(self):
        until = time.monotonic() + 1
        self.state["turns"] += 1
        self.clients.turn(self.state["turns"])
        if self.state["turns"] % 10 == 0:
            self.sample()
        time.sleep(max(0, until - time.monotonic()))

    def drain(self):
        """Until all that was produced has been read: the generator's events are all there."""
        began = time.monotonic()
        while self.accepted() < self.state["events"] + self.state["http"]:
            assert time.monotonic() - began < 1200, "the lag does not drain"
            time.sleep(0.2)

    def accepted(self):
        rows = self.running.get("/v1/usage?by=provider")[1]["rows"]
        return sum(row["requests"] for row in rows)

    def sample(self):
        process = pathlib.Path(f"/proc/{self.running.process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        lag = self.running.get("/v1/status")[1]["lag_records"]
        disk = sum(file.stat().st_size for file in self.ledger.rglob("*") if file.is_file())
        self.samples.append((int(time.time()), int(status["VmRSS"].split()[0]) // 1024,
                             len(list((process / "fd").iterdir())), int(status["Threads"]), lag,
                             self.state["events"], disk >> 20))
        path = self.directory / "samples.csv"
        new = not path.exists()
        with path.open("a") as out:
            if new:
                out.write(",".join(COLUMNS) + "\n")
            out.write(",".join(map(str, self.samples[-1])) + "\n")

    def say(self, number):
        self.sample()
        _, rss, descriptors, threads, lag, _, disk = self.samples[-1]
        print(f"round {number}: {self.state['events']:,} events of the topic, "
              f"{self.state['http']:,} by HTTP; {rss} MiB, {descriptors} descriptors, {threads} "
              f"threads, {disk} MiB on disk, lag {lag:,}; sums equal", flush=True)

    # --- the verdict --------------------------------------------------------------------------

    def check_sums(self, sums):
        rows = self.running.get("/v1/usage?by=provider")[1]["rows"]
        for meter in METERS:
            mine = 100 * self.state["http"] if meter == "input_uncached" else 0
            found = sum(int(row.get(meter, 0)) for row in rows)
            assert found == sums.get(meter, 0) + mine, (meter, found, sums.get(meter, 0), mine)

    def judge(self):
        report = cli.verified(self.ledger)
        assert report["findings"] == [], report
        assert report["accepted"] == self.state["events"] + self.state["http"], report
        cli.gauger("backup", "verify", "--from", self.backups)
        quarter = max(1, len(self.samples) // 4)
        parts = [self.samples[i:i + quarter] for i in range(0, 4 * quarter, quarter)]
        memory = [int(statistics.median(row[1] for row in part)) for part in parts if part]
        descriptors = [max(row[2] for row in part) for part in parts if part]
        print(f"{self.state['seconds']} s in all: " + json.dumps(
            {key: value for key, value in self.state.items() if key != "sums"}))
        print(f"memory at most {max(row[1] for row in self.samples)} MiB, medians of the quarters "
              f"{memory}; descriptors at most, by quarter, {descriptors}")
        if self.ready:
            print(f"ready after kill -9 in {max(self.ready):.1f} s at most")
        for kind, times in sorted(self.clients.latencies.items()):
            ordered = sorted(times)
            print(f"{kind}: {len(ordered):,} requests, p50 {ordered[len(ordered) // 2]:.1f} ms, "
                  f"p99 {ordered[len(ordered) * 99 // 100]:.1f} ms, at most {ordered[-1]:.0f} ms")
        assert max(row[1] for row in self.samples) <= self.options.memory_mib
        # What a file of the store or a connection takes comes and goes; a leak only comes.
        assert descriptors[-1] <= 2 * descriptors[0] + 64, descriptors
        print("every sum the generator's; verify finds nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=14_400)
    parser.add_argument("--rate", type=int, default=5_000, help="records per second")
    parser.add_argument("--round", type=int, default=300, help="seconds between two disturbances")
    parser.add_argument("--memory-mib", type=int, default=1536, help="what memory must stay under")
    parser.add_argument("--directory", type=pathlib.Path, help="kept, and gone on with")
    options = parser.parse_args()
    if options.directory:
        options.directory.mkdir(parents=True, exist_ok=True)
        Soak(options, options.directory.resolve()).run()
        return
    with tempfile.TemporaryDirectory(prefix="gauger-soak-") as scratch:
        Soak(options, pathlib.Path(scratch)).run()


if __name__ == "__main__":
    main()
