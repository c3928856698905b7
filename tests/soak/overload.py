"""Twice as much as the service can take: memory stays bounded, lag grows and drains, nothing is lost.

    python3 tests/soak/overload.py --seconds 1200 --rate 40000

A real broker gets --rate records a second. The service is stopped whenever it has taken more than
half of them; then it runs freely and catches up. Memory, lag and block are sampled
all along. At the end the sums must be the generator's and `gauger verify` must find nothing.
"""
import argparse
import json
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import broker  # noqa: E402
import cli  # noqa: E402
import service  # noqa: E402

SLICE_S = 0.02


class Overload:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.events = directory / "events.jsonl"
        self.samples = []

    def generate(self, path, events, seed):
        summary = path.with_suffix(".summary")
        cli.load("generate", "--events", events, "--seed", seed, "--format", "jsonl", "--from",
                 "2026-10-01", "--days", "20", "--teams", "200", "--output", path, "--summary",
                 summary)
        return json.loads(summary.read_text())

    def serve(self, ledger, topic):
        return service.Service(ledger, "--kafka", self.broker.bootstrap, "--topic", topic, "--format",
                               "json", "--now", "2026-10-21T00:00:00Z", "--lag-max", "1000000000")

    def sample(self, running):
        rss = 0
        for line in pathlib.Path(f"/proc/{running.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                rss = int(line.split()[1]) // 1024
        status = running.get("/v1/status")[1]
        self.samples.append((time.monotonic(), rss, status["lag_records"]))
        return status

    @staticmethod
    def taken(running):
        text = running.get("/metrics")[1]
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("gauger_records_total{"))

    def run(self):
        options = self.options
        self.broker = broker.Broker(self.directory / "broker")
        try:
            records = options.rate * options.seconds
            summary = self.generate(self.events, records, 1)
            ledger = self.directory / "ledger"
            # The topic is there before the service asks for it.
            self.broker.create_topic("usage", 6)
            with self.serve(ledger, "usage") as running:
                lag_max = self.overload(running)
                drained = self.drain(running, records)
        finally:
            self.broker.stop()
        self.judge(ledger, summary, lag_max, drained)

    def overload(self, running):
        """Holds the service at half of what is produced: it sleeps whenever it is ahead of that.

        It runs in slices so short that it never catches up with the topic.
        """
        producer = self.broker.producer(
            "usage", "--partitions", 6, "--format", "jsonl", "--rate", self.options.rate,
            "--property", "compression.codec=lz4", self.events)
        began = time.monotonic()
        seen = []  # seconds since then, records taken
        while producer.poll() is None:
            self.sample(running)
            taken = self.taken(running)
            elapsed = time.monotonic() - began
            seen.append((elapsed, taken))
            ahead = taken / (self.options.rate / 2) - elapsed
            if ahead > 0:
                running.process.send_signal(signal.SIGSTOP)
                self.sleep(ahead, producer)
                seen.append((time.monotonic() - began, taken))
                running.process.send_signal(signal.SIGCONT)
            time.sleep(SLICE_S)
        assert producer.returncode == 0
        # A busy machine produces slower than it was asked to.
        ended = time.monotonic() - began
        produced = self.options.rate * self.options.seconds
        return int(max(produced * min(at / ended, 1) - taken for at, taken in seen))

    @staticmethod
    def sleep(seconds, producer):
        until = time.monotonic() + seconds
        while time.monotonic() < until and producer.poll() is None:
            time.sleep(0.1)

    def drain(self, running, records):
        began = time.monotonic()
        while self.sample(running)["lag_records"] != 0 or self.taken(running) < records:
            assert time.monotonic() - began < 3600, "the lag does not drain"
            time.sleep(0.2)
        return time.monotonic() - began

    def judge(self, ledger, summary, lag_max, drained):
        options = self.options
        memory = max(rss for _, rss, _ in self.samples)
        records = options.rate * options.seconds
        print(f"{records:,} records at {options.rate:,} a second, of which the service was let take "
              f"half\nmemory at most {memory} MiB, lag at most {lag_max:,} records, drained in "
              f"{drained:.0f} s")
        assert lag_max > records // 8, "the service was not overloaded"
        assert memory <= options.memory_mib, f"{memory} MiB is above {options.memory_mib}"
        report = cli.verified(ledger)
        assert report["findings"] == []
        rows = cli.usage(ledger, "provider")
        found = sum(row["requests"] for row in rows)
        assert report["accepted"] == summary["events"], report
        for meter, expected in summary["total"].items():
            assert sum(row.get(meter, 0) for row in rows) == expected, meter
        print(f"{found:,} requests counted, every sum the generator's; verify finds nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=1200)
    parser.add_argument("--rate", type=int, default=40_000, help="records per second")
    parser.add_argument("--memory-mib", type=int, default=1024, help="what memory must stay under")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gauger-overload-") as scratch:
        Overload(options, pathlib.Path(scratch)).run()


if __name__ == "__main__":
    main()
