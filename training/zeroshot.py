"""Zero-shot accuracy of every factor: the image's embedding against texts that name each value."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from bpe import encode
from data import FACTORS, Shards

MEASURED = ["concept", "group", "style", "count", "size", "position", "background", "backdrop", "effect"]


def text_classifier(model, tokenizer, prompts: list[list[str]], context: int):
    """One unit vector a value: the mean over the value's texts."""
    flat = [text for texts in prompts for text in texts]
    ids = torch.from_numpy(encode(tokenizer, flat, context)).long()
    embedded = F.normalize(model.encode_text(ids), dim=-1)
    parts = embedded.split([len(texts) for texts in prompts])
    return F.normalize(torch.stack([part.mean(0) for part in parts]), dim=-1)


def embed_images(model, shards: Shards, n: int, batch: int = 500):
    """Unit embeddings of the first n images."""
    out = []
    for start in range(0, n, batch):
        pixels = torch.from_numpy(shards.pixels(np.arange(start, min(n, start + batch))))
        out.append(F.normalize(model.visual(model.visual.patches(pixels)), dim=-1))
    return torch.cat(out)


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    p, z2 = hits / n, 1.96**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = 1.96 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half, middle + half


@torch.no_grad()
def measure(model, tokenizer, shards: Shards, n: int, context: int, names=MEASURED) -> dict[str, dict]:
    """Per factor: accuracy, n, chance and interval, over the images that have the factor.

    Concept and group are asked of scenes of one concept only: a scene of two has two right answers.
    """
    n = min(n, len(shards))
    images = embed_images(model, shards, n)
    factors = torch.from_numpy(shards.factors[:n]).long()
    alone = factors[:, FACTORS.index("other")] < 0
    results = {}
    for name in names:
        classifier = text_classifier(model, tokenizer, shards.world.prompts[name], context)
        label = factors[:, FACTORS.index(name)]
        known = (label >= 0) & alone if name in ("concept", "group") else label >= 0
        hits = int(((images @ classifier.T).argmax(1) == label)[known].sum())
        count = int(known.sum())
        low, high = interval(hits, count)
        frequency = torch.bincount(label[known], minlength=len(classifier)).max().item() / count
        results[name] = {
            "accuracy": hits / count,
            "low": low,
            "high": high,
            "n": count,
            "values": len(classifier),
            "chance": 1 / len(classifier),
            "majority": frequency,
        }
    return results
