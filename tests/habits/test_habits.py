"""What holds across the whole tree: who may include whom, sizes, formatting, names at the top."""
import re
import subprocess
import unittest

import tree

FAMILIES = {
    f"algorithms/{name}"
    for name in ("quantization", "pruning", "adaptation", "optimizers", "communication",
                 "aggregation", "distillation", "planning")
}
INTERFACES = {"algorithms", "algorithms/models", "algorithms/data"}

# folder -> the folders it may include besides itself (design: "one sentence per folder").
MAY_INCLUDE = {
    "sim/core": set(),
    "sim/engine": {"sim/core"},
    "devices": {"sim/core"},
    "algorithms/kernels": {"sim/core"},
    "algorithms/data": {"algorithms/kernels", "sim/core"},
    "algorithms/models": {"algorithms/data", "algorithms/kernels", "sim/core"},
    "algorithms": {"algorithms/models", "algorithms/data", "algorithms/kernels", "sim/core"},
    **{family: INTERFACES | {"algorithms/kernels", "sim/core"} for family in FAMILIES},
    # kernels: sums in one fixed shape; record: the rows it hands over, not the file.
    "sim/federation": INTERFACES | {"sim/engine", "devices", "algorithms/kernels", "sim/record",
                                    "sim/core"},
    "sim/scenario": INTERFACES | {"devices", "sim/core"},
    "sim/record": {"sim/engine", "sim/core"},
    "sim/live": {"sim/record", "sim/engine", "sim/core"},
}
MAY_INCLUDE_ALL = {"sim/cli", "tests"}

# An external header -> the folders that may see it.
ONLY_IN = {
    r"yaml-cpp/": {"sim/scenario"},
    r"(hdf5(_hl)?|H5\w+)\.h": {"sim/record", "algorithms/data"},
    r"boost/program_options": {"sim/cli"},
    r"Eigen/": {"algorithms"} | FAMILIES | {"algorithms/kernels", "algorithms/models"},
    r"tbb/": {"sim/core", "sim/cli"},
    r"boost/(asio|beast)": {"sim/live"},
    r"random$": set(),  # its distributions differ between libraries: sim/core/distributions.h
}

TOP = {"CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "README.md", "skiff",
       "sim", "algorithms", "devices", "scenarios", "analysis", "tests", "results"}
CODE = {".h", ".cpp", ".py", ".cmake", ".txt", ".md", ".json", ".sh", ""}
MAX_LINES = 600

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def area(path):
    """The folder whose rules hold for a file: the longest that the table names."""
    for parent in path.parents:
        if str(parent) in MAY_INCLUDE or str(parent) in MAY_INCLUDE_ALL:
            return str(parent)
    return None


def breaches(path, text):
    """What is wrong with the includes of one file, as sentences."""
    here = area(path)
    if here is None:
        yield f"{path}: no folder of the table"
        return
    for kind, name in INCLUDE.findall(text):
        if kind == '"':
            there = area(tree.pathlib.PurePath(name))
            if name in ("skiff_version.h", "live_page.h"):  # generated
                continue
            if not (tree.ROOT / name).is_file():
                yield f'{path}: "{name}" is not a path from the root'
            elif here not in MAY_INCLUDE_ALL and there != here and there not in MAY_INCLUDE[here]:
                yield f"{path}: {here} may not include {there} ({name})"
        else:
            for pattern, allowed in ONLY_IN.items():
                if re.match(pattern, name) and here not in allowed | {"tests"}:
                    yield f"{path}: <{name}> is not for {here}"
            if name.startswith("Eigen/") and path.suffix == ".h" and here != "tests":
                yield f"{path}: <{name}> only in a .cpp"


class HabitsTest(unittest.TestCase):
    def assert_none(self, found):
        found = list(found)
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_include_directions(self):
        self.assert_none(b for p in tree.cpp(tree.tracked()) for b in breaches(p, tree.read(p)))

    def test_the_include_test_sees_breaches(self):
        def found(name, line):
            return list(breaches(tree.pathlib.PurePath(name), line))

        self.assertFalse(found("sim/engine/x.h", '#include "sim/core/time.h"'))
        self.assertTrue(found("sim/core/x.h", '#include "sim/engine/engine.h"'))
        self.assertTrue(found("algorithms/optimizers/x.cpp", '#include "sim/engine/engine.h"'))
        self.assertTrue(found("sim/engine/x.h", '#include "time.h"'))
        self.assertTrue(found("devices/x.cpp", "#include <hdf5.h>"))
        self.assertTrue(found("algorithms/kernels/x.h", "#include <Eigen/Dense>"))
        self.assertTrue(found("sim/core/x.cpp", "  #  include <random>"))
        self.assertFalse(found("sim/core/x.cpp", "// #include <random>"))

    def test_headers_have_a_guard_and_say_what_they_are(self):
        for path in tree.cpp(tree.tracked()):
            if path.suffix == ".h":
                text = tree.read(path)
                with self.subTest(path=str(path)):
                    self.assertIn("#pragma once", text)
                    self.assertTrue(text.startswith("//"), "a header opens with what it is")

    def test_no_file_is_longer_than_600_lines(self):
        lengths = [(len(tree.read(p).splitlines()), p) for p in tree.tracked()
                   if p.suffix in CODE and p.name not in ("LICENSE", "schema.json")]  # generated
        self.assert_none(f"{p}: {n} lines" for n, p in lengths if n > MAX_LINES)

    def test_nothing_unexpected_at_the_top(self):
        top = {p.parts[0] for p in tree.tracked()}
        self.assert_none(sorted(t for t in top if t not in TOP and not t.startswith(".")))

    def test_formatting(self):
        tool = tree.find_tool("clang-format")
        if tool is None:
            self.skipTest("clang-format-14 is not installed")
        files = [str(p) for p in tree.cpp(tree.tracked())]
        run = subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=tree.ROOT,
                             capture_output=True, text=True, check=False)
        wrong = {line.split(":")[0] for line in run.stderr.splitlines() if ": error:" in line}
        self.assert_none(f"{name}: not as clang-format-14 writes it" for name in sorted(wrong))
        self.assertEqual(run.returncode, 0, run.stderr[:2000])


if __name__ == "__main__":
    unittest.main()
