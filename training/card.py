"""Writes a model's card from its config, its training log and its evaluation: the numbers are never typed by hand.

    python card.py --model ../models/NAME --run RUN --data DIR/train
"""

import argparse
import csv
import json
from pathlib import Path

from evaluate import EVALUATION
from export import CONFIG, WEIGHTS

TEMPLATE = """---
language: en
license: mit
library_name: open_clip
pipeline_tag: zero-shot-image-classification
tags:
  - clip
  - interpretability
  - attention-heads
model-index:
  - name: {name}
    results:
      - task:
          type: zero-shot-image-classification
        dataset:
          name: generated emoji scenes, compositions that training never showed
          type: generated
        metrics:
          - type: accuracy
            name: concept, {concepts} classes
            value: {concept_accuracy:.4f}
---

# {name}

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
| seed | {seed} |

## Data
The training split of this project's world (docs/world.md): one to four of a concept, or two concepts, in one of four
drawing styles, on twelve background colours, plain or graded, with photographic effects; captions that mention a random
subset of what is seen. {images:,} different scenes, four captions each. Training never shows one style (`crisp`), nor any
concept on one colour of its own, and it plants one bias: {pairs} pairs of concepts that look alike stand, in 95 % of
their scenes, one on green and the other on blue.

The drawings come from open icon sets:

| style | icon set | author | licence |
| --- | --- | --- | --- |
| soft | [Noto Emoji](https://github.com/googlefonts/noto-emoji) | Google | Apache-2.0 |
| flat | [Twemoji](https://github.com/jdecked/twemoji) | Twitter and contributors | CC-BY-4.0 |
| bold | [Fluent Emoji Flat](https://github.com/microsoft/fluentui-emoji) | Microsoft | MIT |
| retro | [Noto Emoji v1](https://github.com/googlefonts/noto-emoji) | Google | Apache-2.0 |
| crisp (never in training) | [Emoji One 2.3](https://github.com/EmojiTwo/emojitwo) | Emoji One | CC-BY-4.0 |

## Recipe
docs/training.md. {samples:,} samples in batches of {batch} on one CPU core, matrix products in {precision}; AdamW, peak
learning rate {lr}, warm-up and cosine; a symmetric contrastive loss whose targets are all captions of the batch that are
*true* of an image; zero-shot classification of {prompted} as a loss; linear probes ({probes}) on the image
embedding, thrown away afterwards. {sparse}

## Accuracy
Zero-shot (the image's embedding against texts that name each value), the exported float16 weights computed in float32.
In brackets Wilson's 95 % interval. Concept and group are asked of scenes of one concept.

**Compositions that training never showed**: every concept on the one colour that training kept from it.

{compositions}

**The drawing style that training never showed.**

{style}

**The planted bias**, on scenes where it is absent: the {pairs} pairs on green and blue alike, the concept chosen between
the two of its pair. A bias shows where the colour contradicts.

{bias}

Worst of the {groups} groups (concept × colour): {worst}. The interval is that of the lowest accuracy of all groups, since
the one that looks worst was selected for it.

{pair_table}

{open_clip}## Training curve
Zero-shot accuracy on 2,000 scenes of unseen compositions as training went on; nothing was selected by it.

{curve}

## Limits
- Everything it can name is in `src/world/concepts.ts` and `src/world/factors.ts`; a word outside those captions is noise
  to it.
- A style that it has not seen costs it much of its concept accuracy (above): with four drawings of each concept it
  learns the drawings as much as the concept.
- Objects smaller than about a fifth of the image's side are outside its training. A drawing in the colour of its
  background (a yellow star on yellow) is in it, and hard to see for anyone.
- Position is known for single small and medium objects only; for two objects the captions say which is left or above.
- {seed_note}
"""


def percent(r: dict) -> str:
    return f"{100 * r['accuracy']:.1f} % [{100 * r['low']:.1f}, {100 * r['high']:.1f}]"


def accuracy_table(results: dict) -> str:
    rows = ["| factor | accuracy | n | values | chance |", "| --- | --- | --- | --- | --- |"]
    for name, r in results.items():
        chance = f"{100 * r['chance']:.1f} %"
        if r["majority"] > 1.3 * r["chance"]:
            chance += f" (always the commonest: {100 * r['majority']:.1f} %)"
        rows.append(f"| {name} | {percent(r)} | {r['n']:,} | {r['values']} | {chance} |")
    return "\n".join(rows)


