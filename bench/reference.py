"""The published TEXTSPAN over arrays, in PyTorch, for `npm run bench -- reference`: `pip install torch numpy`.

Written from the paper's algorithm 1 ("Interpreting CLIP's Image Representation via Text-Based Decomposition"), with the products,
reductions and subtractions over dense arrays that the published scripts do. Reads requests as lines of JSON, answers each by one.
"""

import json
import sys
import time

import numpy
import torch

torch.set_grad_enabled(False)


def textspan(contributions, texts, steps, rank):
    rows = numpy.linalg.svd(contributions, full_matrices=False)[2][:rank]
    projected = torch.from_numpy(texts @ rows.T @ rows)
    left = torch.from_numpy(contributions)
    left = left - left.mean(dim=0)
    chosen = []
    for _ in range(steps):
        best = int((left @ projected.T).var(dim=0).argmax())
        chosen.append(best)
        along = projected[best] / projected[best].norm()
        left = left - torch.outer(left @ along, along)
        projected = projected - torch.outer(projected @ along, along)
    return chosen


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    contributions, texts = numpy.load(asked["contributions"]), numpy.load(asked["texts"])
    started = time.perf_counter()
    chosen = textspan(contributions, texts, asked["steps"], asked["rank"])
    print(json.dumps({"chosen": chosen, "ms": 1000 * (time.perf_counter() - started)}), flush=True)
