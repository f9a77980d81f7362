"""Trains a CLIP on a generated world; stopped at any point, the same command goes on from the last checkpoint.

    python train.py --data WORK/train --test WORK/compositions --out RUN --shape 4x128-p8 --samples 900000

`--until` bounds the wall-clock time: the schedule follows whichever of samples and time is further along, so that
the learning rate always comes to rest. During the first part the model sees a random half of the patches, which
nearly doubles the speed; then all of them.
"""

import argparse
import csv
import json
import math
import os
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from bpe import encode
from data import FACTORS, Shards, World, batch_rows
from losses import PROBES, PROMPTED, Probes, contrastive, prompted, truth
from model import Clip, Shape
from zeroshot import MEASURED, measure

WARM_UP = 0.02
GROUP_WEIGHT = 9.0
LOG_COLUMNS = ["time", "samples", "progress", "rate", "lr", "contrastive", "probes", *MEASURED]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--shape", default="4x128-p8", help="LAYERSxWIDTH-pPATCH")
    parser.add_argument("--bfloat16", action="store_true", help="matrix products in bfloat16; for CPUs that have it")
    parser.add_argument("--until", type=datetime.fromisoformat)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--sparse", type=float, default=0.7, help="share of the schedule that sees half of the patches")
    parser.add_argument("--every", type=float, default=300, help="seconds between measurements and checkpoints")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def learning_rate(progress: float, peak: float) -> float:
    """Linear warm-up, then a cosine to a hundredth of the peak."""
    if progress < WARM_UP:
        return peak * max(progress, 1e-4) / WARM_UP
    turn = math.pi * (progress - WARM_UP) / (1 - WARM_UP)
    return peak * (0.01 + 0.99 * (1 + math.cos(min(turn, math.pi))) / 2)


def decayed(module_list) -> list[dict]:
    """Weight decay on matrices alone."""
    parameters = [p for module in module_list for p in module.parameters()]
    return [{"params": [p for p in parameters if p.ndim >= 2]}, {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0}]


def choose_captions(says: np.ndarray, progress: float, random: np.random.Generator) -> np.ndarray:
    """One caption an image. Those that name a group are few, and learnt last: as training goes on they get up to GROUP_WEIGHT
    times the chance of the others."""
    favour = 1 + (GROUP_WEIGHT - 1) * progress
    weight = np.where(says[:, :, FACTORS.index("group")] >= 0, favour, 1.0)
    return (np.log(weight) + random.gumbel(size=weight.shape)).argmax(axis=1)


def prompt_tokens(world: World, tokenizer: Tokenizer, context: int) -> tuple[torch.Tensor, np.ndarray]:
    """Token ids [values, forms, length] of the texts that name each value of PROMPTED's factors, and how many each has."""
    texts = [value for name in PROMPTED for value in world.prompts[name]]
    most = max(len(forms) for forms in texts)
    ids = np.stack([encode(tokenizer, (forms * most)[:most], context) for forms in texts])
    length = int((ids != 0).sum(-1).max())
    return torch.from_numpy(ids[..., :length]).long(), np.array([len(forms) for forms in texts])


