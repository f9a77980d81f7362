"""A stand-in for the archives that OpenAI published CLIP in: TorchScript of a small random CLIP, and what it computes.

    pip install open_clip_torch==3.3.0
    python test/goldens/make/torchscript.py

writes test/goldens/torchscript/: archive.pt, pixels.npy [b, 3, s, s], image_embedding.npy [b, D], text_tokens.npy [t, c] and
text_embedding.npy [t, D] (raw). Its sizes are such that what OpenAI's own `build_model` infers from shapes is right.
"""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import torch
from open_clip.model import CLIP

HERE = Path(__file__).resolve().parent.parent / "torchscript"


def main():
    vision = {"image_size": 12, "patch_size": 4, "width": 64, "head_width": 64, "layers": 1, "mlp_ratio": 0.5}
    text = {"context_length": 8, "vocab_size": 96, "width": 64, "heads": 1, "layers": 1, "mlp_ratio": 0.5}
    model = CLIP(embed_dim=16, vision_cfg=vision, text_cfg=text, quick_gelu=True).eval()
    generator = torch.Generator().manual_seed(1)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if name == "logit_scale":
            p.data = torch.tensor(2.5)
        elif p.ndim == 1:
            p.data = 0.3 * noise + (1 if "ln_" in name and name.endswith("weight") else 0)
        else:
            p.data = noise * (0.4 if "embedding" in name else p[0].numel() ** -0.5)
        p.data = p.data.half().float()
    # As OpenAI's archives have them.
    for name, value in {"input_resolution": 12, "context_length": 8, "vocab_size": 96}.items():
        if hasattr(model, name):
            delattr(model, name)
        model.register_buffer(name, torch.tensor(value))
    pixels = torch.randn(2, 3, 12, 12, generator=generator)
    tokens = torch.tensor([[94, 5, 6, 95, 0, 0, 0, 0], [94, 7, 8, 9, 10, 11, 12, 95]])
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    with torch.no_grad():
        np.save(HERE / "pixels.npy", pixels.numpy())
        np.save(HERE / "image_embedding.npy", model.encode_image(pixels).numpy())
        np.save(HERE / "text_tokens.npy", tokens.numpy())
        np.save(HERE / "text_embedding.npy", model.encode_text(tokens).numpy())
    torch.jit.save(torch.jit.script(model.half()), HERE / "whole.pt")
    # Without what only debuggers read, most of its bytes.
    with zipfile.ZipFile(HERE / "whole.pt") as whole, zipfile.ZipFile(HERE / "archive.pt", "w") as archive:
        for entry in whole.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                archive.writestr(entry, whole.read(entry))
    (HERE / "whole.pt").unlink()


if __name__ == "__main__":
    main()
