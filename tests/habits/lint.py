"""clang-format and clang-tidy over the tree; behind ./skiff lint.

usage: lint.py BUILD_FOLDER [--changed]     --changed: only files that differ from the last commit
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import tree


def check_format(files):
    print(f"clang-format: {len(files)} files", flush=True)
    command = [tree.find_tool("clang-format"), "--dry-run", "-Werror", *map(str, files)]
    return subprocess.run(command, cwd=tree.ROOT, check=False).returncode == 0


def sources_that_build(build, files):
    """The .cpp files among `files` that the build folder knows how to compile."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    known = {os.path.realpath(c["file"]) for c in commands}
    return [str(tree.ROOT / f) for f in files if os.path.realpath(tree.ROOT / f) in known]


def check_tidy(build, files):
    sources = sources_that_build(build, files)
    print(f"clang-tidy: {len(sources)} files", flush=True)
    if not sources:
        return True
    command = ["run-clang-tidy-14", "-quiet", "-p", str(build), f"-j{os.cpu_count()}",
               "-extra-arg=-Wno-unknown-warning-option", *(f"^{s}$" for s in sources)]
    run = subprocess.run(command, cwd=tree.ROOT, check=False, capture_output=True, text=True)
    text = re.sub(r"\x1b\[[0-9;]*m|clang-tidy-14 -.*", "", run.stdout)
    print("\n".join(line for line in text.splitlines() if line.strip()))
    return run.returncode == 0


def main():
    parser = argparse.ArgumentParser(prog="skiff lint")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--changed", action="store_true", help="only what differs from the last commit")
    options = parser.parse_args()
    files = tree.cpp(tree.changed() if options.changed else tree.tracked())
    fine = check_format(files) if files else True
    fine = check_tidy(options.build, files) and fine
    print("lint: fine" if fine else "lint: not fine")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
