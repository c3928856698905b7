"""Running `gauger serve` and asking it, as other programs would."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

from cli import BIN, gauger


class Service:
    """A running service. Use as a context; ends it gracefully and expects that to work."""

    def __init__(self, data, *arguments, scheme="http", environment=None):
        self.process = subprocess.Popen(
            [str(BIN / "gauger"), "serve", "--data", str(data), "--listen", "127.0.0.1:0",
             *[str(a) for a in arguments]],
            stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        self.scheme = scheme
        self.token = None
        self.lines = []
        self.port = None
        while self.port is None:
            line = self.process.stderr.readline()
            if not line:
                raise AssertionError(f"the service did not start: {self.lines}")
            self.lines.append(line)
            found = re.search(r"on 127\.0\.0\.1:(\d+)", line)
            self.port = int(found.group(1)) if found else None
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.wait_ready()

    def wait_ready(self):
        for _ in range(500):
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the service did not become ready")

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, headers=None, connection=None):
        """(status, parsed JSON or text, headers)"""
        own = connection is None
        connection = connection or self.connection()
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        if own:
            connection.close()
        if "json" in (response.getheader("Content-Type") or ""):
            text = json.loads(text)
        return response.status, text, response.headers

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body, **options):
        return self.ask("POST", path, body, **options)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.lines += self.process.stderr.readlines()
        self.process.stderr.close()
        if code != 0:
            raise AssertionError(f"the service ended with {code}: {self.lines}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is not None:
            return
        if kind is None:
            self.stop()
        else:
            self.kill()


def same_answers(test, ledger, service, *arguments, outputs=("table", "csv", "json")):
    """The command line prints the same from the directory and from the service."""
    for output in outputs:
        asked = [*arguments, "--output", output]
        test.assertEqual(gauger(*asked, "--server", service.url).stdout,
                         gauger(*asked, "--data", ledger).stdout, asked)


def event(number, team="search", tokens=100, **more):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"source": "gateway", "id": str(number), "completed_at": now, "team": team,
            "provider": "anthropic", "model": "claude-opus-4-7", "input_uncached": tokens, **more}


def slow_connection(port, address, text=b"GET /livez HTTP/1.1\r\n"):
    """A client that begins a request and never ends it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((address, 0))
    client.connect(("127.0.0.1", port))
    client.send(text)
    return client
