"""The shipped sweeps: each is accepted as it stands, and shrinks by the line in its own comment."""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MISSING = "$SKIFF_DATA (not set)"
SWEEPS = sorted((ROOT / "scenarios" / "sweeps").glob("*.yaml"))
BINARY = os.environ.get("SKIFF_BINARY") or str(ROOT / "build" / "release" / "skiff")


class SweepsTest(unittest.TestCase):
    def setUp(self):
        if not os.access(BINARY, os.X_OK):
            self.skipTest(f"no program at {BINARY}; SKIFF_BINARY says where it is")

    def dry_run(self, path, words=()):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [BINARY, "sweep", str(path), "--dry-run", "--out", folder, *words], capture_output=True, text=True,
                check=False, env={**os.environ, "SKIFF_HOME": str(ROOT)})
        return run.returncode, run.stdout, run.stderr

    def sweeps(self):
        """The sweeps whose data are here; those that want files which nobody brought are left out."""
        return [path for path in SWEEPS if MISSING not in self.dry_run(path)[2]]

    def test_there_are_some(self):
        self.assertGreaterEqual(len(self.sweeps()), 4)

    def test_all_data_are_here(self):
        here = self.sweeps()
        left_out = [path.name for path in SWEEPS if path not in here]
        if left_out:
            self.skipTest(f"{', '.join(left_out)} want files that are not here; SKIFF_DATA says where they are")

    def test_each_is_accepted(self):
        for path in self.sweeps():
            with self.subTest(path.name):
                code, out, problems = self.dry_run(path)
                self.assertEqual((code, problems), (0, ""))
                self.assertRegex(out, r"\d+ runs, \d+ to do here")

    def test_each_shrinks_by_its_own_comment(self):
        for path in self.sweeps():
            with self.subTest(path.name):
                line = re.search(r"^# A minute: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
                self.assertIsNotNone(line, "says how to shrink it")
                full = self.dry_run(path)[1].strip().splitlines()[-1].split()[0]
                code, out, problems = self.dry_run(path, shlex.split(line[1]))
                self.assertEqual((code, problems), (0, ""))
                self.assertLess(int(out.strip().splitlines()[-1].split()[0]), int(full))

    def test_each_runs_in_the_form_that_its_comment_shrinks_it_to(self):
        for path in self.sweeps():
            with self.subTest(path.name), tempfile.TemporaryDirectory() as folder:
                line = re.search(r"^# A minute: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
                run = subprocess.run([BINARY, "sweep", str(path), "--quiet", "--out", folder, *shlex.split(line[1])],
                                     capture_output=True, text=True, check=False, timeout=900,
                                     env={**os.environ, "SKIFF_HOME": str(ROOT)})
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                lines = (pathlib.Path(folder) / "index.csv").read_text(encoding="utf-8").splitlines()[1:]
                self.assertTrue(lines and all(",ok," in one for one in lines), lines)

    def test_a_mistake_is_refused(self):
        self.assertEqual(self.dry_run(SWEEPS[0], ["--set", "server.rouns=3"])[0], 2)


if __name__ == "__main__":
    unittest.main()
