"""From run.h5 files to tidy frames.

Every frame begins with the columns run, case and seed, so that frames of several runs can be
stacked, grouped and joined. Words that the file keeps as numbers (outcome, cause, class) come as
pandas categories. Units are those of the file: seconds of virtual time, bytes, joules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd


class RunFileError(Exception):
    """A file that is no readable run of skiff; the message names it and says why."""


@dataclass
class Runs:
    """The tables of one or several runs, stacked."""

    rounds: pd.DataFrame
    attempts: pd.DataFrame
    devices: pd.DataFrame
    tiers: pd.DataFrame
    evaluations: pd.DataFrame
    memory: pd.DataFrame
    info: pd.DataFrame  # one row a run: its attributes and configuration
    paths: list[Path] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.info["run"]))


def find_runs(path: str | Path) -> list[Path]:
    """The run.h5 files of a path: itself, or all below a folder, sorted."""
    path = Path(path)
    if path.is_dir():
        found = sorted(path.rglob("run.h5"))
        if not found:
            raise RunFileError(f"{path}: no run.h5 in this folder")
        return found
    if not path.exists():
        raise RunFileError(f"{path}: no such file")
    return [path]


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _column(dataset: h5py.Dataset):
    values = dataset[()]
    if "flag_meanings" in dataset.attrs:
        words = _text(dataset.attrs["flag_meanings"]).split(" ")
        flags = [int(v) for v in np.atleast_1d(dataset.attrs["flag_values"])]
        place = {flag: i for i, flag in enumerate(flags)}
        codes = np.array([place.get(int(v), -1) for v in values.ravel()])
        return pd.Categorical.from_codes(codes, categories=words)
    if values.dtype.kind in "OS":
        return [_text(v) for v in values]
    return values


def _table(group: h5py.Group | None) -> pd.DataFrame:
    """Columns of one dimension; those of (round, label) become one row a pair."""
    if group is None:
        return pd.DataFrame()
    flat = {n: d for n, d in group.items() if isinstance(d, h5py.Dataset) and d.ndim == 1}
    wide = {n: d for n, d in group.items() if isinstance(d, h5py.Dataset) and d.ndim == 2}
    if not wide:
        return pd.DataFrame({n: _column(d) for n, d in flat.items()})
    shape = next(iter(wide.values())).shape
    axes = [next((n for n, d in flat.items() if len(d) == length and n not in used), None)
            for length, used in zip(shape, ([], []))]
    if axes[0] == axes[1]:  # as many rounds as labels: by name
        axes = ["round", next(n for n in flat if n != "round")]
    frame = pd.MultiIndex.from_product([list(_column(flat[a])) for a in axes],
                                       names=axes).to_frame(index=False)
    for name, dataset in wide.items():
        frame[name] = dataset[()].ravel()
    return frame


def _identity(file: h5py.File, path: Path) -> dict:
    attributes = {k: _text(v) if isinstance(v, (bytes, str)) else v
                  for k, v in file.attrs.items()}
    return {
        "run": attributes.get("name") or path.parent.name,
        "case": attributes.get("case", ""),
        "seed": int(attributes.get("seed", 0)),
        "status": attributes.get("status", ""),
        "run_id": attributes.get("run_id", ""),
        "results_sha256": attributes.get("results_sha256", ""),
        "fingerprint": attributes.get("fingerprint", ""),
        "path": str(path),
    }


TABLES = ("rounds", "attempts", "devices", "tiers", "evaluations", "memory")


def _load_one(path: Path) -> dict:
    try:
        with h5py.File(path, "r") as file:
            if "rounds" not in file:
                raise RunFileError(f"{path}: no table /rounds; this is no run of skiff")
            identity = _identity(file, path)
            tables = {name: _table(file.get(name)) for name in TABLES}
            provenance = file.get("provenance")
            if provenance is not None:
                for key in ("config_yaml", "config_sha256", "skiff_version"):
                    if key in provenance.attrs:
                        identity[key] = _text(provenance.attrs[key])
                    elif key in provenance:
                        identity[key] = _text(provenance[key][()])
    except OSError as error:
        raise RunFileError(f"{path}: not a readable HDF5 file ({error})") from error
    for frame in tables.values():
        for place, key in enumerate(("run", "case", "seed")):
            if key in frame.columns:
                frame.rename(columns={key: f"own_{key}"}, inplace=True)
            frame.insert(place, key, identity[key])
    return {"info": identity, **tables}


def load(*paths: str | Path) -> Runs:
    """Loads runs: files, or folders that hold any number of run.h5."""
    files = [f for path in paths for f in find_runs(path)]
    loaded = [_load_one(f) for f in files]

    def stacked(name: str) -> pd.DataFrame:
        frames = [run[name] for run in loaded if len(run[name].columns) > 3]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    return Runs(**{name: stacked(name) for name in TABLES},
                info=pd.DataFrame([run["info"] for run in loaded]), paths=files)


def open_dataset(path: str | Path, group: str = "rounds"):
    """One table of one run as an xarray.Dataset, with its dimensions and units."""
    import xarray

    return xarray.open_dataset(find_runs(path)[0], group=group, engine="h5netcdf")
