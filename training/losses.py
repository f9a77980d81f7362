"""What is minimised: a contrastive loss that knows which captions are true of which images, and linear probes."""

import torch
import torch.nn.functional as F
from torch import nn

from data import FACTORS

CONCEPT, OTHER, ARRANGEMENT = (FACTORS.index(name) for name in ("concept", "other", "arrangement"))
PLAIN = [i for i in range(len(FACTORS)) if i not in (CONCEPT, OTHER)]

# Auxiliary heads on the image embedding, with their weights; they are thrown away after training.
PROBES = {"concept": 1.0, "style": 0.3, "count": 0.3, "position": 0.4, "background": 0.2, "effect": 0.2, "size": 0.1}


def truth(says, factors):
    """[captions, images]: whether each caption of the batch is true of each image of the batch.

    A caption drawn for one image often holds for others ("a red background"): treating those as wrong would
    teach the model to tell apart what the words do not.
    """
    said, seen = says[:, None, :], factors[None, :, :]
    true = torch.ones(len(says), len(factors), dtype=torch.bool)
    for column in PLAIN:
        true &= (said[..., column] < 0) | (said[..., column] == seen[..., column])
    for column in (CONCEPT, OTHER):
        named = said[..., column]
        shown = (named == seen[..., CONCEPT]) | (named == seen[..., OTHER])
        true &= (named < 0) | shown
    ordered = (said[..., ARRANGEMENT] < 0) | (said[..., CONCEPT] == seen[..., CONCEPT])
    return true & ordered


def contrastive(image, text, logit_scale, true):
    """Symmetric cross-entropy whose target is uniform over the pairs that are true."""
    logits = logit_scale.exp().clamp(max=100) * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
    target = true.T.float()
    by_image = -(target / target.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    by_text = -(target / target.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
    return (by_image + by_text) / 2


# Factors that every image is also classified by against the texts of all their values, with their weights.
PROMPTED = {"concept": 0.5, "group": 1.0}


def prompted(image, text, logit_scale, factors, sizes: dict[str, int]):
    """Zero-shot classification as a loss: in a batch few captions name a group, and few of the other concepts are there.

    `text` holds one embedding a value, the factors of PROMPTED one after another; a scene of two shows both concepts.
    """
    logits = logit_scale.exp().clamp(max=100) * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
    total = 0.0
    for (name, weight), part in zip(PROMPTED.items(), logits.split([sizes[name] for name in PROMPTED], dim=1)):
        total = total + weight * labelled(part, factors, name)
    return total


def labelled(logits, factors, name: str):
    """Cross-entropy over the images that have the factor; a scene of two shows both its concepts."""
    loss = F.cross_entropy(logits, factors[:, FACTORS.index(name)].long(), ignore_index=-1)
    if name != "concept":
        return loss
    second = torch.where(factors[:, OTHER] >= 0, factors[:, OTHER], factors[:, CONCEPT]).long()
    return (loss + F.cross_entropy(logits, second)) / 2


class Probes(nn.Module):
    """One linear classifier a factor on the image embedding."""

    def __init__(self, width: int, sizes: dict[str, int]):
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(width, sizes[name]) for name in PROBES})

    def forward(self, embedding, factors):
        """The weighted loss, over the images that have the factor."""
        return sum(weight * labelled(self.heads[name](embedding), factors, name) for name, weight in PROBES.items())
