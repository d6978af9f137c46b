"""Compares an exported safetensors file with the run it came from: numpy and h5py, no skiff code.

usage: check_export.py RUN.h5 FILE.safetensors f32|bf16
"""
import json
import struct
import sys

import h5py
import numpy as np

with open(sys.argv[2], "rb") as file:
    data = file.read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
buffer = data[8 + length:]
with h5py.File(sys.argv[1]) as run:
    model = run["model"]
    values = model["values"][:]
    slices = [(name.decode(), rows, cols, offset, order) for name, rows, cols, offset, order in zip(
        model["slice"][:], model["rows"][:], model["cols"][:], model["offset"][:],
        model.attrs["order"].split())]
    assert header["__metadata__"]["run_id"] == run.attrs["run_id"]
    assert header["__metadata__"]["results_sha256"] == run.attrs["results_sha256"]
    assert header["__metadata__"]["format"] == "pt"
assert set(header) == {s[0] for s in slices} | {"__metadata__"}
covered = 0
for name, rows, cols, offset, order in slices:
    rows, cols, offset = int(rows), int(cols), int(offset)
    flat = values[offset:offset + rows * cols]
    matrix = flat.reshape(cols, rows).T if order == "by_column" else flat.reshape(rows, cols)
    entry = header[name]
    begin, end = entry["data_offsets"]
    assert begin == covered, "holes"
    covered = end
    if sys.argv[3] == "f32":
        assert entry["dtype"] == "F32"
        stored = np.frombuffer(buffer[begin:end], "<f4")
    else:
        assert entry["dtype"] == "BF16"
        stored = (np.frombuffer(buffer[begin:end], "<u2").astype(np.uint32) << 16).view(np.float32)
    assert entry["shape"] == ([rows] if cols == 1 and rows != 1 else [rows, cols]), entry["shape"]
    stored = stored.reshape(rows, cols)
    if sys.argv[3] == "f32":
        assert (stored.view(np.uint32) == np.ascontiguousarray(matrix).view(np.uint32)).all(), name
    else:
        assert np.abs(stored - matrix).max() <= np.abs(matrix).max() * 2.0**-8, name
assert covered == len(buffer)
print(len(slices), "tensors agree")
