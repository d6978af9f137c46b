"""Writes small valid inputs for readers_fuzz.cpp: a byte that says which reader, then the file.

usage: make_corpus.py FOLDER
"""
import json
import pathlib
import struct
import sys

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def put(name, reader, data):
    (folder / name).write_bytes(bytes([reader]) + data)


def safetensors(tensors):
    header, values = {"__metadata__": {"format": "pt"}}, b""
    for name, dtype, width, shape in tensors:
        count = 1
        for d in shape:
            count *= d
        begin = len(values)
        values += b"\0" * (count * width)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, len(values)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def norms_and_matrices():
    norms, matrices = 3 * 8, [4 * 8, 64, 32, 32, 64, 96, 96, 96]
    return norms, matrices


put("safetensors", 0, safetensors([("a.weight", "F32", 4, [2, 3]), ("a.bias", "BF16", 2, [2]),
                                   ("ids", "I64", 8, [1]), ("half", "F16", 2, [])]))
shape = struct.pack("<7i", 8, 12, 1, 2, 1, 4, 4)
norms, matrices = norms_and_matrices()
floats = norms + sum(matrices)
put("v0", 1, shape + b"\0" * 4 * (floats + 4 * 4))
head = struct.pack("<Ii", 0x616B3432, 1) + shape + b"\1"
put("v1", 1, head.ljust(256, b"\0") + b"\0" * 4 * floats)
head = struct.pack("<Ii", 0x616B3432, 2) + shape + b"\1" + struct.pack("<i", 4)
codes = b"".join(b"\0" * n + b"\0" * n for n in matrices)  # as many bytes of scales: groups of 4
put("v2", 1, head.ljust(256, b"\0") + b"\0" * 4 * norms + codes)
for family in ("llama", "qwen2", "gemma", "phi", "bert", "mobilebert", "vit"):
    put("config-" + family, 2, json.dumps({
        "model_type": family, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
        "max_position_embeddings": 64, "rope_theta": 1e4, "rope_scaling": {"rope_type": "llama3"},
        "tie_word_embeddings": True}).encode())
put("config-distilbert", 2, b'{"model_type": "distilbert", "dim": 64}')
put("config-cifg", 2, b'{"model_type": "cifg-lstm", "hidden_size": 8, "embedding_size": 4, "vocab_size": 9}')
pieces = [b"<unk>", b"\n<s>\n", b"\n</s>\n"] + [f"<0x{i:02X}>".encode() for i in range(256)]
pieces += [b" ", b"a", b"b", b" a", b"ab", b"aa"]
put("tokenizer", 3, struct.pack("<i", 8) + b"".join(
    struct.pack("<fi", float(i % 7), len(p)) + p for i, p in enumerate(pieces)))
