"""mpirun -n N skiff sweep: the same files as without MPI, whatever dies on the way."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import h5py

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe"]

SWEEP = """
seed: 1
data: {source: gaussian-mixture, features: 8, classes: 3, clients: 20, partition: {scheme: iid}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 10, rounds: %d}
training: {epochs: 1, batch: 5, optimizer: {name: sgd, learning_rate: 0.1}}
sweep:
  cases: {plain: {}, scaffold: {training.method: {name: scaffold}}}
  seeds: [1, 2, 3, 4]
"""


def ranks_of(mpirun):
    """The processes of the ranks, in their order: the children of mpirun."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = status.read_text().split(" (", 1)
        except (OSError, ValueError):  # it has ended
            continue
        name, fields = rest.rsplit(") ", 1)
        if int(fields.split()[1]) == mpirun and name.startswith("skiff"):
            found.append(int(pid))
    return sorted(found)


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
@unittest.skipUnless(PROGRAM.with_name("skiff-mpi").exists() and shutil.which("mpirun"), "built without MPI")
class MpiTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.environment = {**os.environ, "SKIFF_HOME": str(HOME)}

    def scenario(self, rounds=3):
        path = self.folder / f"small{rounds}.yaml"
        path.write_text("name: small" + SWEEP % rounds, encoding="utf-8")
        return path

    def command(self, ranks, *words):
        started = [*MPIRUN, "-n", str(ranks)] if ranks else []
        return [*started, str(PROGRAM), "sweep", *map(str, words)]

    def sweep(self, ranks, *words, code=0):
        done = subprocess.run(self.command(ranks, *words), cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def digests(self, out):
        found = {}
        for file in (self.folder / out).rglob("run.h5"):
            with h5py.File(file, "r") as run:
                found[str(file.relative_to(self.folder / out))] = str(run.attrs["results_sha256"])
        return found

    def test_three_ranks_write_what_one_machine_writes(self):
        scenario = self.scenario()
        self.sweep(0, scenario, "--out", "here")
        said = self.sweep(3, scenario, "--out", "mpi")
        self.assertIn("8 to do here; 3 ranks", said)
        self.assertEqual(len(self.digests("here")), 8)
        self.assertEqual(self.digests("mpi"), self.digests("here"))
        self.assertEqual((self.folder / "mpi/index.csv").read_bytes(), (self.folder / "here/index.csv").read_bytes())
        self.assertIn("8 finished before, 0 to do", self.sweep(2, scenario, "--out", "here"))

    def test_a_failing_run_stops_no_other(self):
        scenario = self.scenario()
        self.sweep(0, scenario, "--shard", "0/8")
        blocked = next((self.folder / "results/small").rglob("run.h5"))
        blocked.unlink()
        blocked.mkdir()  # what cannot be replaced by a file
        said = self.sweep(3, scenario, code=1)
        self.assertIn("failed (1): plain, seed 1", said)
        self.assertIn("log.txt", said)
        index = (self.folder / "results/small/index.csv").read_text()
        self.assertEqual((index.count(",ok,"), index.count("missing")), (7, 1))

    def killed(self, *words):
        """A sweep of three ranks, of which the last is killed while it works."""
        work = subprocess.Popen(words, cwd=self.folder, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(work.kill)
        deadline = time.monotonic() + 60
        while len(list(self.folder.rglob("run.h5.part"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        ranks = ranks_of(work.pid)
        self.assertEqual(len(ranks), 3)
        os.kill(ranks[-1], signal.SIGKILL)
        said = work.communicate(timeout=120)[0]
        return work.returncode, said

    def test_a_dead_rank_ends_the_sweep_and_the_same_command_goes_on(self):
        scenario = self.scenario(4000)
        self.sweep(0, scenario, "--out", "here")
        code, said = self.killed(*self.command(3, scenario, "--out", "cut"))
        self.assertNotEqual(code, 0)
        self.assertIn("exited on signal 9", said)
        self.assertLess(len(self.digests("cut")), 8)
        self.sweep(3, scenario, "--out", "cut")
        self.assertEqual(self.digests("cut"), self.digests("here"))

    def test_where_mpirun_lets_the_others_live_they_do_the_dead_ranks_run(self):
        scenario = self.scenario(4000)
        words = self.command(3, scenario, "--out", "recovered", "--patience", "3")
        said = self.killed(words[0], "--enable-recovery", *words[1:])[1]
        self.assertIn("rank 2 has died or says nothing; it is done again", said)
        self.assertIn("8 of 8 runs ended", said)
        index = (self.folder / "recovered/index.csv").read_text()
        self.assertEqual(index.count(",ok,4000,"), 8)

    def test_mistakes_are_said_once(self):
        scenario = self.scenario()
        said = self.sweep(3, scenario, "--set", "training.bach=3", code=2)
        self.assertEqual(said.count("did you mean"), 1, said)
        self.assertIn("-n says how many", self.sweep(2, scenario, "--jobs", "2", code=2))


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class WithoutMpiTest(unittest.TestCase):
    def test_the_program_itself_needs_no_mpi(self):
        linked = subprocess.run(["ldd", str(PROGRAM)], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("mpi", linked.lower())

    def test_what_is_missing_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = pathlib.Path(folder) / "skiff"
            shutil.copy(PROGRAM, alone)
            done = subprocess.run([str(alone), "sweep", "x.yaml"], env={**os.environ, "OMPI_COMM_WORLD_SIZE": "2"},
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("libboost-mpi-dev", done.stderr)


if __name__ == "__main__":
    unittest.main()
