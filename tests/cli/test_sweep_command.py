"""skiff sweep: what is finished is skipped, what was killed is done again, and nothing shows."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))

SWEEP = """
seed: 1
data: {source: gaussian-mixture, features: 8, classes: 3, clients: 20, partition: {scheme: iid}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 10, rounds: %d}
training: {epochs: 1, batch: 5, optimizer: {name: sgd, learning_rate: 0.1}}
sweep:
  cases: {plain: {}, scaffold: {training.method: {name: scaffold}}}
  grid: {training.batch: [5, 10]}
  seeds: [1, 2, 3]
"""


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class SweepTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def scenario(self, rounds=3, text=SWEEP):
        path = self.folder / "small.yaml"
        path.write_text(text % rounds, encoding="utf-8")
        return path

    def command(self, *words):
        return [str(PROGRAM), "sweep", *map(str, words)]

    def sweep(self, *words, code=0):
        environment = {**os.environ, "SKIFF_HOME": str(HOME)}
        done = subprocess.run(self.command(*words), cwd=self.folder, env=environment, text=True,
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def files(self, out):
        return sorted((self.folder / out).rglob("run.h5"))

    def test_every_run_is_there_once_and_in_the_index(self):
        said = self.sweep(self.scenario(), "--jobs", 2)
        self.assertIn("12 runs", said)
        self.assertEqual(len(self.files("results/small")), 12)
        lines = (self.folder / "results/small/index.csv").read_text().splitlines()
        self.assertEqual(len(lines), 13)
        self.assertTrue(lines[0].startswith("case,seed,file,status,rounds,"))
        self.assertTrue(all(",ok,3," in line for line in lines[1:]), lines)

    def test_finished_runs_are_skipped_and_broken_ones_done_again(self):
        scenario = self.scenario()
        self.sweep(scenario)
        runs = self.files("results/small")
        index = (self.folder / "results/small/index.csv").read_bytes()
        runs[0].write_bytes(runs[0].read_bytes()[:1000])
        runs[1].unlink()
        untouched = runs[2].stat().st_mtime_ns
        self.assertIn("10 finished before, 2 to do", self.sweep(scenario))
        self.assertEqual(runs[2].stat().st_mtime_ns, untouched)
        self.assertEqual((self.folder / "results/small/index.csv").read_bytes(), index)

    def test_a_killed_sweep_goes_on_to_the_same_index(self):
        scenario = self.scenario(400)
        self.sweep(scenario, "--out", "whole")
        killed = subprocess.Popen(self.command(scenario, "--out", "killed", "--quiet"),
                                  cwd=self.folder, env={**os.environ, "SKIFF_HOME": str(HOME)})
        deadline = time.monotonic() + 60
        while not self.files("killed") and time.monotonic() < deadline:
            time.sleep(0.005)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        self.assertLess(len(self.files("killed")), 12)
        self.sweep(scenario, "--out", "killed")
        self.assertEqual((self.folder / "killed/index.csv").read_bytes(),
                         (self.folder / "whole/index.csv").read_bytes())

    def test_shards_share_the_work(self):
        scenario = self.scenario()
        self.sweep(scenario, "--shard", "0/2")
        self.assertEqual(len(self.files("results/small")), 6)
        index = (self.folder / "results/small/index.csv").read_text()
        self.assertEqual(index.count("missing"), 6)
        self.sweep(scenario, "--shard", "1/2")
        self.assertNotIn("missing", (self.folder / "results/small/index.csv").read_text())
        self.assertIn("expected I/N", self.sweep(scenario, "--shard", "2/2", code=2))

    def test_the_dry_run_only_lists(self):
        said = self.sweep(self.scenario(), "--dry-run")
        self.assertEqual(said.count("to do   "), 12)
        self.assertFalse((self.folder / "results").exists())

    def test_a_failing_run_stops_no_other(self):
        scenario = self.scenario()
        self.sweep(scenario, "--shard", "0/12")
        blocked = self.files("results/small")[0].parent
        for file in blocked.iterdir():
            file.unlink()
        (blocked / "run.h5").mkdir()  # what cannot be replaced by a file
        said = self.sweep(scenario, code=1)
        self.assertIn("failed (1): plain", said)
        self.assertIn("log.txt", said)
        self.assertEqual(len([f for f in self.files("results/small") if f.is_file()]), 11)

    def test_the_first_interrupt_ends_the_runs_cleanly(self):
        scenario = self.scenario(100000)
        work = subprocess.Popen(self.command(scenario, "--out", "cut", "--jobs", "2"),
                                cwd=self.folder, env={**os.environ, "SKIFF_HOME": str(HOME)},
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                start_new_session=True)
        deadline = time.monotonic() + 60
        while not list((self.folder).rglob("run.h5.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        os.killpg(work.pid, signal.SIGINT)  # as a terminal does
        self.assertEqual(work.wait(timeout=60), 130)
        self.assertIn(",interrupted,", (self.folder / "cut/index.csv").read_text())

    def test_mistakes_are_said_once_with_their_place(self):
        text = SWEEP.replace("[5, 10]", "[5, ten]")
        said = self.sweep(self.scenario(text=text), code=2)
        self.assertEqual(said.count("training.batch: expected"), 1, said)
        self.assertIn("small.yaml:10:30:", said)


if __name__ == "__main__":
    unittest.main()
