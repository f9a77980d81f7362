"""What other methods of segmentation make of the golden models' images.

    pip install torch gem_torch==1.0.1 legrad_torch==1.1 open_clip_torch==2.24.0
    python test/goldens/make/maps.py

writes test/goldens/maps/<model>/<method>.npy, [b, t, patches], float32: maps of the images of <model>/pixels.npy for the texts of
<model>/text_embedding.npy, of which each is brought to length 1.

- gem, legrad: their authors' packages, unchanged but for texts given as embeddings. `legrad.npy` is [b, 3, s, s], of the
  first three texts: that package gives maps of pixels only, brought to [0, 1].
- registers: [b, D], embeddings with a test-time register for four neurons, in float64.
- sclip, clearclip, naclip, grad-eclip: their papers' formulas in float64, with PyTorch's gradient where one is needed.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from gem.gem_wrapper import GEMWrapper
from legrad import LeWrapper
from open_clip.model import CLIP
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent.parent


def load(name):
    folder = HERE / name / "open_clip"
    cfg = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    model = CLIP(**cfg)
    model.load_state_dict(load_file(folder / "open_clip_model.safetensors"), strict=False)
    return model.eval()


def cosines(features, text):
    """[b, N, D] and [t, D] to [b, t, patches]."""
    return torch.einsum("bnd,td->btn", F.normalize(features[:, 1:], dim=-1), text)


def last_layer(model, pixels):
    """The residual stream before the last layer, and its queries, keys and values a head: [b, N, W], [b, H, N, d] each."""
    v = model.visual
    x = v.conv1(pixels).flatten(2).transpose(1, 2)
    x = torch.cat([v.class_embedding.expand(len(x), 1, -1), x], 1) + v.positional_embedding
    x = v.ln_pre(x).transpose(0, 1)
    for block in v.transformer.resblocks[:-1]:
        x = block(x)
    block = v.transformer.resblocks[-1]
    x = x.transpose(0, 1)
    qkv = F.linear(block.ln_1(x), block.attn.in_proj_weight, block.attn.in_proj_bias)
    heads = block.attn.num_heads
    q, k, val = [part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, -1)]
    return block, x, q, k, val


def joined(z):
    return z.transpose(1, 2).flatten(2)


def sclip(model, pixels, text):
    block, x, q, k, v = last_layer(model, pixels)
    s = q.shape[-1] ** -0.5
    a = (q @ q.mT * s).softmax(-1) + (k @ k.mT * s).softmax(-1)
    x = x + block.attn.out_proj(joined(a @ v))
    x = x + block.mlp(block.ln_2(x))
    return cosines(model.visual.ln_post(x) @ model.visual.proj, text)


def clearclip(model, pixels, text):
    block, _, q, _, v = last_layer(model, pixels)
    a = (q @ q.mT * q.shape[-1] ** -0.5).softmax(-1)
    return cosines(model.visual.ln_post(block.attn.out_proj(joined(a @ v))) @ model.visual.proj, text)


def naclip(model, pixels, text, std=5.0):
    block, _, _, k, v = last_layer(model, pixels)
    n = k.shape[2]
    side = math.isqrt(n - 1)
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side)).to(k.dtype)
    omega = torch.zeros(n, n, dtype=k.dtype)
    omega[1:, 1:] = torch.exp(-torch.cdist(places, places) ** 2 / (2 * std**2))
    a = (k @ k.mT * k.shape[-1] ** -0.5 + omega).softmax(-1)
    return cosines(model.visual.ln_post(block.attn.out_proj(joined(a @ v))) @ model.visual.proj, text)


def grad_eclip(model, pixels, text):
    block, x, q, k, v = last_layer(model, pixels)
    a = (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1)
    z = joined(a @ v).detach().requires_grad_(True)
    y = x + block.attn.out_proj(z)
    y = y + block.mlp(block.ln_2(y))
    e = F.normalize(model.visual.ln_post(y[:, 0]) @ model.visual.proj, dim=-1)
    query, key = [F.normalize(block.attn.out_proj(joined(part)), dim=-1) for part in (q, k)]
    cos = (query[:, :1] * key[:, 1:]).sum(-1)
    low, high = cos.amin(1, keepdim=True), cos.amax(1, keepdim=True)
    loosened = (cos - low) / (high - low)
    maps = []
    for t in text:
        (w,) = torch.autograd.grad((e @ t).sum(), z, retain_graph=True)
        maps.append(F.relu((w[:, :1] * joined(v)[:, 1:]).sum(-1) * loosened))
    return torch.stack(maps, 1)


def gem(name, pixels, text):
    model = load(name)
    layers = len(model.visual.transformer.resblocks)
    wrapped = GEMWrapper(model, tokenizer=None, depth=min(7, layers + 1))
    wrapped.encode_text = lambda given: given[None]
    features, _ = wrapped.model.visual(pixels)
    maps = cosines(features, text)
    # What the package itself returns is the same enlarged.
    grid = math.isqrt(maps.shape[-1])
    enlarged = F.interpolate(maps.unflatten(-1, (grid, grid)), size=pixels.shape[-2:], mode="bilinear")
    for i in range(len(pixels)):
        whole = wrapped(pixels[i : i + 1], text, normalize=False)
        assert torch.allclose(whole[0], enlarged[i], atol=1e-6)
    return maps


def legrad(name, pixels, text):
    text = text[:3]
    wrapped = LeWrapper(load(name))
    return torch.stack([torch.stack([wrapped.compute_legrad(t[None], image[None])[0, 0] for t in text]) for image in pixels])


def with_register(model, pixels, neurons):
    """The embedding with a register behind the patches that takes what some neurons, (layer, number), write into them."""
    v = model.visual
    x = v.conv1(pixels).flatten(2).transpose(1, 2)
    x = torch.cat([v.class_embedding.expand(len(x), 1, -1), x], 1) + v.positional_embedding
    x = v.ln_pre(torch.cat([x, torch.zeros_like(x[:, :1])], 1))
    for layer, block in enumerate(v.transformer.resblocks):
        y = block.ln_1(x).transpose(0, 1)
        x = x + block.attn(y, y, y, need_weights=False)[0].transpose(0, 1)
        hidden = block.mlp.gelu(block.mlp.c_fc(block.ln_2(x)))
        for at, neuron in neurons:
            if at != layer:
                continue
            own = hidden[..., neuron]
            most = own.gather(1, own.abs().argmax(1, keepdim=True))[:, 0]
            hidden[:, 1:-1, neuron] = 0
            hidden[:, -1, neuron] = most
        x = x + block.mlp.c_proj(hidden)
    return v.ln_post(x[:, 0]) @ v.proj


for name in sys.argv[1:] or ["gelu-p8", "quickgelu-p14"]:
    pixels = torch.from_numpy(np.load(HERE / name / "pixels.npy"))
    text = F.normalize(torch.from_numpy(np.load(HERE / name / "text_embedding.npy")), dim=-1)
    out = HERE / "maps" / name
    out.mkdir(parents=True, exist_ok=True)
    exact = load(name).double()
    found = {"gem": gem(name, pixels, text), "legrad": legrad(name, pixels, text)}
    for method in (sclip, clearclip, naclip, grad_eclip):
        found[method.__name__.replace("_", "-")] = method(exact, pixels.double(), text.double())
    with torch.no_grad():
        found["registers"] = with_register(exact, pixels.double(), [(0, 5), (1, 3), (1, 40), (2, 7)])
    # The models' own embedding says that the weights were read right.
    with torch.no_grad():
        assert np.abs(load(name).encode_image(pixels).numpy() - np.load(HERE / name / "image_embedding.npy")).max() < 1e-5
    for method, maps in found.items():
        np.save(out / f"{method}.npy", maps.detach().numpy().astype(np.float32))
        print(name, method, maps.shape, float(maps.min()), float(maps.max()))
