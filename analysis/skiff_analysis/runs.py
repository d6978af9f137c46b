"""Runs as tidy frames.

A frame has one row an entry of the run's table and the columns run, case, seed in front. Columns of
words (outcome, cause, class, ...) are categories. Units are those of the file: s, B, J.
"""

import hashlib
import os
from functools import cached_property

import h5py
import numpy as np
import pandas as pd

NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"


class NotARun(Exception):
    """A file that is no run of skiff, or lacks what was asked for."""


def load(source):
    """One or several runs: a run.h5, a folder that holds some (at any depth), or a list of those."""
    paths = find_runs(source)
    if not paths:
        raise NotARun(f"{source}: no run.h5 there")
    return Runs([Run(path) for path in paths])


def find_runs(source):
    if isinstance(source, (list, tuple)):
        return [path for one in source for path in find_runs(one)]
    source = os.fspath(source)
    if not os.path.isdir(source):
        return [source]
    found = [
        os.path.join(folder, "run.h5") for folder, _, files in os.walk(source) if "run.h5" in files
    ]
    return sorted(found)


class Run:
    """One run.h5: its attributes at once, its tables when asked for."""

    def __init__(self, path):
        self.path = path
        if not os.path.exists(path):
            raise NotARun(f"{path}: no such file")
        try:
            with h5py.File(path, "r") as file:
                self.attributes = {key: _plain(value) for key, value in file.attrs.items()}
                self.provenance = {key: _plain(value) for key, value in file["provenance"].attrs.items()}
                self.groups = set(file)
        except (OSError, KeyError) as problem:
            raise NotARun(f"{path}: not a readable run: {problem}") from None
        if "schema_version" not in self.attributes:
            raise NotARun(f"{path}: not a run of skiff")

    name = property(lambda self: self.attributes["name"])
    case = property(lambda self: self.attributes["case"])
    seed = property(lambda self: self.attributes["seed"])
    folder = property(lambda self: os.path.basename(os.path.dirname(os.path.abspath(self.path))))

    def table(self, group):
        """The columns of a group as a frame; of a table of two dimensions, one row a cell."""
        if group not in self.groups:
            return pd.DataFrame()
        try:
            with h5py.File(self.path, "r") as file:
                return _frame(file[group])
        except OSError as problem:
            raise NotARun(f"{self.path}: /{group} is damaged: {problem}") from None

    @cached_property
    def metrics(self):
        """The measured columns of /rounds, in the file's order of names."""
        counts = {"round", "virtual_time", "bytes_down", "bytes_up", "bytes_wasted", "energy", "invited",
                  "accepted", "late", "refused", "aborted", "staleness_mean"}
        rounds = self.table("rounds")
        return [name for name in rounds.columns if name not in counts and rounds[name].notna().any()]


class Runs:
    """Several runs side by side; `run` tells them apart."""

    def __init__(self, runs):
        self.runs = runs
        self.names = _names(runs)

    def __len__(self):
        return len(self.runs)

    def table(self, group):
        parts = []
        for run, name in zip(self.runs, self.names):
            frame = run.table(group)
            for place, (column, value) in enumerate((("run", name), ("case", run.case), ("seed", run.seed))):
                frame.insert(place, column, value)
            parts.append(frame)
        return _concatenated(parts)

    rounds = cached_property(lambda self: self.table("rounds"))
    devices = cached_property(lambda self: self.table("devices"))
    tiers = cached_property(lambda self: self.table("tiers"))
    layers = cached_property(lambda self: self.table("layers"))
    evaluations = cached_property(lambda self: self.table("evaluations"))
    memory = cached_property(lambda self: self.table("memory"))

    @cached_property
    def attempts(self):
        """With the class and the tier of the device beside each attempt."""
        attempts, devices = self.table("attempts"), self.devices
        if attempts.empty or "class" not in devices:
            return attempts
        return attempts.merge(devices[["run", "device", "class", "tier"]], on=["run", "device"], how="left")

    @cached_property
    def info(self):
        """One row a run: identity, model, status, digests."""
        return pd.DataFrame(
            [{"run": name, "path": run.path, **run.attributes, **run.provenance} for run, name in zip(self.runs, self.names)]
        )

    @cached_property
    def metrics(self):
        """The metrics as a long frame: run, case, seed, round, virtual_time, metric, value."""
        measured = sorted({metric for run in self.runs for metric in run.metrics})
        keys = ["run", "case", "seed", "round", "virtual_time"]
        long = self.rounds.melt(keys, [m for m in measured if m in self.rounds], "metric", "value")
        return long.dropna(subset=["value"]).reset_index(drop=True)


