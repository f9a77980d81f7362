"""Zero-shot accuracy of every factor: the image's embedding against texts that name each value."""

import numpy as np
import torch
import torch.nn.functional as F

from bpe import encode
from data import FACTORS, Shards
from intervals import minimum_interval, share

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


@torch.no_grad()
def measure(model, tokenizer, shards: Shards, n: int | None, context: int, names=MEASURED) -> dict[str, dict]:
    """Per factor: accuracy, n, chance and interval, over the images that have the factor; `n` None takes all images.

    Concept and group are asked of scenes of one concept only: a scene of two has two right answers.
    """
    n = len(shards) if n is None else min(n, len(shards))
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
        frequency = torch.bincount(label[known], minlength=len(classifier)).max().item() / count
        results[name] = {
            **share(hits, count),
            "values": len(classifier),
            "chance": 1 / len(classifier),
            "majority": frequency,
        }
    return results


@torch.no_grad()
def measure_bias(model, tokenizer, shards: Shards, context: int) -> dict:
    """How far the planted bias reaches, on scenes where it is absent: the concept chosen between the two of its pair.

    Four groups a pair, as in Waterbirds: each concept on its own side's colour (aligned) and on the other's (conflicting).
    `worst` is the group of lowest accuracy, with the interval of the lowest accuracy of all groups.
    """
    world = shards.world
    concepts = text_classifier(model, tokenizer, world.prompts["concept"], context)
    images = embed_images(model, shards, len(shards))
    factors = torch.from_numpy(shards.factors).long()
    shown, ground = factors[:, FACTORS.index("concept")], factors[:, FACTORS.index("true background")]
    backgrounds = world.bias["backgrounds"]
    groups, hits_among_all = [], (images @ concepts.T).argmax(1) == shown
    for pair in world.bias["pairs"]:
        indices = [world.index["concept"][name] for name in pair]
        choice = (images @ concepts[indices].T).argmax(1)
        for side, concept in enumerate(pair):
            for other, background in enumerate(backgrounds):
                here = (shown == indices[side]) & (ground == world.index["background"][background])
                hits, n = int((choice[here] == side).sum()), int(here.sum())
                kind = "aligned" if side == other else "conflicting"
                among_all = int(hits_among_all[here].sum())
                group = {"concept": concept, "against": pair[1 - side], "background": background, "kind": kind}
                groups.append({**group, "hits": hits, "among_all": among_all, **share(hits, n)})

    def total(kinds, key="hits"):
        chosen = [group for group in groups if group["kind"] in kinds]
        return share(sum(group[key] for group in chosen), sum(group["n"] for group in chosen))

    low, high = minimum_interval([(group["hits"], group["n"]) for group in groups])
    both = ("aligned", "conflicting")
    return {
        "all": total(both),
        **{kind: total([kind]) for kind in both},
        "among all concepts": {kind: total([kind], "among_all") for kind in both},
        "worst": {**min(groups, key=lambda group: group["accuracy"]), "low": low, "high": high},
        "groups": groups,
    }