class Run:
    """Everything that a checkpoint holds."""

    def __init__(self, options: argparse.Namespace, shards: Shards, tokenizer: Tokenizer):
        vocabulary = tokenizer.get_vocab_size()
        self.shape = Shape.named(options.shape, vocab_size=vocabulary, image_size=shards.world.size)
        self.model = Clip(self.shape)
        self.probes = Probes(self.shape.embed_dim, {name: len(shards.world.values[name]) for name in PROBES})
        self.optimizer = torch.optim.AdamW(
            decayed([self.model, self.probes]), lr=0, betas=(0.9, 0.98), weight_decay=options.weight_decay, fused=True
        )
        self.step, self.began = 0, time.time()
        self.sizes = {name: len(shards.world.values[name]) for name in PROMPTED}
        self.prompts, self.forms = prompt_tokens(shards.world, tokenizer, self.shape.context_length)

    def save(self, file: Path) -> None:
        parts = {name: getattr(self, name).state_dict() for name in ("model", "probes", "optimizer")}
        partial = file.with_suffix(".part")
        torch.save({**parts, "shape": self.shape.as_dict(), "step": self.step, "began": self.began}, partial)
        os.replace(partial, file)

    def load(self, file: Path) -> None:
        saved = torch.load(file)
        for name in ("model", "probes", "optimizer"):
            getattr(self, name).load_state_dict(saved[name])
        self.step, self.began = saved["step"], saved["began"]

    def progress(self, options: argparse.Namespace) -> float:
        by_samples = self.step * options.batch / options.samples
        if options.until is None:
            return by_samples
        return max(by_samples, (time.time() - self.began) / (options.until.timestamp() - self.began))

    def train_step(self, options: argparse.Namespace, shards: Shards, progress: float) -> tuple[float, float]:
        """One batch; the losses."""
        rows = batch_rows(len(shards), options.batch, self.step, options.seed)
        random = np.random.default_rng([options.seed, 7, self.step])
        chosen = choose_captions(shards.says[rows], progress, random)
        tokens = shards.tokens[rows, chosen]
        tokens = torch.from_numpy(tokens[:, : int((tokens != 0).sum(1).max())]).long()
        factors, says = torch.from_numpy(shards.factors[rows]), torch.from_numpy(shards.says[rows, chosen])
        patches = self.model.visual.patches(torch.from_numpy(shards.pixels(rows)))
        kept = None
        if progress < options.sparse:
            order = random.random((len(rows), patches.shape[1]), np.float32).argsort(1)
            kept = torch.from_numpy(order[:, : patches.shape[1] // 2])
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(progress, options.lr)
        prompts = self.prompts[torch.arange(len(self.prompts)), torch.from_numpy(random.integers(self.forms))]
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            image, text = self.model.visual(patches, kept), self.model.encode_text(tokens)
            named = self.model.encode_text(prompts)
        image, text, named = image.float(), text.float(), named.float()
        pairs = contrastive(image, text, self.model.logit_scale, truth(says, factors))
        probes = self.probes(image, factors) + prompted(image, named, self.model.logit_scale, factors, self.sizes)
        self.optimizer.zero_grad()
        (pairs + probes).backward()
        self.optimizer.step()
        self.step += 1
        return pairs.item(), probes.item()


def write_recipe(options: argparse.Namespace, images: int) -> None:
    """What the model's card tells of how it was trained."""
    kept = ("shape", "samples", "batch", "lr", "weight_decay", "sparse", "bfloat16", "seed")
    recipe = {**{name: getattr(options, name) for name in kept}, "images": images, "probes": list(PROBES), "prompted": list(PROMPTED)}
    (options.out / "recipe.json").write_text(json.dumps(recipe, indent=1) + "\n")


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(options.data / "tokenizer.json"))
    context = Shape.context_length
    shards, test = Shards(options.data, tokenizer, context), Shards(options.test, tokenizer, context)
    run = Run(options, shards, tokenizer)
    checkpoint, log_file = options.out / "checkpoint.pt", options.out / "log.csv"
    write_recipe(options, len(shards))
    if checkpoint.exists():
        run.load(checkpoint)
    else:
        log_file.write_text(",".join(LOG_COLUMNS) + "\n")
    last, last_step, losses = time.time(), run.step, []
    progress = run.progress(options)
    while progress < 1:
        losses.append(run.train_step(options, shards, progress))
        progress = run.progress(options)
        if time.time() - last < options.every and progress < 1:
            continue
        rate = (run.step - last_step) * options.batch / (time.time() - last)
        run.save(checkpoint)
        accuracies = measure(run.model, tokenizer, test, 2000, context)
        row = [datetime.now().isoformat(timespec="seconds"), run.step * options.batch, f"{progress:.4f}", f"{rate:.0f}"]
        row += [f"{learning_rate(progress, options.lr):.2e}", *(f"{x:.4f}" for x in np.mean(losses, axis=0))]
        row += [f"{accuracies[name]['accuracy']:.4f}" for name in MEASURED]
        with log_file.open("a") as log:
            csv.writer(log).writerow(row)
        print(*row, flush=True)
        last, last_step, losses = time.time(), run.step, []
    run.save(checkpoint)


if __name__ == "__main__":
    main()
