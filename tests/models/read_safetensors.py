"""Reads a safetensors file by the description of the format alone, and prints what it holds.

usage: read_safetensors.py FILE
"""
import json
import struct
import sys


def values(dtype, raw):
    if dtype == "F32":
        return struct.unpack(f"<{len(raw) // 4}f", raw)
    if dtype == "BF16":  # the upper half of a float32
        wide = b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw), 2))
        return struct.unpack(f"<{len(raw) // 2}f", wide)
    return struct.unpack(f"<{len(raw) // 2}e", raw)


with open(sys.argv[1], "rb") as file:
    data = file.read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
buffer = data[8 + length:]
print("values begin at a multiple of 8:", length % 8 == 0)
for name, entry in header.items():
    if name == "__metadata__":
        continue
    begin, end = entry["data_offsets"]
    listed = " ".join(f"{v:.9g}" for v in values(entry["dtype"], buffer[begin:end]))
    print(name, entry["dtype"], entry["shape"], listed)
