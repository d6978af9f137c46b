"""The package as a notebook uses it, in a fresh process: names by their documented place."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))

SCENARIO = """
seed: 1
data: {source: gaussian-mixture, features: 8, classes: 3, clients: 20, partition: {scheme: iid}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 10, rounds: 3}
training: {epochs: 1, batch: 5, optimizer: {name: sgd, learning_rate: 0.1}}
"""


def python(code, folder):
    environment = {**os.environ, "PYTHONPATH": str(HOME / "analysis"), "SKIFF_HOME": str(HOME)}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, text=True,
                          capture_output=True, timeout=120, check=False)


class PackageTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def says(self, code, expected):
        done = python("import skiff_analysis\n" + code, self.folder)
        self.assertEqual(done.returncode, 0, done.stderr[-800:])
        self.assertEqual(done.stdout.strip(), expected)

    def test_every_public_name_is_there(self):
        self.says("print(all(callable(getattr(skiff_analysis, n)) for n in skiff_analysis.__all__))",
                  "True")

    def test_load_can_be_called_after_its_module_was_imported(self):
        self.says("import skiff_analysis.runs\nprint(callable(skiff_analysis.load))", "True")

    def test_what_is_no_run_is_said_in_one_sentence(self):
        (self.folder / "no.h5").write_text("not a run", encoding="utf-8")
        for name in ("no.h5", "missing.h5"):
            done = python(f"import skiff_analysis\n"
                          f"try: skiff_analysis.load({name!r})\n"
                          f"except skiff_analysis.NotARun as e: print(e)", self.folder)
            self.assertIn(name, done.stdout, done.stderr[-800:])
            self.assertEqual(done.stdout.count("\n"), 1)

    @unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
    def test_a_run_becomes_frames_and_xarray_opens_it(self):
        (self.folder / "small.yaml").write_text(SCENARIO, encoding="utf-8")
        subprocess.run([str(PROGRAM), "run", "small.yaml", "--no-figures", "-q", "--out", "out"],
                       cwd=self.folder, env={**os.environ, "SKIFF_HOME": str(HOME)}, check=True,
                       timeout=60)
        self.says("runs = skiff_analysis.load('out')\n"
                  "print(len(runs.rounds), len(runs.attempts), sorted(set(runs.attempts.outcome)))",
                  "3 30 ['accepted']")
        self.says("import xarray\n"
                  "r = xarray.open_dataset('out/run.h5', group='rounds', engine='h5netcdf')\n"
                  "print(r.sizes['round'], r.bytes_up.attrs['units'])", "3 B")


if __name__ == "__main__":
    unittest.main()
