"""skiff run --serve: the page and its events; watching changes nothing and holds nothing up."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))

SCENARIO = """
seed: 1
data: {source: gaussian-mixture, features: 8, classes: 3, clients: 20, partition: {scheme: iid}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 10, rounds: %d}
training: {epochs: 1, batch: 5, optimizer: {name: sgd, learning_rate: 0.1}}
"""


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class ServeTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def run_skiff(self, rounds, *words):
        scenario = self.folder / "small.yaml"
        scenario.write_text(SCENARIO % rounds, encoding="utf-8")
        return subprocess.Popen([str(PROGRAM), "run", str(scenario), "--no-figures", *words],
                                cwd=self.folder, env={**os.environ, "SKIFF_HOME": str(HOME)},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def long_run(self):
        """A run that lasts until it is interrupted, and its port."""
        work = self.run_skiff(10_000_000, "--serve", "0")
        self.addCleanup(work.communicate)
        self.addCleanup(work.kill)
        said = work.stderr.readline()
        match = re.fullmatch(r"live at http://127\.0\.0\.1:(\d+)/\n", said)
        self.assertTrue(match, said)
        return work, int(match.group(1))

    def ask(self, port, path="/", method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path, headers=headers)
        return connection.getresponse()

    def events(self, response, count):
        found, event = [], {}
        while len(found) < count:
            line = response.readline().decode().rstrip("\n")
            if line and not line.startswith(":"):
                key, _, value = line.partition(": ")
                event[key] = value
            elif "data" in event:
                found.append((int(event["id"]), event["event"], json.loads(event["data"])))
                event = {}
        return found

    def test_the_page_needs_nothing_from_elsewhere(self):
        _, port = self.long_run()
        page = self.ask(port)
        self.assertEqual(page.status, 200)
        text = page.read().decode()
        self.assertIn("uPlot", text)
        self.assertFalse(re.findall(r'(?:src|href)="', text))
        self.assertIn("default-src 'none'", page.getheader("Content-Security-Policy"))

    def test_events_tell_the_run_from_its_start_and_go_on_where_they_were(self):
        _, port = self.long_run()
        first = self.events(self.ask(port, "/events"), 4)
        self.assertEqual([name for _, name, _ in first], ["start", "round", "round", "round"])
        self.assertEqual(first[0][2]["devices"], 20)
        self.assertEqual([data["round"] for _, _, data in first[1:]], [1, 2, 3])
        again = self.events(self.ask(port, "/events", **{"Last-Event-ID": "2"}), 1)
        self.assertEqual(again[0], first[3])

    def test_who_is_refused(self):
        _, port = self.long_run()
        self.assertEqual(self.ask(port, Host="evil.example").status, 403)
        self.assertEqual(self.ask(port, Host=f"localhost:{port}").status, 200)
        self.assertEqual(self.ask(port, method="POST").status, 405)
        self.assertEqual(self.ask(port, "/../etc/passwd").status, 404)
        self.assertEqual(self.ask(port, "/healthz").read(), b"ok\n")
        taken = self.run_skiff(1, "--out", "other", "--serve", str(port))
        said = taken.communicate(timeout=60)[1]
        self.assertEqual(taken.returncode, 1)
        self.assertIn("cannot listen on 127.0.0.1", said)

    def test_watchers_who_do_not_read_hold_nothing_up(self):
        work, port = self.long_run()
        lazy = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        for connection in lazy:
            self.addCleanup(connection.close)
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lazy[0].close()
        work.send_signal(signal.SIGINT)
        work.communicate(timeout=60)
        self.assertEqual(work.returncode, 130)

    def test_watching_changes_nothing(self):
        ends = []
        for words in (["--out", "a"], ["--out", "b", "--serve", "0"]):
            work = self.run_skiff(30, *words)
            said = work.communicate(timeout=60)[0]
            ends.append(re.search(r"fingerprint \w+   results \w+", said).group())
        self.assertEqual(ends[0], ends[1])

    # --- a whole sweep

    def sweep(self, rounds, *words):
        scenario = self.folder / "swept.yaml"
        scenario.write_text(SCENARIO % rounds + "sweep: {grid: {training.batch: [5, 10]}, seeds: [1, 2, 3]}\n",
                            encoding="utf-8")
        return subprocess.Popen([str(PROGRAM), "sweep", str(scenario), *words], cwd=self.folder,
                                env={**os.environ, "SKIFF_HOME": str(HOME)},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_a_sweep_tells_of_all_its_runs_and_the_curve_of_each(self):
        work = self.sweep(3_000_000, "--serve", "0", "--jobs", "2")
        self.addCleanup(work.communicate)
        self.addCleanup(work.kill)
        port = int(re.search(r":(\d+)/", work.stderr.readline()).group(1))
        self.assertIn("Runs", self.ask(port).read().decode())
        first = self.events(self.ask(port, "/events"), 5)
        self.assertEqual([name for _, name, _ in first[:3]], ["start", "run", "run"])
        self.assertEqual([run["state"] for run in first[0][2]["runs"]], ["waiting"] * 6)
        self.assertEqual({data["state"] for _, _, data in first[1:3]}, {"running"})
        self.assertEqual({data["metric"] for _, name, data in first if name == "point"}, {"test_accuracy"})
        work.send_signal(signal.SIGINT)
        work.communicate(timeout=60)
        self.assertEqual(work.returncode, 130)

    def test_watching_a_sweep_changes_nothing(self):
        indices = []
        for words in (["--out", "plain"], ["--out", "watched", "--serve", "0"]):
            work = self.sweep(200, *words)
            said = work.communicate(timeout=60)
            self.assertEqual(work.returncode, 0, said)
            indices.append((self.folder / words[1] / "index.csv").read_bytes())
        self.assertEqual(indices[0].count(b",ok,200,"), 6)
        self.assertEqual(indices[0], indices[1])


if __name__ == "__main__":
    unittest.main()
