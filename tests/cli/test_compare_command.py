"""A comparison from its sweep to its page: a kill in the middle, another folder and another process show nowhere."""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
ENVIRONMENT = {**os.environ, "SKIFF_HOME": str(HOME), "PYTHONPATH": str(HOME / "analysis")}

SWEEP = """
name: four
seed: 1
data: {source: gaussian-mixture, features: 8, classes: 3, clients: 20, partition: {scheme: dirichlet, alpha: 0.3}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 50%, budget-android: 50%}}
server: {protocol: synchronous, participants: 10, over_selection: 1.3, rounds: 400}
training: {epochs: 1, batch: 5, optimizer: {name: sgd, learning_rate: 0.1}}
evaluation: {every: 20}
sweep:
  cases:
    fedavg: {}
    scaffold: {training.method: {name: scaffold}}
    fedprox: {training.method: {name: fedprox, mu: 0.01}}
    top-k: {compression.communication: {name: top-k, density: 25%, error_feedback: true}}
  seeds: [1, 2, 3, 4, 5]
"""


def run(*words, code=0):
    done = subprocess.run([str(word) for word in words], env=ENVIRONMENT, text=True, capture_output=True,
                          timeout=600, check=False)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def digests(folder, *kinds):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.iterdir()) if path.suffix in kinds}


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class CompareTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.scenario = cls.folder / "four.yaml"
        cls.scenario.write_text(SWEEP, encoding="utf-8")
        cls.whole = cls.folder / "whole"
        run(PROGRAM, "sweep", cls.scenario, "--out", cls.whole, "--quiet")
        cls.page = run(PROGRAM, "report", cls.whole).strip()

    def runs(self, folder):
        return sorted(folder.rglob("run.h5"))

    def test_four_algorithms_by_five_seeds_killed_and_continued_give_the_same_bytes(self):
        cut = self.folder / "elsewhere" / "cut"
        work = subprocess.Popen([str(PROGRAM), "sweep", str(self.scenario), "--out", str(cut), "--quiet"],
                                env=ENVIRONMENT)
        deadline = time.monotonic() + 120
        while len(self.runs(cut)) < 5 and time.monotonic() < deadline:
            time.sleep(0.005)
        work.send_signal(signal.SIGKILL)
        work.wait()
        finished = len(self.runs(cut))
        self.assertTrue(5 <= finished < 20, finished)
        time.sleep(0.2)  # those at work die with the sweep
        self.assertEqual(len(self.runs(cut)), finished)
        said = run(PROGRAM, "sweep", self.scenario, "--out", cut)
        self.assertIn(f"20 runs, {finished} finished before, {20 - finished} to do", said)
        self.assertEqual((cut / "index.csv").read_bytes(), (self.whole / "index.csv").read_bytes())
        run(PROGRAM, "report", cut, "-o", self.folder / "cut.html")
        self.assertEqual((self.folder / "cut.html").read_bytes(), pathlib.Path(self.page).read_bytes())

    def test_a_sweep_made_elsewhere_is_readable(self):
        moved = self.folder / "another place" / "it is"
        shutil.copytree(self.whole, moved)
        run(PROGRAM, "report", moved, "-o", self.folder / "moved.html")
        self.assertEqual((self.folder / "moved.html").read_bytes(), pathlib.Path(self.page).read_bytes())
        told = run(sys.executable, "-c", "import sys, skiff_analysis; sweep = skiff_analysis.load_sweep(sys.argv[1]);"
                   "print(len(sweep), *sweep.cases)", moved)
        self.assertEqual(told.split(), ["20", "fedavg", "scaffold", "fedprox", "top-k"])

    def test_the_report_verb_names_its_page_and_what_is_wrong(self):
        self.assertEqual(self.page, str(self.whole / "report.html"))
        text = pathlib.Path(self.page).read_text(encoding="utf-8")
        self.assertNotRegex(text, r'(?:src|href)="https?:')
        for case in ("fedavg", "scaffold", "fedprox", "top-k"):
            self.assertIn(f'"case":"{case}"', text)
        aimed = run(PROGRAM, "report", self.whole, "-o", self.folder / "aimed.html", "--baseline", "top-k",
                    "--target", "0.5")
        self.assertIn("aimed.html", aimed)
        numbers = (self.folder / "aimed.html").read_text(encoding="utf-8")
        self.assertIn('"baseline":"top-k","target":0.5', numbers)
        (self.folder / "empty").mkdir(exist_ok=True)
        self.assertIn("no run.h5", run(PROGRAM, "report", self.folder / "empty", code=2))
        self.assertIn("a folder of runs", run(PROGRAM, "report", code=2))
        self.assertIn("say with -o", run(PROGRAM, "report", self.whole, self.whole, code=2))

    def test_every_figure_of_a_run_is_drawn_with_the_same_bytes_in_any_process(self):
        one = self.runs(self.whole)[0]
        places = [self.folder / "first", self.folder / "second"]
        for place in places:
            run(sys.executable, "-m", "skiff_analysis", "draw", one, "-o", place)
            run(sys.executable, "-m", "skiff_analysis", "figures", one, "-o", place / "all")
        drawn = digests(places[0], ".svg", ".png", ".csv")
        stems = {pathlib.Path(name).stem for name in drawn}
        self.assertEqual(stems, {"accuracy-by-rounds", "accuracy-by-bytes", "accuracy-by-time", "accuracy-by-energy",
                                 "outcomes-by-class", "round-timeline"})
        self.assertEqual(len(drawn), 18)
        self.assertEqual(drawn, digests(places[1], ".svg", ".png", ".csv"))
        every = digests(places[0] / "all", ".svg", ".png", ".csv")
        known = " ".join(every)
        for name in ("pareto-bytes-up", "round-times", "outcomes", "memory", "battery", "rate", "summary"):
            self.assertIn(name, known)
        self.assertEqual(every, digests(places[1] / "all", ".svg", ".png", ".csv"))


if __name__ == "__main__":
    unittest.main()
