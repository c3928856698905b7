"""Prometheus as the judge of the metrics page, the rules and the dashboard: a real one scrapes a
running service, and every panel's query has to find data."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import cli
from savings_quarter import BOUNDARY, DOCUMENTS, Traffic, as_sent
from service import Service, event

SHIPPED = cli.ROOT / "exporters/prometheus"
DASHBOARD = SHIPPED / "grafana/dashboards/gauger.json"
NOW = "2027-02-05T12:00:00Z"
QUOTA = "kind: quota\nid: ads-day\nscope: {team: ads}\nmeasure: tokens\nlimit: 1000000\nwindow: day\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expressions():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "10s")


@unittest.skipUnless(shutil.which("prometheus") and shutil.which("promtool"),
                     "prometheus is not installed")
class Prometheus(cli.CliTest):
    def setUp(self):
        super().setUp()
        terms = []
        for name, text in DOCUMENTS.items():
            (self.directory / name).write_text(text)
            terms.append(self.directory / name)
        traffic = Traffic(20270101)
        events = self.directory / "events.jsonl"
        events.write_text("".join(json.dumps(as_sent(e)) + "\n"
                                  for e in traffic.on_time + traffic.late))
        cli.ingest(self.ledger, "--backfill", "--now", "2027-02-03T00:00:00Z", events,
                   "--context-boundaries", BOUNDARY)
        cli.gauger("terms", "post", "--data", self.ledger, "--by", "ada", *terms)

    def feed(self, service):
        """This month's usage: some that is priced, some that is not, some that takes time."""
        events = [event(f"now-{i}", "ads", completed_at=NOW, provider=provider, model=model, **more)
                  for i, (provider, model, more) in enumerate([
                      ("frontier", "teacher", {"output_text": 50}),
                      ("frontier", "nobody-prices-this", {}),
                      ("in-house", "small-a", {"accelerator": "h100", "compute_us": 5_000_000})])]
        status, receipt, _ = service.post("/v1/events", events)
        self.assertEqual((status, receipt["accepted"]), (200, 3), receipt)
        self.assertEqual(service.post("/v1/quotas/ads-day", QUOTA,
                                      headers={"Content-Type": "application/yaml"})[0], 201)

    def test_every_panel_of_the_dashboard_finds_data(self):
        with Service(self.ledger, "--now", NOW) as service:
            self.feed(service)
            page = service.get("/metrics")[1]
            checked = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                                     capture_output=True)
            self.assertEqual(checked.returncode, 0, checked.stderr + checked.stdout)
            self.scrape_and_ask(service)

    def scrape_and_ask(self, service):
        port = free_port()
        config = self.directory / "prometheus.yaml"
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{SHIPPED / 'rules.yaml'}']\n"
            "scrape_configs:\n  - job_name: gauger\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{service.port}']}}]\n")
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
             f"--storage.tsdb.path={self.directory / 'tsdb'}", "--log.level=error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def ask(query):
                url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode(
                    {"query": query})
                try:
                    with urllib.request.urlopen(url, timeout=10) as answer:
                        return json.load(answer)["data"]["result"]
                except OSError:
                    return []

            deadline = time.time() + 60
            missing = dict.fromkeys(expressions())
            while missing and time.time() < deadline:
                time.sleep(1)
                service.get("/v1/usage")
                missing = {key: None for key in missing if not ask(key[1])}
            self.assertEqual(list(missing), [])
            self.assertEqual(ask('up{job="gauger"}')[0]["value"][1], "1")
        finally:
            prometheus.terminate()
            prometheus.wait()


@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
class Rules(unittest.TestCase):
    def test_promtool_accepts_rules_and_their_tests(self):
        for arguments in (["check", "rules", SHIPPED / "rules.yaml"],
                          ["test", "rules", SHIPPED / "rules_test.yaml"],
                          ["check", "config", "--syntax-only", SHIPPED / "prometheus.yaml"]):
            cli.run("promtool", *arguments)


if __name__ == "__main__":
    if os.environ.get("CI") == "true" and not shutil.which("promtool"):
        raise SystemExit("promtool is not installed: ./dev setup")
    cli.main()
