"""Singular values of heads' maps from a normalised residual to the joint space, by NumPy from whole matrices in float64.

    pip install numpy safetensors
    python test/goldens/make/singular_values.py

writes test/goldens/singular-values.json: for each model [L][H][d_h] values and [L][H][D] the first right singular vector, whose
largest entry is made positive. The map of a head is (W_V·diag(γ₁))ᵀ·M, M = W_O·diag(γ)·P [d_h, D]; with a norm over all heads W_V's
rows are multiplied by its γ, and with a norm behind attention M has that norm's centring and γ while γ₁ is not before W_V.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent.parent
MODELS = {
    "gelu-p8/open_clip": 4,
    "quickgelu-p14/open_clip": 3,
    "kinds/layer-scale": 2,
    "kinds/eva02": 2,
    "kinds/eva02-post": 2,
}


def blocks(weights):
    """W_V·folded [W, W] and W_O·…·P [W, D] of each layer."""
    get = lambda name: weights[name].astype(np.float64) if name in weights else None
    trunk = "visual.trunk.norm.weight" in weights
    last = get("visual.trunk.norm.weight" if trunk else "visual.ln_post.weight")
    projection = get("visual.trunk.head.weight").T if trunk else get("visual.proj")
    layer = 0
    while True:
        name = f"visual.trunk.blocks.{layer}." if trunk else f"visual.transformer.resblocks.{layer}."
        norm = get(name + ("norm1.weight" if trunk else "ln_1.weight"))
        if norm is None:
            return
        width = len(norm)
        stacked = get(name + ("attn.qkv.weight" if trunk else "attn.in_proj_weight"))
        value = stacked[2 * width :] if stacked is not None else get(name + "attn.v_proj.weight")
        out = get(name + ("attn.proj.weight" if trunk else "attn.out_proj.weight")).T
        over_heads, scale = get(name + "attn.norm.weight"), get(name + "ls_1.gamma")
        behind = weights.get("post") is not None
        if behind:
            out = (out - out.mean(1, keepdims=True)) * norm
        else:
            value = value * norm
        if over_heads is not None:
            value = value * over_heads[:, None]
        if scale is not None:
            out = out * scale
        yield value, (out * last) @ projection
        layer += 1


def main():
    result = {}
    for model, heads in MODELS.items():
        weights = load_file(next((HERE / model).glob("*.safetensors")))
        if model.endswith("-post"):
            weights["post"] = True
        values, first = [], []
        for value, out in blocks(weights):
            size = len(value) // heads
            maps = [value[h * size : (h + 1) * size].T @ out[h * size : (h + 1) * size] for h in range(heads)]
            found = [np.linalg.svd(m, full_matrices=False) for m in maps]
            values.append([s[:size].tolist() for _, s, _ in found])
            first.append([(v[0] * np.sign(v[0][np.abs(v[0]).argmax()])).tolist() for _, _, v in found])
        result[model] = {"values": values, "first": first}
    text = json.dumps(result, default=float)
    (HERE / "singular-values.json").write_text(json.dumps(json.loads(text, parse_float=lambda x: float(f"{float(x):.9g}"))) + "\n")


main()
