"""What each method of a list does to one checkpoint: loss, bits and bytes, one `skiff compress` a row.

    python3 -m skiff_analysis.compression_table scenarios/compress/quantization.yaml CHECKPOINT \\
        --calibration TEXT --data HELD_OUT_TEXT -o results/quantization

The list is YAML: `methods`, each a row with a `label`, `quantization` and/or `pruning` as in a scenario, and, if it
is not that of the whole list, `samples` (texts of the calibration). Rows whose matrices become smaller are timed: the
processor time of the held-out predictions against that of the whole model, taken in turn, the least of `repeats`.
Writes table.csv and table.md; a table.csv that is there already keeps its rows and gets those that are missing.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pandas as pd
import yaml

HOME = pathlib.Path(__file__).resolve().parents[2]
SEPARATOR = "<|endoftext|>"  # what `skiff compress` takes for the end of a text
CUTS = ("channel", "head", "channel-and-head")
NAMES = {"label": "", "loss": "loss", "bits_per_weight": "bits a weight", "bytes": "bytes of the model",
         "layer_bytes": "bytes of its layers", "speed_up": "speed-up", "seconds": "seconds to make"}


class Trial:
    """One checkpoint, its texts, and the program that compresses it."""

    def __init__(self, program, checkpoint, calibration, data, tokenizer=None, sequence_length=None, seed=0, home=HOME):
        self.program, self.checkpoint, self.calibration, self.seed = str(program), str(checkpoint), calibration, seed
        self.environment = {**os.environ, "SKIFF_HOME": str(home)}
        self.reading = ["--first", "--data", str(data)]
        if tokenizer:
            self.reading += ["--tokenizer", str(tokenizer)]
        if sequence_length:
            self.reading += ["--sequence-length", str(sequence_length)]

    def said(self, *words):
        done = subprocess.run([self.program, *map(str, words), "--threads", "1", "--json"], capture_output=True, text=True,
                              env=self.environment, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, words))}\n{done.stderr}")
        return json.loads(done.stdout)

    def compress(self, chosen, folder, samples, *more):
        """What `skiff compress` reports; chosen: [(quantization or pruning, its map), ...]."""
        words = [word for family, one in chosen for word in (f"--{family}", json.dumps(one))]
        return self.said("compress", self.checkpoint, *words, "-o", folder, "--calibration", self.calibration, "--samples",
                         samples, "--seed", self.seed, *self.reading, *more)

    def cpu_seconds(self, checkpoint):
        return self.said("eval", checkpoint, *self.reading)["cpu_seconds"]

    def speed_up(self, folder, repeats):
        """Of predicting the held-out text, against the model that was not compressed."""
        times = [(self.cpu_seconds(self.checkpoint), self.cpu_seconds(folder)) for _ in range(repeats)]
        return min(whole for whole, _ in times) / min(cut for _, cut in times)


def steps_of(row):
    """[(family, its map)]; a family may hold a list, for other targets each."""
    found = []
    for family in ("pruning", "quantization"):
        one = row.get(family, [])
        found += [(family, step) for step in (one if isinstance(one, list) else [one])]
    return found


def written(row):
    """The row's methods as they would stand on the command line."""
    def short(step):
        return ", ".join([step["name"], *(f"{key}={str(value).lower() if isinstance(value, bool) else value}"
                                          for key, value in step.items() if key != "name")])
    return " + ".join(short(step) for _, step in steps_of(row))


def measured(trial, row, samples, repeats):
    with tempfile.TemporaryDirectory() as folder:
        report = trial.compress(steps_of(row), folder, samples)
        layers = report["layers"]
        cut = any(step.get("structure") in CUTS for _, step in steps_of(row))
        speed_up = trial.speed_up(folder, repeats) if cut else None
    return {"label": row["label"], "method": written(row), "samples": samples, "loss": report["loss"],
            "bits_per_weight": report["bits_per_weight"], "bytes": report["bytes"],
            "layer_bytes": round(sum(layer["bits"] * layer["rows"] * layer["cols"] for layer in layers) / 8),
            "speed_up": speed_up, "seconds": report["seconds"]}, report["loss_before"]


