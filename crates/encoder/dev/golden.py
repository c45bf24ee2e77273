"""Writes `tests/it/golden.tsv`: texts, their pieces and their vectors with the adapter, reckoned by numpy in 32-bit floats.

  python3 golden.py PACKED_E5_DIR e5-small-q4.bin adapter-r32.npz > ../tests/it/golden.tsv

PACKED_E5_DIR holds `packed_e5.py`, the reference reader of the file and its tokenizer. A vector is written as
`Embedding::to_bytes` does, in hexadecimal.
"""
import math
import struct
import sys

import numpy as np

sys.path.insert(0, sys.argv[1])
from packed_e5 import encode, load  # noqa: E402

TEXTS = [
    ("query", "¿Cuánto cuesta el corte de pelo?"),
    ("query", "my kid threw up in the car, do I still pay for the lesson??"),
    ("query", "oi, vcs entregam no domingo?"),
    ("query", "ok"),
    ("query", ""),
    ("query", "ＦＵＬＬ  ｗｉｄｔｈ ① ﬁne\u00a0space 🙂 日本語"),
    ("passage", "¿Cuál es el precio de un corte?"),
    ("passage", "Do you deliver on Sundays? Yes, from nine to one, within the ring road."),
    ("passage", "palabra " * 120),
]

erf = np.vectorize(math.erf, otypes=[np.float32])
config, tokenizer, weights = load(sys.argv[2])
changes = np.load(sys.argv[3])
hidden, heads = config["H"], config["NH"]


def numbers(name):
    return changes[name].astype(np.float32)


def linear(layer, part, x):
    weight = weights[f"l{layer}.{part}.w"].reshape(-1, x.shape[1])
    name = f"layers.{layer}.{part}"
    return x @ (weight + numbers(name + ".B") @ numbers(name + ".A")).T + numbers(name + ".b")


def norm(name, x):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x * x).mean(-1, keepdims=True) + config["eps"])
    return x * numbers(name + ".weight") + numbers(name + ".bias")


def split(x):
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def embed(pieces):
    x = weights["emb.word"].reshape(-1, hidden)[pieces]
    x = norm("eln", x + weights["emb.pos"].reshape(-1, hidden)[: len(pieces)] + weights["emb.type"][:hidden])
    for at in range(config["NL"]):
        queries, keys, values = (split(linear(at, part, x)) for part in "qkv")
        scores = queries @ keys.transpose(0, 2, 1) / math.sqrt(hidden // heads)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        attended = (scores / scores.sum(-1, keepdims=True) @ values).transpose(1, 0, 2).reshape(len(x), hidden)
        x = norm(f"layers.{at}.aln", x + linear(at, "ao", attended))
        wide = linear(at, "fi", x)
        x = norm(f"layers.{at}.oln", x + linear(at, "fo", wide * (1 + erf(wide / math.sqrt(2))) / 2))
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


for kind, text in TEXTS:
    pieces = encode(tokenizer, f"{kind}: {text}")
    vector = embed(pieces)
    most = np.float32(np.abs(vector).max())
    small = np.rint(vector / most * 127).astype("i1")
    print(kind, text, ",".join(map(str, pieces)), (struct.pack("<f", most) + small.tobytes()).hex(), sep="\t")
