"""The real broker and the real binary: redelivery, kills and a broker restart change nothing."""
import json
import os
import random
import subprocess
import time

import cli

KAFKA = cli.ROOT / "tools/kafka/kafka.sh"
KILLS = int(os.environ.get("GAUGER_KILLS", "50"))


class KafkaKills(cli.CliTest):
    def setUp(self):
        super().setUp()
        self.broker = self.directory / "broker"
        started = subprocess.run([KAFKA, "start", "--dir", self.broker], capture_output=True,
                                 text=True, timeout=300, check=False)
        if started.returncode == 3 and os.environ.get("CI") != "true":
            print("skipped: Kafka's jars cannot be resolved")
            os._exit(cli.SKIPPED)
        self.assertEqual(started.returncode, 0, started.stderr)
        self.addCleanup(lambda: cli.run(KAFKA, "stop", "--dir", self.broker))
        self.bootstrap = (self.broker / "bootstrap").read_text().strip()

    def create_topic(self, name, partitions):
        cli.run(KAFKA, "create-topic", name, str(partitions), "--dir", self.broker)

    def produce(self, topic, *arguments):
        return [str(cli.BIN / "gauger-load"), "produce", "--brokers", self.bootstrap, "--topic",
                topic, "--format", "jsonl", *map(str, arguments)]

    def consume(self, topic, *arguments):
        return [str(cli.BIN / "gauger"), "ingest", "--data", str(self.ledger), "--backfill",
                "--kafka", self.bootstrap, "--topic", topic, "--format", "json", *arguments]

    def redeliveries(self, files):
        """The same events three times: as they are, shuffled, and shuffled with other times."""
        lines = [line for file in files for line in file.read_text().splitlines()]
        chance = random.Random(11)
        paths = []
        for copy in range(3):
            path = self.directory / f"copy{copy}.jsonl"
            with path.open("w") as out:
                for line in lines:
                    if copy == 2:
                        event = json.loads(line)
                        event["started_at"] = event["completed_at"] = "2026-10-31T23:59:59Z"
                        line = json.dumps(event)
                    out.write(line + "\n")
            paths.append(path)
            chance.shuffle(lines)
        return paths

    def test_killed_again_and_again_with_a_broker_restart_the_sums_are_equal(self):
        files = cli.convert_traces(self.directory)
        copies = self.redeliveries(files)
        self.create_topic("usage", 12)
        # The first copy is there at once; the others come while the consumer is being killed.
        cli.run(*self.produce("usage", copies[0]))
        rate = 2 * 45_616 // max(1, KILLS // 3)
        producer = subprocess.Popen(self.produce("usage", "--rate", rate, *copies[1:]),
                                    stdout=subprocess.DEVNULL)
        chance = random.Random(3)
        for kill in range(KILLS):
            with subprocess.Popen(self.consume("usage"), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as consumer:
                time.sleep(chance.uniform(0.02, 0.6))
                consumer.kill()
            if kill == KILLS // 2:
                cli.run(KAFKA, "kill", "--dir", self.broker)
                cli.run(KAFKA, "start", "--dir", self.broker)
        self.assertEqual(producer.wait(timeout=300), 0)
        cli.run(*self.consume("usage", "--until-end"))
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)
        report = cli.verified(self.ledger)
        self.assertEqual((report["findings"], report["accepted"], report["partitions"]),
                         ([], 45_616, 12))

        # Nothing new: read again to the end, and deliver everything once more.
        cli.run(*self.consume("usage", "--until-end"))
        cli.run(*self.produce("usage", copies[0]))
        cli.run(*self.consume("usage", "--until-end"))
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)

        # A topic made anew is refused with a sentence, not read from the start.
        cli.run(KAFKA, "delete-topic", "usage", "--dir", self.broker)
        time.sleep(1)
        self.create_topic("usage", 12)
        refused = cli.run(*self.consume("usage", "--until-end"), code=1)
        self.assertIn("usage", refused.stderr)
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)


if __name__ == "__main__":
    cli.main(needs_traces=True)
