"""Writes small run.h5 files in the layout of skiff, with numbers that can be checked by hand."""

import pathlib

import h5py
import numpy as np

OUTCOMES = "accepted late refused aborted"
CAUSES = "none ram storage tier battery unavailable network crash interrupted deadline not-finite"


def write_run(path, case="", seed=1, metrics=None, name="test", config=None, status="ok", rounds=None, attempts=None,
              devices=None, memory=None, evaluations=None):
    """metrics: {name: values a round}; rounds: overrides of columns; attempts, devices: {column: values}."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    metrics = metrics or {"test_accuracy": [0.1, 0.5, 0.9]}
    n = len(next(iter(metrics.values())))
    columns = dict(virtual_time=10.0 * np.arange(1, n + 1), bytes_down=np.full(n, 200, "u8"), bytes_up=np.full(n, 100, "u8"),
                   bytes_wasted=np.zeros(n, "u8"), energy=np.full(n, 2.0), invited=np.full(n, 4, "u4"),
                   accepted=np.full(n, 3, "u4"), late=np.full(n, 1, "u4"), refused=np.zeros(n, "u4"),
                   aborted=np.zeros(n, "u4"), staleness_mean=np.zeros(n))
    columns.update(rounds or {})
    columns.update({key: np.array(values, float) for key, values in metrics.items()})
    text = "seed: %d\ndata:\n  clients: 4\n%s" % (seed, config or "")
    with h5py.File(path, "w") as file:
        file.attrs.update(dict(schema_version=1, run_id=f"{name}-{case}-s{seed}", name=name, case=case, seed=seed,
                               status=status, results_sha256="0" * 64, fingerprint="f" * 16, heuristics="", model="mlp",
                               parameters=10, protocol="synchronous, 3 of 4", rounds=n, devices=2, neutral_defaults=""))
        provenance = file.create_group("provenance")
        provenance.attrs.update(dict(config_yaml=text, overrides="", config_sha256="c" * 64, skiff_version="0.1.0",
                                     git_commit="abc", compiler="g++", cpu="x", threads=1,
                                     started_utc="2026-01-01T00:00:00Z", library_versions=""))
        _table(file, "rounds", "round", np.arange(1, n + 1, dtype="u4"), columns)
        _table(file, "attempts", "attempt", None, attempts or attempts_of(n), {"outcome": OUTCOMES, "cause": CAUSES})
        devices = devices or dict(tier=np.zeros(2, "u1"), memory_limit=np.array([1000, 300], "u8"),
                                  peak_memory=np.array([160, 140], "u8"), samples=np.array([5, 5], "u4"))
        devices.setdefault("class", np.arange(2, dtype="u1"))
        _table(file, "devices", "device", None, devices, {"class": "phone sensor", "tier": "none"})
        _memory(file, memory or {"all": [40, 40, 0, 30, 0, 10, 0]})
        if evaluations:
            _table(file, "evaluations", "evaluation", None, evaluations,
                   {"scope": "global tier client prefix", "split": "test train held_out", "metric": "test_accuracy"})
    return path


def attempts_of(rounds):
    """Four tries a round: three accepted after 2, 4 and 6 s, the last one late after 8 s."""
    n = 4 * rounds
    start = np.repeat(10.0 * np.arange(rounds), 4)
    took = np.tile([2.0, 4.0, 6.0, 8.0], rounds)
    return dict(device=np.tile([0, 1, 0, 1], rounds).astype("u4"), round=np.repeat(np.arange(1, rounds + 1), 4).astype("u4"),
                outcome=np.tile([0, 0, 0, 1], rounds).astype("u1"), cause=np.tile([0, 0, 0, 9], rounds).astype("u1"),
                selected=start, download_end=start + 0.25 * took, train_end=start + 0.5 * took, upload_end=start + took,
                encoded_bytes=np.full(n, 25, "u8"), bytes_up=np.full(n, 25, "u8"), bytes_down=np.full(n, 50, "u8"),
                peak_memory=np.full(n, 150, "u8"), battery_start=np.linspace(0.9, 0.5, n), battery_end=np.linspace(0.89, 0.49, n))


def _table(file, group, dimension, index, columns, words=()):
    columns = {key: np.asarray(values) for key, values in columns.items()}
    n = len(next(iter(columns.values())))
    group = file.create_group(group)
    scale = group.create_dataset(dimension, data=np.arange(n, dtype="u4") if index is None else index)
    scale.make_scale(dimension)
    for key, values in columns.items():
        node = group.create_dataset(key, data=values)
        node.dims[0].attach_scale(scale)
        if key in dict(words):
            node.attrs["flag_meanings"] = dict(words)[key]


def _memory(file, plans):
    group = file.create_group("memory")
    parts = ["weights", "gradients", "optimizer_state", "activations", "adapters", "scratch", "runtime"]
    scales = []
    for key, values in (("plan", list(plans)), ("part", parts)):
        scale = group.create_dataset(key, data=np.array(values, dtype=object), dtype=h5py.string_dtype())
        scale.make_scale(key)
        scales.append(scale)
    node = group.create_dataset("bytes", data=np.array(list(plans.values()), "u8"))
    for axis, scale in enumerate(scales):
        node.dims[axis].attach_scale(scale)


def write_sweep(folder, seeds=(1, 2, 3), index=True):
    """Two cases by three seeds. final: slow 0.4, 0.5, 0.6; fast 0.6, 0.8, 0.7 (seeds 1, 2, 3)."""
    finals = {"slow": {1: 0.4, 2: 0.5, 3: 0.6}, "fast": {1: 0.6, 2: 0.8, 3: 0.7}}
    lines = ["case,seed,file,status"]
    for case in ("slow", "fast"):
        for seed in seeds:
            end = finals[case][seed]
            config = f"training:\n  batch: {10 if case == 'slow' else 20}\n  method:\n    name: fedavg\n"
            attempts = attempts_of(3)
            attempts["bytes_up"] = np.full(12, 100 if case == "slow" else 25, "u8")
            write_run(folder / case / f"aaaa-s{seed}" / "run.h5", case, seed, attempts=attempts, config=config,
                      metrics={"test_accuracy": [0.1, end / 2, end], "test_loss": [2.0, 1.5, 1.0]})
            lines.append(f"{case},{seed},{case}/aaaa-s{seed}/run.h5,ok")
    if index:
        (folder / "index.csv").write_text("\n".join(lines) + "\n")
    return folder
