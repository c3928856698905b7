"""The real broker and the real binary: redelivery, kills and a broker restart change nothing."""
import json
import os
import random
import subprocess
import time

import broker
import cli

KILLS = int(os.environ.get("GAUGER_KILLS", "50"))


class KafkaKills(cli.CliTest):
    def setUp(self):
        super().setUp()
        self.broker = broker.Broker(self.directory / "broker")
        self.addCleanup(self.broker.stop)

    def produce(self, topic, *arguments):
        producer = self.broker.producer(topic, "--format", "jsonl", *arguments)
        self.assertEqual(producer.wait(timeout=300), 0)

    def consume(self, topic, *arguments):
        return [str(cli.BIN / "gauger"), "ingest", "--data", str(self.ledger), "--backfill",
                "--kafka", self.broker.bootstrap, "--topic", topic, "--format", "json", *arguments]

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
        self.broker.create_topic("usage", 12)
#The first copy is there at once; the others come while the consumer is being killed.
        self.produce("usage", copies[0])
        rate = 2 * 45_616 // max(1, KILLS // 3)
        producer = self.broker.producer("usage", "--format", "jsonl", "--rate", rate, *copies[1:])
        chance = random.Random(3)
        for kill in range(KILLS):
            with subprocess.Popen(self.consume("usage"), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as consumer:
                time.sleep(chance.uniform(0.02, 0.6))
                consumer.kill()
            if kill == KILLS // 2:
                self.broker.run("kill")
                self.broker.run("start")
        self.assertEqual(producer.wait(timeout=300), 0)
        cli.run(*self.consume("usage", "--until-end"))
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)
        report = cli.verified(self.ledger)
        self.assertEqual((report["findings"], report["accepted"], report["partitions"]),
                         ([], 45_616, 12))

#Nothing new : read again to the end, and deliver everything once more.
        cli.run(*self.consume("usage", "--until-end"))
        self.produce("usage", copies[0])
        cli.run(*self.consume("usage", "--until-end"))
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)

#A topic made anew is refused with a sentence, not read from the start.
        self.broker.run("delete-topic", "usage")
        time.sleep(1)
        self.broker.create_topic("usage", 12)
        refused = cli.run(*self.consume("usage", "--until-end"), code=1)
        self.assertIn("usage", refused.stderr)
        self.assertEqual(cli.trace_sums(self.ledger), cli.EXPECTED_TRACES)


if __name__ == "__main__":
    cli.main(needs_traces=True)
