"""Reads an index with NumPy alone: python3 examples/index_from_python.py INDEX (pip install numpy).

Prints the images that a head responds to most, and those most like the first image. docs/index-format.md has every file.
"""

import json
import sys
from pathlib import Path

import numpy as np

LAYER, HEAD = 3, 1

index = Path(sys.argv[1])
manifest = json.loads((index / "manifest.json").read_text())
shards = [index / "shards" / shard["name"] for shard in manifest["shards"]]

paths, strength, embeddings = [], [], []
for shard in shards:
    with open(shard / "images.jsonl", encoding="utf8") as lines:
        paths += [json.loads(line)["path"] for line in lines]
    heads = np.load(shard / "heads.npy", mmap_mode="r")  # [L, H, n, d]
    strength.append(np.linalg.norm(heads[LAYER, HEAD].astype(np.float64), axis=1))
    embeddings.append(np.load(shard / "embedding.npy"))  # [n, D], of length 1

strength, embeddings = np.concatenate(strength), np.concatenate(embeddings)
print(f"{len(paths)} images, {manifest['layers']} layers of {manifest['heads']} heads")
for i in np.argsort(-strength, kind="stable")[:3]:
    print(f"L{LAYER}.H{HEAD}  {strength[i]:.3f}  {paths[i]}")
cosines = embeddings.astype(np.float64) @ embeddings[0].astype(np.float64)
for i in np.argsort(-cosines, kind="stable")[1:4]:
    print(f"like {paths[0]}  {cosines[i]:.3f}  {paths[i]}")