def markdown(frame, columns):
    shown = {"loss": "{:.4f}", "bits_per_weight": "{:.3f}", "bytes": "{:,.0f}", "layer_bytes": "{:,.0f}", "speed_up": "{:.2f}",
             "seconds": "{:.1f}"}
    lines = ["| " + " | ".join(NAMES.get(column, column) for column in columns) + " |", "|---" * len(columns) + "|"]
    for row in frame.to_dict("records"):
        cells = ["" if pd.isna(row[c]) else shown.get(c, "{}").format(row[c]) for c in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def table(trial, listed, out, only=None, say=print):
    """Fills OUT/table.csv row by row, so that what was interrupted goes on where it stood."""
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "table.csv"
    frame = pd.read_csv(path) if path.exists() else pd.DataFrame()
    samples, repeats = listed.get("samples", 128), listed.get("repeats", 5)
    for row in listed["methods"]:
        key = (written(row), row.get("samples", samples))
        known = len(frame) and ((frame["method"] == key[0]) & (frame["samples"] == key[1])).any()
        if known or (only and only not in row["label"]):
            continue
        one, before = measured(trial, row, key[1], repeats)
        say(f"{one['label']:<44} loss {one['loss']:.4f} (whole model {before:.4f})  {one['bits_per_weight']:.3f} bits  "
            f"{one['seconds']:.0f} s", flush=True)
        frame = pd.concat([frame, pd.DataFrame([one])], ignore_index=True)
        frame.to_csv(path, index=False, lineterminator="\n")
    order = {(written(row), row.get("samples", samples)): i for i, row in enumerate(listed["methods"])}
    place = [order.get((row.method, row.samples), len(order)) for row in frame.itertuples()]
    frame = frame.iloc[sorted(range(len(frame)), key=lambda i: place[i])].reset_index(drop=True)
    frame.to_csv(path, index=False, lineterminator="\n")
    columns = [c for c in ("label", "loss", "bits_per_weight", "layer_bytes", "speed_up", "seconds") if frame[c].notna().any()]
    (out / "table.md").write_text(markdown(frame, columns), encoding="utf-8", newline="\n")
    return frame


def add_texts(parser):
    parser.add_argument("checkpoint", help="a language model, whole: .safetensors, .bin or a folder")
    parser.add_argument("--calibration", required=True, help="a text that methods may learn from")
    parser.add_argument("--data", required=True, help="a text that they never see; the first window of each of its parts counts")
    parser.add_argument("--texts", type=int, help="of the data: only the first so many of its parts")
    parser.add_argument("--tokenizer", help="default: the one beside the checkpoint")
    parser.add_argument("--sequence-length", type=int, help="tokens of a window; default: the model's positions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--program", default=HOME / "build/release/skiff")
    parser.add_argument("-o", "--out", required=True, help="folder for what is written")


def trial_of(options):
    data = options.data
    if options.texts:
        os.makedirs(options.out, exist_ok=True)
        parts = pathlib.Path(data).read_text(encoding="utf-8").split(SEPARATOR)
        data = pathlib.Path(options.out, "texts.txt")
        data.write_text(SEPARATOR.join(parts[:options.texts]), encoding="utf-8")
    return Trial(options.program, options.checkpoint, options.calibration, data, options.tokenizer, options.sequence_length,
                 options.seed)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m skiff_analysis.compression_table", description=__doc__.splitlines()[0])
    parser.add_argument("methods", help="the list, such as scenarios/compress/quantization.yaml")
    add_texts(parser)
    parser.add_argument("--only", help="rows whose label contains this")
    options = parser.parse_args(arguments)
    with open(options.methods, encoding="utf-8") as file:
        listed = yaml.safe_load(file)
    table(trial_of(options), listed, options.out, options.only)
    print(pathlib.Path(options.out, "table.md").read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
