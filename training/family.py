"""Writes models/README.md: the family side by side, from each model's config and evaluation.json.

    python family.py
"""

import json
from pathlib import Path
from statistics import stdev

from card import percent
from evaluate import EVALUATION
from export import CONFIG, WEIGHTS

MODELS = Path(__file__).resolve().parent.parent / "models"
FACTORS = ["concept", "group", "style", "count", "size", "position", "background", "backdrop", "effect"]
TEMPLATE = """# The embedded models

Small CLIPs trained on this project's [generated world](../docs/world.md). Each folder holds a card with data, recipe, curve and
limits. None of them is a substitute for CLIP.

| model | layers × width | heads | patch | seed | MB |
| --- | --- | --- | --- | --- | --- |
{shapes}

## Accuracy on compositions that training never showed, and on a style that it never showed
Zero-shot, in per cent, with Wilson's 95 % interval; {images:,} scenes.

{compositions}

The row "concept, unseen style" is of {unseen:,} other scenes, in the one drawing style that training never showed. The other
rows are of drawings that every model has seen, in combinations that none has.

{seeds}

## Elsewhere

| model | bias: colour agrees | bias: colour contradicts | worst group |
| --- | --- | --- | --- |
{elsewhere}

The bias columns are accuracies between the two concepts of a biased pair on scenes where the bias is absent; each
card says which the worst group is. Its interval is that of the lowest accuracy of all 24 groups. MB are of the float16 weights, {megabytes:.1f} together.
"""


def seeds_note(read: dict) -> str:
    """How much of a difference may be chance: the spread between seeds, where the family has one model from several."""
    spreads = []
    for base in (name for name in read if f"{name}-s2" in read):
        seeds = [r["compositions"] for name, r in read.items() if name == base or name.startswith(f"{base}-s")]
        spread = ", ".join(f"{f} {100 * stdev(s[f]['accuracy'] for s in seeds):.1f}" for f in FACTORS)
        spreads.append(f"- the {len(seeds)} of `{base}`: {spread}")
    if not spreads:
        return "One seed each, and different numbers of samples: a small difference between the models may be chance."
    return (
        "**Seeds.** Standard deviations between seeds, in points. Differences between models that are not clearly larger may be\n"
        "chance.\n\n" + "\n".join(spreads)
    )


def main() -> None:
    folders = sorted(path.parent for path in MODELS.glob(f"*/{EVALUATION}"))
    read = {path.name: json.loads((path / EVALUATION).read_text()) for path in folders}
    shapes, sizes = [], []
    for path in folders:
        vision = json.loads((path / CONFIG).read_text())["model_cfg"]["vision_cfg"]
        sizes.append((path / WEIGHTS).stat().st_size / 1e6)
        heads = vision["width"] // vision["head_width"]
        seed = path.name.rsplit("-s", 1)[1] if "-s" in path.name else "1"
        shape = f"{vision['layers']} × {vision['width']} | {vision['layers'] * heads} | {vision['patch_size']} | {seed}"
        shapes.append(f"| [{path.name}]({path.name}/README.md) | {shape} | {sizes[-1]:.1f} |")
    head = ["| factor | " + " | ".join(read) + " |", "| --- " * (len(read) + 1) + "|"]
    rows = [f"| {f} | " + " | ".join(percent(r["compositions"][f]) for r in read.values()) + " |" for f in FACTORS]
    unseen = " | ".join(percent(r["style"]["concept"]) for r in read.values())
    rows.insert(FACTORS.index("concept") + 1, f"| concept, unseen style | {unseen} |")
    elsewhere = [
        f"| {name} | {percent(r['bias']['aligned'])} "
        f"| {percent(r['bias']['conflicting'])} | {percent(r['bias']['worst'])} |"
        for name, r in read.items()
    ]
    text = TEMPLATE.format(
        shapes="\n".join(shapes),
        images=max(next(iter(read.values()))["compositions"][f]["n"] for f in FACTORS),
        compositions="\n".join(head + rows),
        unseen=max(r["style"]["concept"]["n"] for r in read.values()),
        seeds=seeds_note(read),
        elsewhere="\n".join(elsewhere),
        megabytes=sum(sizes),
    )
    (MODELS / "README.md").write_text(text)


if __name__ == "__main__":
    main()
