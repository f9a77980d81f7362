"""The generated world as arrays: pixels on disk; factors, captions and what each caption says in memory."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from bpe import encode

# The columns of every factor array; -1 says that a scene has no such factor, or that a caption does not mention it.
FACTORS = [
    "concept",
    "other",
    "group",
    "style",
    "count",
    "size",
    "position",
    "arrangement",
    "background",
    "backdrop",
    "effect",
    # Where black and white hides the colour, still what it was; no caption says it.
    "true background",
]
ARRANGEMENTS = ["beside", "above"]


class World:
    """The values of every factor, from world.json."""

    def __init__(self, folder: Path):
        described = json.loads((folder / "world.json").read_text())
        self.size, self.bias = described["size"], described["bias"]
        self.prompts = {name: [v["texts"] for v in values] for name, values in described["factors"].items()}
        self.values = {name: [v["value"] for v in values] for name, values in described["factors"].items()}
        self.index = {name: {v: i for i, v in enumerate(values)} for name, values in self.values.items()}
        self.index["other"] = self.index["concept"]
        self.index["true background"] = self.index["background"]
        self.index["arrangement"] = {v: i for i, v in enumerate(ARRANGEMENTS)}

    def factors(self, record: dict) -> list[int]:
        """One record's row. Black and white hides the colour; a scene of two has no one group."""
        concepts = [o["concept"] for o in record["objects"]]
        two = record["arrangement"] is not None
        values = {
            **record,
            "concept": concepts[0],
            "other": concepts[1] if two else None,
            "group": None if two else record["groups"][0],
            "background": None if record["effect"] == "black and white" else record["background"],
            "true background": record["background"],
        }
        return [self.index[name].get(values[name], -1) if values[name] is not None else -1 for name in FACTORS]


class Shards:
    """Images and their records, over all shards of a folder."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, context: int):
        self.world = World(folder)
        size = self.world.size
        cache = folder / "arrays.npz"
        files = sorted(folder.glob("images-*.u8"))
        self.images = [np.memmap(f, np.uint8, "r").reshape(-1, size, size, 3) for f in files]
        self.starts = np.cumsum([0] + [len(i) for i in self.images])
        if cache.exists() and len(np.load(cache)["factors"]) == len(self):
            arrays = np.load(cache)
        else:
            arrays = self._read_records(sorted(folder.glob("records-*.jsonl")), tokenizer, context)
            np.savez(cache, **arrays)
        self.factors, self.tokens, self.says = arrays["factors"], arrays["tokens"], arrays["says"]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def _read_records(self, files: list[Path], tokenizer: Tokenizer, context: int) -> dict:
        column = {name: i for i, name in enumerate(FACTORS)}
        parts = []
        for file in files:
            factors, says, texts = [], [], []
            for line in file.read_text().splitlines():
                record = json.loads(line)
                row = self.world.factors(record)
                factors.append(row)
                for caption in record["captions"]:
                    said = [-1] * len(FACTORS)
                    for name in caption["says"]:
                        said[column[name]] = row[column[name]]
                    if said[0] < 0:
                        said[0], said[1] = said[1], -1
                    says.append(said)
                    texts.append(caption["text"])
            n = len(factors)
            tokens = encode(tokenizer, texts, context).reshape(n, -1, context)
            parts.append((np.array(factors, np.int16), np.array(says, np.int16).reshape(n, -1, len(FACTORS)), tokens))
        return {name: np.concatenate(arrays) for name, arrays in zip(("factors", "says", "tokens"), zip(*parts))}

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        shard = np.searchsorted(self.starts, rows, side="right") - 1
        return np.stack([self.images[s][r - self.starts[s]] for s, r in zip(shard, rows)])


def batch_rows(n: int, batch: int, step: int, seed: int) -> np.ndarray:
    """The images of a step: a fresh order every epoch, the same whenever training is resumed."""
    epoch, at = divmod(step, n // batch)
    return epoch_order(n, epoch, seed)[at * batch : (at + 1) * batch]


@lru_cache(maxsize=1)
def epoch_order(n: int, epoch: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(n)
