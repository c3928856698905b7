#!/usr/bin/env python3
"""Figures of the running service: HTTP ingest in synced batches of 1,000, and quota checks at a
steady rate over keep-alive connections while ingest runs at half of what it can.

  ./dev bench serve                 # build/release; about a minute
  tools/bench_serve.py --bin build/test/bin --seconds 5

Ingest is acknowledged only once it is durable. Checks are sent at an open rate, one every 50 us,
by gauger-bench-checks (tests/bench/checks): the time of each counts from when it was due. h2load,
where it is installed, sends at the same mean rate beside it; it wakes each connection every ten
milliseconds and sends what is due then at once, so its times hold the wait behind its own burst.
Those who send events yield to those who are measured, as if they were other machines.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BATCH = 1000
QUOTA = "kind: quota\nid: {id}\nscope: {{team: {team}}}\nmeasure: tokens\nlimit: 1000000000000\nwindow: month\n"
CHECK = {"team": "team-3", "project": "p1", "provider": "anthropic", "model": "claude-opus-4-7",
         "counts": {"input_uncached": 4000, "output_text": 800}}


class Service:
    def __init__(self, binary, directory):
        self.process = subprocess.Popen(
            [str(binary / "gauger"), "serve", "--data", str(directory / "ledger"), "--listen",
             "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", line).group(1))

    def post(self, path, body, kind="application/json", connection=None):
        own = connection is None
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        if own:
            connection.close()
        return answer.status, text

    def stop(self):
        self.process.terminate()
        self.process.wait()


def batches(tag, count):
    """Bodies of 1,000 events each, never the same identity twice."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    template = ('{{"source":"gateway","id":"{tag}-{{n}}","completed_at":"{now}","team":"team-{{t}}",'
                '"project":"p{{p}}","provider":"anthropic","model":"claude-opus-4-7",'
                '"input_uncached":1200,"cache_read":30000,"output_text":400}}').format(tag=tag, now=now)
    template = template.replace("{{", "{").replace("}}", "}")
    for b in range(count):
        yield ("[" + ",".join(
            template.replace("{n}", str(b * BATCH + i)).replace("{t}", str(i % 50))
            .replace("{p}", str(i % 7)) for i in range(BATCH)) + "]").encode()


def yield_to_others():
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def ingest(service, bodies, clients, rate=None, stop=None):
    """Events per second, and the milliseconds that each batch took."""
    waiting = iter(bodies)
    lock = threading.Lock()
    times = []
    begin = time.perf_counter()
    sent = 0

    def client():
        nonlocal sent
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        while not (stop and stop.is_set()):
            with lock:
                body = next(waiting, None)
                sent += 1
                due = begin + (sent - 1) * BATCH / rate if rate else 0
            if body is None:
                return
            if due > time.perf_counter():
                time.sleep(due - time.perf_counter())
            at = time.perf_counter()
            status, text = service.post("/v1/events", body, connection=connection)
            assert status == 200 and json.loads(text)["accepted"] == BATCH, text[:300]
            times.append((time.perf_counter() - at) * 1000)

    with concurrent.futures.ThreadPoolExecutor(clients, initializer=yield_to_others) as pool:
        for done in [pool.submit(client) for _ in range(clients)]:
            done.result()
    return len(times) * BATCH / (time.perf_counter() - begin), sorted(times)


def check_body(directory):
    body = directory / "check.json"
    body.write_text(json.dumps(CHECK))
    return body


def checks(service, directory, options):
    """What gauger-bench-checks measured: rate, p50, p99, p999, max, in microseconds."""
    done = subprocess.run(
        [str(options.bin / "gauger-bench-checks"), str(service.port), str(options.rate),
         str(options.seconds), str(options.connections), str(check_body(directory))],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def bursts(service, directory, options):
    """The same by h2load, which sends in bursts."""
    if not shutil.which("h2load"):
        return None
    log = directory / "h2load.log"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        ["h2load", "--h1", "-c", str(options.connections), "-t", "1", "--rps",
         str(options.rate // options.connections), "-D", str(options.seconds), "--warm-up-time",
         "1", "-d", str(check_body(directory)), "-H", "Content-Type: application/json",
         "--log-file", str(log), f"http://127.0.0.1:{service.port}/v1/quotas/check"],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr + done.stdout)
    times = []
    for line in log.read_text().splitlines():
        _, status, microseconds = line.split("\t")[:3]
        assert status == "200", line
        times.append(int(microseconds))
    times.sort()
    return {"rate": len(times) / options.seconds, "p50": quantile(times, 0.5),
            "p99": quantile(times, 0.99), "p999": quantile(times, 0.999), "max": times[-1]}


def show(what, by, measured):
    if measured:
        print(f"quota checks {what}, by {by}: {measured['rate']:,.0f}/s, p50 {measured['p50']} us, "
              f"p99 {measured['p99']} us, p99.9 {measured['p999']} us, max {measured['max']} us",
              flush=True)


def quantile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=20_000, help="checks per second")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8, help="that send events")
    parser.add_argument("--batches", type=int, default=1000, help="of the full rate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gauger-bench-") as scratch:
        directory = pathlib.Path(scratch)
        service = Service(options.bin, directory)
        try:
            for team in range(50):
                service.post(f"/v1/quotas/q{team}", QUOTA.format(id=f"q{team}", team=f"team-{team}"),
                             "application/yaml")
            bodies = list(batches("full", options.batches))
            full, times = ingest(service, bodies, options.clients)
            print(f"ingest over HTTP, batches of {BATCH}, durable: {full:,.0f} events/s, "
                  f"p50 {quantile(times, 0.5):.0f} ms, p99 {quantile(times, 0.99):.0f} ms")
            show("alone", "open rate", checks(service, directory, options))
            show("alone", "h2load", bursts(service, directory, options))
            half = int(full / 2)
            for by, measure in (("open rate", checks), ("h2load", bursts)):
                stop = threading.Event()
                bodies = list(batches(f"half-{by}", half * (options.seconds + 4) // BATCH + 1))
                rates = []
                beside = threading.Thread(target=lambda: rates.append(
                    ingest(service, bodies, options.clients, half, stop)[0]))
                beside.start()
                time.sleep(1)
                measured = measure(service, directory, options)
                stop.set()
                beside.join()
                show(f"beside ingest at {rates[0]:,.0f} events/s", by, measured)
            print(f"{os.cpu_count()} cores, shared by the service and its clients")
        finally:
            service.stop()


if __name__ == "__main__":
    main()
