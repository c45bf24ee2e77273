"""Writes an adapter, as training leaves it (numpy's npz), in the format that `src/adapter.rs` reads. Needs numpy.

  python3 adapter.py adapter-r32.npz ../data/adapter.bin
"""
import struct
import sys

import numpy as np


def name_of(trained):
    """`layers.3.q.A` is `l3.q.w.down` here, `layers.3.aln.weight` is `l3.aln.w`, `eln.bias` is `emb.ln.b`."""
    name = trained.replace("layers.", "l").replace("eln.", "emb.ln.").replace(".weight", ".w").replace(".bias", ".b")
    return name.removesuffix(".A") + ".w.down" if name.endswith(".A") else name


def parts(trained):
    for name in sorted(trained.files):
        numbers = trained[name].astype("<f4")
        if numbers.ndim == 1:
            yield name_of(name), 0, numbers[None, :]
        elif name.endswith(".B"):
            yield name_of(name.removesuffix(".B")) + ".w.up", 1, numbers
        else:
            yield name_of(name), 1, numbers


def packed(kind, numbers):
    if kind == 0:
        return numbers.tobytes()
    scales = np.maximum(np.abs(numbers).max(1), 1e-12).astype("<f4") / np.float32(127)
    small = np.rint(numbers / scales[:, None]).astype("i1")
    return b"".join(scale.tobytes() + row.tobytes() for scale, row in zip(scales, small))


source, target = sys.argv[1:]
found = list(parts(np.load(source)))
with open(target, "wb") as out:
    out.write(b"MISYLORA" + struct.pack("<I", len(found)))
    for name, kind, numbers in found:
        out.write(struct.pack("<B", len(name)) + name.encode() + struct.pack("<BII", kind, *numbers.shape) + packed(kind, numbers))
