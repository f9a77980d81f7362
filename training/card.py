"""Writes a model's card from its config, its training log and its evaluation: the numbers are never typed by hand.

    python card.py --model ../models/NAME --run RUN
"""

import argparse
import csv
import json
from pathlib import Path

from export import CONFIG, WEIGHTS

TEMPLATE = """# {name}

A small CLIP (contrastive image and text model) trained on a generated world of emoji drawings. It exists so that
interpretation tools can be tried, tested and *checked*: every image of its world has a known concept, style, count,
position, background and effect, and a mask of every object.

**What it is not.** It is no substitute for CLIP. It knows {concepts} concepts drawn as icons, and the words of its own
captions. A photograph is outside its world, and what it says of one means nothing.

| | |
| --- | --- |
| architecture | OpenCLIP ViT: {layers} layers, width {width}, {heads} heads of {head_width}, patch {patch}, image {image}; GELU |
| text tower | {text_layers} layers, width {text_width}, {text_heads} heads, context {context}, byte-level BPE of {vocabulary} tokens (lower-cased) |
| embedding | {embed} |
| weights | float16, {megabytes:.1f} MB, OpenCLIP's tensor names |
| pixels | shortest side to {image} (bicubic), centre crop, mean 0.5, standard deviation 0.5 |

## Data
Scenes of this project's world (docs/world.md): one to four of a concept, or two concepts, in one of four drawing
styles, on twelve background colours, plain or graded, with photographic effects; captions that mention a random subset
of what is seen. {images:,} different scenes, four captions each. One style (`crisp`) never appears in training.

The drawings come from open icon sets:

| style | icon set | author | licence |
| --- | --- | --- | --- |
| soft | [Noto Emoji](https://github.com/googlefonts/noto-emoji) | Google | Apache-2.0 |
| flat | [Twemoji](https://github.com/jdecked/twemoji) | Twitter and contributors | CC-BY-4.0 |
| bold | [Fluent Emoji Flat](https://github.com/microsoft/fluentui-emoji) | Microsoft | MIT |
| retro | [Noto Emoji v1](https://github.com/googlefonts/noto-emoji) | Google | Apache-2.0 |
| crisp (never in training) | [Emoji One 2.3](https://github.com/EmojiTwo/emojitwo) | Emoji One | CC-BY-4.0 |

## Recipe
docs/training.md. {samples:,} samples in batches of 128 on two CPU cores; AdamW, peak learning rate 1.5e-3, warm-up and
cosine; a symmetric contrastive loss whose targets are all captions of the batch that are *true* of an image, plus
linear probes (concept, style, count, position, background, effect, size) on the image embedding, thrown away afterwards.
In the first half of the schedule the model saw a random half of the patches.

## Accuracy
Zero-shot (the image's embedding against texts that name each value), the exported float16 weights computed in float32.
In brackets Wilson's 95 % interval. Concept and group are asked of scenes of one concept.

Fresh scenes in the training styles (another seed; combinations of factors are not held out):

{test}

Scenes in the style that training never showed:

{held_out}

## Training curve
Zero-shot accuracy on 2,000 of the fresh scenes as training went on; nothing was selected by it.

{curve}

## Limits
- Everything it can name is in `world/concepts.ts` and `world/factors.ts`; a word outside those captions is noise to it.
- A style that it has not seen costs it much of its concept accuracy (above): with four drawings of each concept it
  learns the drawings as much as the concept.
- Objects smaller than about a fifth of the image's side are outside its training. A drawing in the colour of its
  background (a yellow star on yellow) is in it, and hard to see for anyone.
- Position is known for single small and medium objects only; for two objects the captions say which is left or above.
- One model from one seed: differences from other models of this size may be chance.
"""


def accuracy_table(results: dict) -> str:
    rows = ["| factor | accuracy | n | values | chance |", "| --- | --- | --- | --- | --- |"]
    for name, r in results.items():
        interval = f"[{100 * r['low']:.1f}, {100 * r['high']:.1f}]"
        chance = f"{100 * r['chance']:.1f} %"
        if r["majority"] > 1.3 * r["chance"]:
            chance += f" (always the commonest: {100 * r['majority']:.1f} %)"
        rows.append(f"| {name} | {100 * r['accuracy']:.1f} % {interval} | {r['n']:,} | {r['values']} | {chance} |")
    return "\n".join(rows)


def curve_table(log: list[dict], rows: int = 12) -> str:
    names = ["concept", "group", "style", "count", "position", "background", "effect"]
    chosen = [log[round(i * (len(log) - 1) / (rows - 1))] for i in range(rows)] if len(log) > rows else log
    lines = ["| samples | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    for row in chosen:
        shares = " | ".join(f"{100 * float(row[name]):.0f} %" for name in names)
        lines.append(f"| {int(row['samples']):,} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--images", type=int, required=True, help="how many different scenes were trained on")
    options = parser.parse_args()
    config = json.loads((options.model / CONFIG).read_text())["model_cfg"]
    vision, text = config["vision_cfg"], config["text_cfg"]
    results = json.loads((options.run / "evaluation.json").read_text())
    with (options.run / "log.csv").open() as file:
        log = list(csv.DictReader(file))
    card = TEMPLATE.format(
        name=options.model.name,
        concepts=results["test"]["concept"]["values"],
        layers=vision["layers"],
        width=vision["width"],
        heads=vision["width"] // vision["head_width"],
        head_width=vision["head_width"],
        patch=vision["patch_size"],
        image=vision["image_size"],
        text_layers=text["layers"],
        text_width=text["width"],
        text_heads=text["heads"],
        context=text["context_length"],
        vocabulary=text["vocab_size"],
        embed=config["embed_dim"],
        megabytes=(options.model / WEIGHTS).stat().st_size / 1e6,
        images=options.images,
        samples=int(log[-1]["samples"]),
        test=accuracy_table(results["test"]),
        held_out=accuracy_table(results["held-out style"]),
        curve=curve_table(log),
    )
    (options.model / "README.md").write_text(card)


if __name__ == "__main__":
    main()
