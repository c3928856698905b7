"""Quotas by the command line: posted, counted, refused, removed."""
import datetime
import json
import tempfile
import unittest

import cli
from cli import gauger

QUOTA = """kind: quota
id: search-month
scope: {team: search}
measure: tokens
limit: 4000
window: month
"""


class QuotaTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.data = f"{self.scratch.name}/ledger"
        self.addCleanup(self.scratch.cleanup)
        now = datetime.datetime.now(datetime.timezone.utc)
        events = [{"source": "s", "id": str(i), "completed_at": now.isoformat(), "team": team,
                   "provider": "anthropic", "model": "claude-opus", "input_uncached": 1000,
                   "output_text": 100} for i, team in enumerate(["search", "search", "ads"])]
        path = f"{self.scratch.name}/events.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)
        gauger("ingest", "--data", self.data, path)
        self.quota = f"{self.scratch.name}/quota.yaml"
        self.write(QUOTA)

    def write(self, text):
        with open(self.quota, "w", encoding="utf-8") as file:
            file.write(text)

    def balances(self):
        printed = gauger("quota", "list", "--data", self.data, "--output", "json").stdout
        return {quota["quota"]: quota for quota in json.loads(printed)["quotas"]}

    def check(self, tokens, code):
        printed = gauger("quota", "check", "--data", self.data, "--team", "search", "--amount",
                         f"input_uncached={tokens}", "--output", "json", code=code).stdout
        return json.loads(printed)

    def test_what_was_used_counts_and_the_limit_refuses(self):
        gauger("quota", "post", "--data", self.data, self.quota, "--author", "ada")
        self.assertEqual(self.balances()["search-month"]["used"], "2200")
        self.assertTrue(self.check(1800, code=0)["allowed"])
        refused = self.check(1801, code=1)
        self.assertFalse(refused["allowed"])
        self.assertEqual(refused["quotas"][0]["limit"], "4000")
        self.write(QUOTA.replace("4000", "4001"))
        gauger("quota", "post", "--data", self.data, self.quota)
        self.assertTrue(self.check(1801, code=0)["allowed"])
        gauger("quota", "remove", "--data", self.data, "search-month")
        self.assertEqual(self.balances(), {})
        gauger("quota", "remove", "--data", self.data, "search-month", code=1)
        report = json.loads(gauger("verify", "--data", self.data, "--output", "json").stdout)
        self.assertEqual((report["documents"], report["findings"]), (3, []))

    def test_a_quota_off_the_ledgers_grain_is_refused_by_name(self):
        self.write(QUOTA + "time_zone: Asia/Kathmandu\n")
        refused = gauger("quota", "post", "--data", self.data, self.quota, code=2)
        self.assertIn("Asia/Kathmandu", refused.stderr)
        self.assertEqual(self.balances(), {})


if __name__ == "__main__":
    cli.main()
