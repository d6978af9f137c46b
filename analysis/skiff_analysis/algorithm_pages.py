"""One page a family of algorithms, algorithms/FAMILY/README.md: what each does, its parameters, its source, what was checked.

    python3 -m skiff_analysis.algorithm_pages build/release/skiff [--check]

Between two markers stands what the program's registry says (`skiff list algorithms --json`); what is around them is
written by hand and stays. A folder whose first algorithm joins gets its page by the same command. With --check nothing
is written; exit code 1 says that a page is out of date.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

BEGIN, END = "<!-- registry: begin -->", "<!-- registry: end -->"
# The name of a family in the registry -> its folder.
FOLDERS = {
    "communication": "communication", "method": "aggregation", "optimizer": "optimizers", "adaptation": "adaptation",
    "quantization": "quantization", "pruning": "pruning", "distillation": "distillation", "planner": "planning",
}
TITLES = {
    "communication": "Communication: how an update becomes bytes",
    "aggregation": "Methods: what is said, done and averaged in a round",
    "optimizers": "Optimizers: how a gradient moves a parameter",
    "adaptation": "Adaptation: what is trained on a device",
    "quantization": "Quantization: fewer bits a weight",
    "pruning": "Pruning: fewer weights",
    "distillation": "Distillation: one model learns from others",
    "planning": "Planning: which compression a device gets",
}


def algorithms(program, home):
    """The registry, as the program prints it."""
    done = subprocess.run([program, "list", "algorithms", "--json"], capture_output=True, text=True, check=True,
                          env={**os.environ, "SKIFF_HOME": str(home)})
    return json.loads(done.stdout)


def by_folder(listed):
    """{folder: its algorithms that run, by name}."""
    folders = {}
    for one in sorted(listed, key=lambda one: one["name"]):
        folder = FOLDERS.get(one["family"])
        if folder and not one["planned"]:
            folders.setdefault(folder, []).append(one)
    return folders


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def _linked(paper):
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", paper)


def _default(parameter):
    if parameter["required"]:
        return "required"
    value = parameter.get("default", "")
    return f"`{value}`" if value != "" else "none"


def section(one):
    """What one algorithm's entry of the registry says, as Markdown."""
    lines = [f"### {one['name']}", one["summary"][:1].upper() + one["summary"][1:] + ".", ""]
    if one["paper"]:
        lines += [f"Source: {_linked(one['paper'])}.", ""]
    if one["parameters"]:
        lines += ["| parameter | type | range | default | meaning |", "|---|---|---|---|---|"]
        for p in one["parameters"]:
            cells = [f"`{p['name']}`", p["type"], p.get("range", ""), _default(p), p["help"]]
            lines.append("| " + " | ".join(_cell(cell) if i else cell for i, cell in enumerate(cells)) + " |")
        lines.append("")
    for key, word in (("verified", "Verified"), ("deviates", "Deviates")):
        if one[key]:
            lines += [f"{word}: {one[key]}.", ""]
    return "\n".join(lines)


def generated(listed):
    names = ", ".join(f"`{one['name']}`" for one in listed)
    return "\n".join([BEGIN, f"{names}.\n", *(section(one) for one in listed), END])


def page(folder, listed, old):
    """The page: the old one with its generated part anew, or a new one."""
    if BEGIN in old and END in old:
        before, rest = old.split(BEGIN, 1)
        return before + generated(listed) + rest.split(END, 1)[1]
    return f"# {TITLES[folder]}\n{generated(listed)}\n"


def pages(listed, home):
    """{path: its text} of every family that has an algorithm."""
    texts = {}
    for folder, members in by_folder(listed).items():
        path = pathlib.Path(home) / "algorithms" / folder / "README.md"
        texts[path] = page(folder, members, path.read_text(encoding="utf-8") if path.exists() else "")
    return texts


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m skiff_analysis.algorithm_pages", description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the built skiff")
    parser.add_argument("--home", default=pathlib.Path(__file__).resolve().parents[2], help="the source tree")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page is out of date")
    options = parser.parse_args(arguments)
    stale = 0
    for path, text in pages(algorithms(options.program, options.home), options.home).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(path)
        if not options.check:
            path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
