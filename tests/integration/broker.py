"""A real Kafka broker of a test's own, in a directory of its own."""
import os
import subprocess

import cli

KAFKA = cli.ROOT / "tools/kafka/kafka.sh"


class Broker:
    """Started at once. Without Kafka's jars the test is named as skipped, with CI=true it fails."""

    def __init__(self, directory):
        self.directory = directory
        started = subprocess.run([KAFKA, "start", "--dir", directory], capture_output=True,
                                 text=True, timeout=300, check=False)
        if started.returncode == 3 and os.environ.get("CI") != "true":
            print("skipped: Kafka's jars cannot be resolved")
            os._exit(cli.SKIPPED)
        assert started.returncode == 0, started.stderr
        self.bootstrap = (directory / "bootstrap").read_text().strip()

    def run(self, *arguments):
        """A command of tools/kafka/kafka.sh: create-topic NAME PARTITIONS, kill, start, ..."""
        cli.run(KAFKA, *arguments, "--dir", self.directory)

    def create_topic(self, name, partitions):
        self.run("create-topic", name, str(partitions))

    def producer(self, topic, *arguments):
        """A running `gauger-load produce`; its arguments are options and files."""
        return subprocess.Popen(
            [str(cli.BIN / "gauger-load"), "produce", "--brokers", self.bootstrap, "--topic", topic,
             *map(str, arguments)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        subprocess.run([KAFKA, "stop", "--dir", self.directory], check=False,
                       stdout=subprocess.DEVNULL)
