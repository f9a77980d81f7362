"""Writes a checkpoint as an OpenCLIP model: float16 safetensors, config and tokenizer.

    python export.py --run RUN --data DIR/train --out ../models/NAME
"""

import argparse
import json
import math
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from model import Clip, Shape

WEIGHTS, CONFIG, TOKENIZER = "open_clip_model.safetensors", "open_clip_config.json", "tokenizer.json"


def load_exported(folder: Path) -> tuple[Clip, int]:
    """The model as its users get it (float16 weights, computed in float32), and its context length."""
    config = json.loads((folder / CONFIG).read_text())["model_cfg"]
    vision, text = config["vision_cfg"], config["text_cfg"]
    shape = Shape(
        embed_dim=config["embed_dim"],
        image_size=vision["image_size"],
        patch_size=vision["patch_size"],
        vision_width=vision["width"],
        vision_layers=vision["layers"],
        head_width=vision["head_width"],
        context_length=text["context_length"],
        vocab_size=text["vocab_size"],
        text_width=text["width"],
        text_layers=text["layers"],
        text_heads=text["heads"],
    )
    model = Clip(shape)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.float().eval(), shape.context_length


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    saved = torch.load(options.run / "checkpoint.pt")
    state = {name: tensor.half().contiguous() for name, tensor in saved["model"].items()}
    state["logit_scale"].clamp_(max=math.log(100))
    options.out.mkdir(parents=True, exist_ok=True)
    save_file(state, options.out / f"{WEIGHTS}.part")
    os.chmod(options.out / f"{WEIGHTS}.part", 0o644)
    os.replace(options.out / f"{WEIGHTS}.part", options.out / WEIGHTS)
    config = json.dumps(Shape(**saved["shape"]).config(), indent=1)
    (options.out / CONFIG).write_text(f"{config}\n")
    shutil.copyfile(options.data / TOKENIZER, options.out / TOKENIZER)
    print(f"step {saved['step']} written to {options.out}")


if __name__ == "__main__":
    main()