def datasets(path):
    """The groups of a run.h5 as xarray Datasets, by name."""
    import xarray

    with h5py.File(path, "r") as file:
        groups = [name for name in file if isinstance(file[name], h5py.Group)]
    return {group: xarray.open_dataset(path, group=group, engine="h5netcdf") for group in groups}


def results_sha256(path):
    """The digest of all results, computed from what the file holds: equals its attribute."""
    lines = []

    def add(name, node):
        if not isinstance(node, h5py.Dataset) or name.startswith("provenance/") or _is_bare_dimension(node):
            return
        data = "\n".join(_text(node)).encode() if h5py.check_string_dtype(node.dtype) else node[...].tobytes()
        words = node.attrs.get("flag_meanings", "")
        lines.append(f"/{name} {hashlib.sha256(data).hexdigest()}{' ' if words else ''}{words}\n")

    with h5py.File(path, "r") as file:
        file.visititems(add)
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _is_bare_dimension(node):
    return bytes(node.attrs.get("NAME", b"")).startswith(NO_VARIABLE)


def _text(node):
    return list(node.asstr()[...])


def _column(node):
    if h5py.check_string_dtype(node.dtype):
        return np.array(_text(node), dtype=object)
    values = node[...]
    if "flag_meanings" in node.attrs:
        return pd.Categorical.from_codes(values.astype(int), node.attrs["flag_meanings"].split())
    return values


def _frame(group):
    columns = {name: node for name, node in group.items() if isinstance(node, h5py.Dataset)}
    scales = [name for name in columns if columns[name].attrs.get("CLASS") == b"DIMENSION_SCALE"]
    wide = next((node for node in columns.values() if node.ndim == 2), None)
    if wide is None:
        rows = {len(columns[name]) for name in columns}
        if len(rows) > 1:
            raise OSError("columns of unequal length")
        order = scales + [name for name in columns if name not in scales]
        return pd.DataFrame({name: _column(columns[name]) for name in order})
    axes = [wide.dims[axis][0].name.rsplit("/", 1)[-1] for axis in range(2)]
    labels = [_column(columns[name]) for name in axes]
    grid = np.meshgrid(*(np.arange(len(label)) for label in labels), indexing="ij")
    frame = {name: label[index.ravel()] for name, label, index in zip(axes, labels, grid)}
    for name, node in columns.items():
        if name not in scales:
            frame[name] = node[...].ravel()
    return pd.DataFrame(frame)


def _concatenated(frames):
    """Frames below each other; categories are united so that they stay categories."""
    frames = [frame for frame in frames if len(frame.columns)]
    if not frames:
        return pd.DataFrame()
    for name in {n for frame in frames for n in frame if isinstance(frame[n].dtype, pd.CategoricalDtype)}:
        words = list(dict.fromkeys(w for frame in frames if name in frame for w in frame[name].cat.categories))
        for frame in frames:
            if name in frame:
                frame[name] = frame[name].cat.set_categories(words)
    return pd.concat(frames, ignore_index=True)


def _names(runs):
    """The shortest names that tell the runs apart: the run's own id, with its folder, or its path."""
    for name in (
        lambda run: run.attributes["run_id"],
        lambda run: f"{run.attributes['run_id']} ({run.folder})",
        lambda run: run.path,
    ):
        names = [name(run) for run in runs]
        if len(set(names)) == len(names):
            return names
    return [f"{run.path} #{i + 1}" for i, run in enumerate(runs)]
