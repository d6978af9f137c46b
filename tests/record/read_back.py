"""Opens a run.h5 of the sample run as its users do, and checks what they see."""
import hashlib
import sys

import h5py
import numpy as np
import pandas as pd
import xarray as xr

path = sys.argv[1]
UNITS = {"s", "B", "J", "1", "nat", "s-1", "B s-1"}


def results_sha256(file):
    lines = []

    def visit(name, node):
        if not isinstance(node, h5py.Dataset) or name.startswith("provenance/"):
            return
        if b"not a netCDF variable" in bytes(node.attrs.get("NAME", b"")):
            return
        if h5py.check_string_dtype(node.dtype):
            digest = hashlib.sha256("\n".join(node.asstr()[...]).encode()).hexdigest()
        else:
            digest = hashlib.sha256(node[...].tobytes()).hexdigest()
        words = node.attrs.get("flag_meanings", "")
        lines.append(f"/{name} {digest}" + (f" {words}" if words else "") + "\n")

    file.visititems(visit)
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


with h5py.File(path) as file:
    assert file.attrs["status"] == "ok" and file.attrs["seed"] == 7
    assert file.attrs["results_sha256"] == results_sha256(file)
    assert file["provenance"].attrs["config_yaml"].startswith("seed: 7")
    assert file["attempts/outcome"].dtype == np.uint8
    assert file["attempts/outcome"].attrs["flag_meanings"].split()[1] == "late"
    assert list(file["attempts/outcome"].attrs["flag_values"]) == [0, 1, 2, 3]
    assert file["attempts/bytes_up"].dtype == np.uint64
    assert file["attempts/selected"].dtype == np.float64
    for group in ("rounds", "attempts", "devices", "tiers", "layers", "memory"):
        for name, node in file[group].items():
            if h5py.check_string_dtype(node.dtype) or "flag_meanings" in node.attrs:
                continue
            assert node.attrs["units"] in UNITS, (group, name)
            assert node.attrs["long_name"], (group, name)

rows = {"rounds": ("round", 60), "attempts": ("attempt", 1560), "devices": ("device", 200)}
for engine in ("h5netcdf", "netcdf4"):
    for group, (dimension, size) in rows.items():
        try:
            data = xr.open_dataset(path, group=group, engine=engine)
        except (ModuleNotFoundError, ValueError) as problem:
            assert engine == "netcdf4", problem  # not everybody has it
            continue
        assert data.sizes[dimension] == size and dimension in data.coords, (engine, group)
        assert all(v.dims == (dimension,) for v in data.data_vars.values())
        data.close()

rounds = xr.open_dataset(path, group="rounds", engine="h5netcdf")
assert rounds.virtual_time.dtype == np.float64 and rounds.virtual_time.attrs["units"] == "s"
assert float(rounds.test_accuracy.sel(round=60)) > 0.9
frame = rounds.to_dataframe()
assert isinstance(frame, pd.DataFrame) and list(frame.index) == list(range(1, 61))

tiers = xr.open_dataset(path, group="tiers", engine="h5netcdf")
assert tiers.accuracy.dims == ("round", "tier")
assert list(tiers.tier.values) == ["high-end", "low-end"]
assert tiers.model_bytes.sel(tier="low-end").values[0] == 80_000

layers = xr.open_dataset(path, group="layers", engine="h5netcdf")
assert float(layers.error.sel(round=1, layer="output")) == 0.1
assert np.isnan(layers.error.sel(round=1, layer="hidden.0"))

memory = xr.open_dataset(path, group="memory", engine="h5netcdf")
assert int(memory.bytes.sel(plan="low-end", part="weights")) == 400_000

model = xr.open_dataset(path, group="model", engine="h5netcdf")
assert model["values"].sizes["parameter"] == 1000 and list(model.slice.values)[1] == "output.weight"

wall = xr.open_dataset(path, group="provenance", engine="h5netcdf")
assert wall.wall_time.dims == ("round",) and wall.attrs["threads"] == 2

attempts = pd.DataFrame({k: v[...] for k, v in h5py.File(path)["attempts"].items()})
late = attempts[attempts.outcome == 1]
assert len(late) == 288 and (late.cause == 9).all() and late.upload_end.notna().all()
assert attempts[attempts.outcome == 2].upload_end.isna().all()
