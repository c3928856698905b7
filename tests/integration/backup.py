"""A ledger's second life: backed up while it is written, lost, restored, and billed from again."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import cli
import invoices


class Backup(invoices.Invoices):
    def setUp(self):
        super().setUp()
        self.backups = self.directory / "backups"

    def backup(self, code=0):
        return cli.gauger("backup", "--data", self.ledger, "--to", self.backups, "--output", "json",
                          code=code)

    def restore(self, *arguments, code=0):
        return cli.gauger("restore", "--from", self.backups, "--data", self.ledger, "--output",
                          "json", "--now", "2026-10-02T00:00:00Z", *arguments, code=code)

    def all_usage(self):
        return cli.usage(self.ledger, "team,model,workload,outcome")

    def test_backups_of_a_ledger_that_is_written_are_whole_though_they_are_killed(self):
        chance = random.Random(4)
        events = [invoices.event(i, f"2026-09-{1 + i % 28:02}T10:00:00Z", f"team-{i % 7}")
                  for i in range(60_000)]
        with subprocess.Popen([cli.BIN / "gauger", "ingest", "--data", self.ledger, "--now",
                               "2026-09-29T00:00:00Z", "--format", "json", "-"],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              text=True) as writer:
            for i in range(0, len(events), 1000):
                writer.stdin.write("".join(json.dumps(one) + "\n" for one in events[i:i + 1000]))
                writer.stdin.flush()
                time.sleep(0.06)
                if i < 3000:
                    continue
                with subprocess.Popen([cli.BIN / "gauger", "backup", "--data", self.ledger, "--to",
                                       self.backups], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE) as backup:
                    if i % 4000 != 0:
                        time.sleep(chance.uniform(0, 0.05))
                        backup.kill()
                    elif backup.wait() != 0:
                        self.fail(backup.stderr.read())
            writer.stdin.close()
            self.assertEqual(writer.wait(), 0)
        last = json.loads(self.backup().stdout)
        cli.gauger("backup", "verify", "--from", self.backups)
        before = self.all_usage()
        head = cli.verified(self.ledger)
        self.assertEqual((last["sequence"], last["head"]), (head["sequence"], head["hash"]))
        names = [path.name for path in self.backups.iterdir()]
        self.assertEqual([name for name in names if name.endswith(".partial")], [])

        # Every backup that is listed restores to what the ledger held then.
        listed = json.loads(cli.gauger("backup", "list", "--from", self.backups, "--output",
                                       "json").stdout)
        self.assertGreater(len(listed), 5)
        shutil.rmtree(self.ledger)
        for backup in (listed[0], listed[len(listed) // 2], listed[-1]):
            restored = json.loads(self.restore("--id", str(backup["number"])).stdout)
            self.assertEqual(restored["accepted"], backup["accepted"])
            self.assertEqual(cli.verified(self.ledger)["findings"], [])
            if backup is not listed[-1]:
                shutil.rmtree(self.ledger)
        self.assertEqual(self.all_usage(), before)
        refused = self.restore(code=1)
        self.assertIn("is not empty", refused.stderr)

        # What comes again is known, what is new is counted.
        path = self.write("again.jsonl", "".join(json.dumps(one) + "\n" for one in events[:5000]))
        report = cli.ingest(self.ledger, "--now", "2026-09-29T00:00:00Z", path)
        self.assertEqual((report["accepted"], report["duplicate"]), (0, 5000))

    def test_a_restore_that_is_killed_leaves_no_ledger_behind(self):
        self.september()
        self.backup()
        shutil.rmtree(self.ledger)
        chance = random.Random(9)
        for _ in range(12):
            with subprocess.Popen([cli.BIN / "gauger", "restore", "--from", self.backups, "--data",
                                   self.ledger], stdout=subprocess.DEVNULL) as restore:
                time.sleep(chance.uniform(0, 0.08))
                restore.kill()
            if self.ledger.exists():
                self.assertEqual(cli.verified(self.ledger)["findings"], [])
                shutil.rmtree(self.ledger)
        self.restore()
        self.assertEqual(cli.verified(self.ledger)["accepted"], 16)

    def test_no_number_is_given_twice_after_a_restore(self):
        self.september()
        self.posted_issuer()
        self.finalize("2026-09", "2026-10-01T00:00:00Z", "--bill-to", "research")
        self.backup()
        self.finalize("2026-09", "2026-10-01T01:00:00Z", "--bill-to", "ads")
        self.ingest("2026-10-02T00:00:00Z",
                    invoices.event(50, "2026-10-01T10:00:00Z", "ads"))
        self.finalize("2026-10", "2026-11-01T00:00:00Z", "--bill-to", "ads")
        bundles = [self.export(number, "bundle") for number in ("2", "3")]
        gone = {number: self.shown(number) for number in ("1", "2", "3")}

        shutil.rmtree(self.ledger)
        self.restore()
        refused = self.finalize("2026-09", "2026-10-03T00:00:00Z", "--bill-to", "ads", code=1)
        self.assertIn("confirm-numbers", refused.stderr)
        confirm = ("confirm-numbers", "--by", "ada", "--now", "2026-11-02T00:00:00Z")
        lacking = self.invoice(*confirm, "--last", "LF-000003", code=1)
        self.assertIn("LF-000002 to LF-000003 left the house", lacking.stderr)
        beyond = self.invoice(*confirm, "--last", "0", code=1)
        self.assertIn("beyond", beyond.stderr)
        self.invoice(*confirm, "--last", "LF-3x", code=2)
        wrong = self.invoice(*confirm, "--last", "3", bundles[1], code=1)
        self.assertIn("the next number here is LF-000002", wrong.stderr)
        done = self.invoice(*confirm, "--last", "LF-000003", *bundles)
        self.assertIn("the next number of larkfield is LF-000004", done.stdout)
        for number, text in gone.items():
            self.assertEqual(self.shown(number), text)
        cli.verified(self.ledger)
        again = self.finalize("2026-09", "2026-11-03T00:00:00Z", "--bill-to", "ads", code=1)
        self.assertIn("is finalized as LF-000002", again.stderr)
        self.ingest("2026-11-04T00:00:00Z", invoices.event(60, "2026-11-03T10:00:00Z", "ads"))
        done = self.finalize("2026-11", "2026-12-01T00:00:00Z", "--bill-to", "ads").stdout
        self.assertIn("LF-000004", done)

    def test_a_rebuild_that_is_killed_is_finished_by_the_next_start(self):
        self.september()
        before = self.all_usage()
        chance = random.Random(2)
        for _ in range(12):
            with subprocess.Popen([cli.BIN / "gauger", "rebuild", "--data", self.ledger],
                                  stdout=subprocess.DEVNULL) as rebuild:
                time.sleep(chance.uniform(0, 0.06))
                rebuild.kill()
            self.assertEqual(self.all_usage(), before)
        printed = cli.gauger("rebuild", "--data", self.ledger)
        self.assertIn("what stood there was the same", printed.stdout)
        cli.gauger("rebuild", "--data", self.ledger, "--time-zone", "Asia/Kolkata")
        cli.gauger("rebuild", "--data", self.ledger, "--time-zone", "Nowhere/City", code=2)
        self.assertEqual(self.all_usage(), before)
        cli.verified(self.ledger)

    def test_a_retention_that_is_killed_is_finished_by_the_next(self):
        for day in range(1, 9):
            self.ingest(f"2026-09-{day:02}T12:00:00Z",
                        *[invoices.event(100 * day + i, f"2026-09-{day:02}T10:00:00Z")
                          for i in range(20)])
        self.posted_issuer()
        before = self.all_usage()
        command = [cli.BIN / "gauger", "retain", "--data", self.ledger, "--before", "2026-09-05",
                   "--archive", self.directory / "archive", "--now", "2026-09-21T00:00:00Z",
                   "--output", "json"]
        for point in ("before_cut", "blocks_removed"):
            killed = subprocess.run(command, env={**os.environ, "GAUGER_CRASH_AT": point},
                                    capture_output=True, check=False)
            self.assertEqual(killed.returncode, -signal.SIGKILL, point)
            self.assertEqual(cli.verified(self.ledger)["findings"], [])
            self.assertEqual(self.all_usage(), before)
        cli.run(*command)
        report = cli.verified(self.ledger)
        self.assertEqual((report["archived_through"], report["findings"]), (4, []))
        self.assertEqual(self.all_usage(), before)
        refused = cli.gauger("rebuild", "--data", self.ledger, code=1)
        self.assertIn("--archive", refused.stderr)
        cli.gauger("rebuild", "--data", self.ledger, "--archive", self.directory / "archive")
        self.assertEqual(self.all_usage(), before)
        again = [invoices.event(205, "2026-09-02T10:00:00Z")]
        self.ingest("2026-09-21T00:00:00Z", *again)
        self.assertEqual(self.all_usage(), before)

    def test_rollups_that_are_gathered_survive_kills_and_answer_days_and_months(self):
        for day in range(1, 9):
            self.ingest(f"2026-06-{day:02}T12:00:00Z",
                        *[invoices.event(1000 * day + i, f"2026-06-{day:02}T{i:02}:10:00Z")
                          for i in range(12)])
        for day in range(1, 9):
            self.ingest(f"2026-09-{day:02}T12:00:00Z",
                        *[invoices.event(100_000 * day + i, f"2026-09-{day:02}T{i:02}:10:00Z")
                          for i in range(12)])

        def answers():
            return [cli.usage(self.ledger, by) for by in
                    ("team,model", "day,team,workload,outcome", "month", "model,day")]
        before = answers()
        command = [cli.BIN / "gauger", "retain", "--data", self.ledger, "--archive",
                   self.directory / "archive", "--now", "2026-09-21T00:00:00Z", "--output", "json",
                   "--before"]
        cli.run(*command, "2026-06-04")
        command += ["2026-09-05", "--rollups-before", "2026-06-07"]
        for point in ("before_cut", "after_cut", "blocks_removed", "day_gathered",
                      "day_gathered:3", "days_gathered"):
            killed = subprocess.run(command, env={**os.environ, "GAUGER_CRASH_AT": point},
                                    capture_output=True, check=False)
            self.assertEqual(killed.returncode, -signal.SIGKILL, point)
            self.assertEqual(cli.verified(self.ledger)["findings"], [])
            self.assertEqual(answers(), before)
        done = json.loads(cli.run(*command).stdout)
        self.assertEqual(done["fine_rollups_from"], "2026-06-07T00:00:00Z")
        self.assertEqual(done["days_gathered"], 0)
        report = cli.verified(self.ledger)
        self.assertEqual((report["fine_rollups_from"], report["findings"]),
                         ("2026-06-07T00:00:00Z", []))
        self.assertEqual(answers(), before)
        refused = cli.gauger("usage", "--data", self.ledger, "--by", "hour", "--period",
                             "2026-06-03", code=1)
        self.assertIn("2026-06-03 is kept by whole days", refused.stderr)
        cli.usage(self.ledger, "hour", "--period", "2026-06-08")
        cli.gauger("retain", "--data", self.ledger, "--archive", self.directory / "archive",
                   "--before", "2026-09-05", "--rollups-before", "soon", code=2)


if __name__ == "__main__":
    cli.main()
