"""The API's description against the running service: schemathesis sends what the description
allows and what it forbids, with all of its checks; spectral reads the description itself. Both
live in build/tools, where `./dev setup` puts them."""
import os
import subprocess
import unittest

import cli
from service import Service

TOOLS = cli.ROOT / "build/tools"
SCHEMATHESIS = TOOLS / "venv/bin/schemathesis"
SPECTRAL = TOOLS / "npm/node_modules/.bin/spectral"
DESCRIPTION = cli.ROOT / "schemas/openapi.yaml"
SECONDS = os.environ.get("GAUGER_SCHEMATHESIS_SECONDS", "40")


class Description(cli.CliTest):
    @unittest.skipUnless(SCHEMATHESIS.exists(), "schemathesis is not installed: ./dev setup")
    def test_the_service_does_what_its_description_says(self):
        token = cli.gauger("token", "create", "--data", self.ledger, "--name", "root", "--role",
                           "admin").stdout.strip()
        with Service(self.ledger) as service:
            done = subprocess.run(
                ["nice", str(SCHEMATHESIS), "--config-file",
                 str(cli.ROOT / "tests/integration/schemathesis.toml"), "run", str(DESCRIPTION),
                 "--url", service.url, "--header", f"Authorization: Bearer {token}",
                 "--checks", "all", "--phases", "examples,coverage,fuzzing",
                 "--max-time", SECONDS, "--continue-on-failure"],
                cwd=self.directory, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout[-20_000:] + done.stderr)
            self.assertEqual(service.get("/livez")[0], 200)
            print(next(line for line in reversed(done.stdout.splitlines()) if "generated" in line))

    @unittest.skipUnless(SPECTRAL.exists(), "spectral is not installed: ./dev setup")
    def test_spectral_finds_no_error_in_the_description(self):
        rules = self.directory / "rules.yaml"
        rules.write_text('extends: ["spectral:oas"]\n')
        cli.run(str(SPECTRAL), "lint", "-r", str(rules), "--fail-severity", "error",
                str(DESCRIPTION))


if __name__ == "__main__":
    if os.environ.get("CI") == "true" and not (SCHEMATHESIS.exists() and SPECTRAL.exists()):
        raise SystemExit("schemathesis and spectral are not installed: ./dev setup")
    if not SCHEMATHESIS.exists() and not SPECTRAL.exists():
        print("skipped: neither schemathesis nor spectral is installed: ./dev setup")
        raise SystemExit(cli.SKIPPED)
    cli.main()
