"""Running the programs as a user does, and reading what they print."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("GAUGER_BIN", ROOT / "build/release/bin"))
TRACES = ROOT.parent / "shared/data/traces"
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def run(*command, code=0, text=True, **options):
    """Runs a command, expects its exit code, returns what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=text,
                          timeout=600, check=False, **options)
    if done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}, not {code}:\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


def gauger(*arguments, code=0):
    return run(BIN / "gauger", *arguments, code=code)


def load(*arguments):
    return run(BIN / "gauger-load", *arguments).stdout


def usage(directory, by, *arguments):
    """Rows of `gauger usage`, as the JSON gives them."""
    printed = gauger("usage", "--data", directory, "--by", by, "--output", "json", *arguments)
    return json.loads(printed.stdout)["rows"]


def sums(directory, by, meters):
    """{text or texts of `by`: [requests, meter, ...]}."""
    columns = by.split(",")
    return {
        tuple(row[c] for c in columns) if len(columns) > 1 else row[by]:
            [row["requests"], *(row.get(m, 0) for m in meters)]
        for row in usage(directory, by)
    }


def verified(directory):
    """The report of `gauger verify`, which must find nothing."""
    return json.loads(gauger("verify", "--data", directory, "--output", "json").stdout)


def ingest(directory, *arguments):
    printed = gauger("ingest", "--data", directory, "--output", "json", *arguments)
    return json.loads(printed.stdout)


# What shared/data/README.md says of each trace: requests, input, output.
TRACE_FILES = {
    "azure_llm_2023_code": ("azure", "azure_llm_2023_code.csv", 8_819, 18_059_974, 245_896),
    "azure_llm_2023_conv": ("azure", "azure_llm_2023_conv.csv", 19_366, 22_361_870, 4_088_665),
    "claude_code": ("claude-code", "cc_traces_claude_code_5000.jsonl.gz", 5_000, 1_262_069_076,
                    3_244_702),
    "mooncake": ("mooncake", "mooncake_conversation.jsonl.gz", 12_031, 144_793_823, 4_122_048),
    "burstgpt": ("burstgpt", "burstgpt_1_first400.csv", 400, 208_189, 110_612),
}


def convert_traces(directory):
    """Every real trace as JSON lines, one workload each."""
    files = []
    for name, (kind, file, *_) in TRACE_FILES.items():
        path = pathlib.Path(directory) / f"{name}.jsonl"
        path.write_text(load("convert", kind, TRACES / file, "--workload", name))
        files.append(path)
    return files


def trace_sums(directory):
    """{trace: (requests, input, output)} as a ledger shows them."""
    found = sums(directory, "workload", ["input_uncached", "cache_read", "output_text"])
    return {name: (requests, uncached + cached, output)
            for name, (requests, uncached, cached, output) in found.items()}


EXPECTED_TRACES = {name: tuple(rest) for name, (_, _, *rest) in TRACE_FILES.items()}


class CliTest(unittest.TestCase):
    """A test with a directory of its own."""

    maxDiff = None

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="gauger-test-")
        self.addCleanup(self.scratch.cleanup)
        self.directory = pathlib.Path(self.scratch.name)
        self.ledger = self.directory / "ledger"


def main(needs_traces=False):
    """Runs the module's tests; without the real data they are named as skipped."""
    if needs_traces and not TRACES.exists():
        if os.environ.get("CI") == "true":
            raise SystemExit("the real data is not beside the repository, and CI needs it")
        print("skipped: the real traces are not beside the repository")
        raise SystemExit(SKIPPED)
    unittest.main(verbosity=2)