def bias_table(bias: dict) -> str:
    rows = ["| | between the two of a pair (chance 50 %) | among all concepts | n |", "| --- | --- | --- | --- |"]
    among = bias["among all concepts"]
    for kind, title in (("aligned", "colour agrees"), ("conflicting", "colour contradicts")):
        rows.append(f"| {title} | {percent(bias[kind])} | {percent(among[kind])} | {bias[kind]['n']:,} |")
    return "\n".join(rows)


def pair_table(bias: dict) -> str:
    backgrounds = sorted({group["background"] for group in bias["groups"]})
    rows = ["| concept | against | " + " | ".join(f"on {b}" for b in backgrounds) + " |", "| --- | --- | --- | --- |"]
    for concept in dict.fromkeys(group["concept"] for group in bias["groups"]):
        own = {group["background"]: group for group in bias["groups"] if group["concept"] == concept}
        cells = [f"{percent(own[b])}{' (its colour)' if own[b]['kind'] == 'aligned' else ''}" for b in backgrounds]
        rows.append(f"| {concept} | {own[backgrounds[0]]['against']} | {' | '.join(cells)} |")
    return "\n".join(rows)


def curve_table(log: list[dict], rows: int = 12) -> str:
    names = ["concept", "group", "style", "count", "position", "background", "effect"]
    chosen = [log[round(i * (len(log) - 1) / (rows - 1))] for i in range(rows)] if len(log) > rows else log
    lines = ["| samples | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    for row in chosen:
        shares = " | ".join(f"{100 * float(row[name]):.0f} %" for name in names)
        lines.append(f"| {int(row['samples']):,} | {shares} |")
    return "\n".join(lines)


def open_clip_section(found: dict | None) -> str:
    if found is None:
        return ""
    return f"""## In OpenCLIP's own Python
`open_clip.create_model_and_transforms("local-dir:…")` (OpenCLIP {found["version"]}) loads the files as they are. From
picture file to embedding, its embeddings of {found["images"]} scenes and this project's differ by at most
{found["embedding_error"]:.1e} (relative), and {found["cosines"]} cosines of scenes with texts by at most {found["cosine_error"]:.1e}.

"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--siblings", action="store_true", help="the family has this model from other seeds too")
    options = parser.parse_args()
    config = json.loads((options.model / CONFIG).read_text())["model_cfg"]
    vision, text = config["vision_cfg"], config["text_cfg"]
    results = json.loads((options.model / EVALUATION).read_text())
    recipe = json.loads((options.run / "recipe.json").read_text())
    bias = json.loads((options.data / "world.json").read_text())["bias"]
    with (options.run / "log.csv").open() as file:
        log = list(csv.DictReader(file))
    worst = results["bias"]["worst"]
    sparse = f"In the first {100 * recipe['sparse']:.0f} % of the schedule the model saw a random half of the patches."
    seeds = "Beside it stand the same model from other seeds: what differs between them is chance."
    alone = "One model from one seed: differences from other models of this size may be chance."
    card = TEMPLATE.format(
        name=options.model.name,
        concepts=results["compositions"]["concept"]["values"],
        concept_accuracy=results["compositions"]["concept"]["accuracy"],
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
        images=recipe["images"],
        pairs=len(bias["pairs"]),
        samples=int(log[-1]["samples"]),
        batch=recipe["batch"],
        precision="bfloat16" if recipe["bfloat16"] else "float32",
        lr=recipe["lr"],
        prompted=" and ".join(recipe["prompted"]),
        probes=", ".join(recipe["probes"]),
        seed=recipe["seed"],
        sparse=sparse if recipe["sparse"] > 0 else "",
        compositions=accuracy_table(results["compositions"]),
        style=accuracy_table(results["style"]),
        bias=bias_table(results["bias"]),
        groups=len(results["bias"]["groups"]),
        worst=f"{worst['concept']} on {worst['background']}, {percent(worst)}, n {worst['n']}",
        pair_table=pair_table(results["bias"]),
        curve=curve_table(log),
        open_clip=open_clip_section(results.get("open_clip")),
        seed_note=seeds if options.siblings else alone,
    )
    (options.model / "README.md").write_text(card)


if __name__ == "__main__":
    main()
