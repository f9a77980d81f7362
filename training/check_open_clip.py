"""Compares an exported model in OpenCLIP's own Python with the same model in this project, on the example scenes.

    npm run build; pip install open_clip_torch==3.3.0
    python check_open_clip.py --model ../models/NAME

From a picture file to its embedding, and from texts to cosines, each side does every step itself; they share the token
ids, since OpenCLIP reads no tokenizer.json. Adds what it finds to MODEL/evaluation.json.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

from evaluate import EVALUATION

ROOT = Path(__file__).resolve().parent.parent
SCENES = ROOT / "examples" / "scenes"


def ours(*arguments: str) -> str:
    """What the command line tool of this project prints."""
    command = ["node", str(ROOT / "dist" / "cli" / "main.js"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tokens(model: Path, texts: list[str], context: int, folder: Path) -> torch.Tensor:
    file = folder / "texts.json"
    file.write_text(json.dumps(texts))
    ids = torch.zeros(len(texts), context, dtype=torch.long)
    for row, found in zip(ids, json.loads(ours("tokenize", "--texts", str(file), "--model", str(model)))["ids"]):
        row[: len(found)] = torch.tensor(found)
    return ids


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    folder = parser.parse_args().model.resolve()
    scenes = [json.loads(line) for line in (SCENES / "scenes.jsonl").read_text().splitlines()]
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    pixels = torch.stack([preprocess(Image.open(SCENES / scene["path"]).convert("RGB")) for scene in scenes])
    raw = model.encode_image(pixels)
    images = torch.nn.functional.normalize(raw, dim=-1)
    cosine_error, texts_compared = 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        np.save(temporary / "pixels.npy", pixels.numpy())
        ours("decompose", "--pixels", str(temporary / "pixels.npy"), "--out", name, "--model", str(folder))
        embedding = torch.from_numpy(np.load(temporary / "image_embedding.npy"))
        embedding_error = ((embedding - raw).norm(dim=1) / raw.norm(dim=1)).max().item()
        for scene, image in zip(scenes, images):
            texts = scene["candidates"]["isTrue"] + scene["candidates"]["isFalse"]
            ids = tokens(folder, texts, model.context_length, temporary)
            theirs = torch.nn.functional.normalize(model.encode_text(ids), dim=-1) @ image
            flags = [part for text in texts for part in ("--text", text)]
            printed = json.loads(ours("explain", str(SCENES / scene["path"]), *flags, "--model", str(folder), "--json"))
            similarities = torch.tensor([text["similarity"] for text in printed["texts"]])
            cosine_error = max(cosine_error, (similarities - theirs).abs().max().item())
            texts_compared += len(texts)
    found = {
        "version": open_clip.__version__,
        "images": len(scenes),
        "cosines": texts_compared,
        "embedding_error": embedding_error,
        "cosine_error": cosine_error,
    }
    print(folder.name, found)
    evaluation = folder / EVALUATION
    results = json.loads(evaluation.read_text()) if evaluation.exists() else {}
    evaluation.write_text(json.dumps({**results, "open_clip": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
