"""What every head read of every token of a text, and what the MLPs wrote, for goldens that are there already.

    pip install open_clip_torch==3.3.0 transformers==5.24.0 safetensors
    python test/goldens/make/text_parts.py

writes beside a golden's text_tokens.npy: text_contributions.npy [t, L, N, H, D] and text_other_contributions.npy [t, L+1, D], both
over ‖t‖, t being a golden's first four texts, from the weights that lie there. N is the longest text's; a text's own tokens come
first (from start to end token; with a class token one token that fills up, and the class token; of a tower that is not causal all),
the rest is 0. Where both libraries' files lie there, both compute it, and are asserted to agree.

The reference: attention weights and values are recorded as the library's own forward pass computes them, in float64. With these and
the last norm's statistics frozen, what follows is linear; each part is sent through it alone, with an equal share of every
constant. The parts are asserted to sum to the library's embedding.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from open_clip.model import CLIPTextCfg, _build_text_tower
from safetensors.torch import load_file

# As many of a golden's texts; some have 50 tokens.
TEXTS = 4
GOLDENS = Path(__file__).resolve().parent.parent
torch.backends.mha.set_fastpath_enabled(False)
recorded = []


def recording_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **_):
    logits = q @ k.transpose(-2, -1) * (scale or q.shape[-1] ** -0.5)
    if is_causal:
        attn_mask = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None:
        logits = logits.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else logits + attn_mask
    weights = logits.softmax(-1)
    recorded.append((weights, v))
    return weights @ v


F.scaled_dot_product_attention = recording_attention


def open_clip_tower(folder):
    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    tower = _build_text_tower(config["embed_dim"], CLIPTextCfg(**config["text_cfg"]), quick_gelu=config.get("quick_gelu", False))
    state = load_file(folder / "open_clip_model.safetensors")
    inner = {k.removeprefix("text."): v for k, v in state.items() if k.startswith("text.")} or state
    tower.load_state_dict({k: inner[k].float() if k in inner else v for k, v in tower.state_dict().items()})
    tower.double().eval()
    projection = tower.text_projection
    linear = isinstance(projection, torch.nn.Linear)
    scale = lambda block: block.ls_1.gamma if hasattr(block.ls_1, "gamma") else 1  # noqa: E731
    return {
        "encode": lambda ids: out[0] if isinstance(out := tower(ids), tuple) else out,
        "blocks": list(tower.transformer.resblocks),
        "out": lambda block: (block.attn.out_proj.weight, block.attn.out_proj.bias, scale(block)),
        "norm": tower.ln_final,
        "project": (projection.weight.T if linear else projection, projection.bias if linear else None),
        "causal": not config["text_cfg"].get("no_causal_mask", False),
        "cls": config["text_cfg"].get("embed_cls", False),
        "last": config["text_cfg"].get("pool_type") == "last",
        "end": config["text_cfg"].get("eos_id") if config["text_cfg"].get("pool_type") == "eos" else None,
    }


def transformers_tower(folder):
    config = json.loads((folder / "config.json").read_text())
    siglip = config["model_type"] == "siglip"
    kind, of = (transformers.SiglipModel, transformers.SiglipConfig) if siglip else (transformers.CLIPModel, transformers.CLIPConfig)
    whole = of(**{k: v for k, v in config.items() if k.endswith("_config") or k == "projection_dim"})
    if not siglip:
        # The end token keeps the highest id.
        whole.text_config.eos_token_id = whole.text_config.vocab_size - 1
    model = kind(whole)
    missing = model.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()}, strict=False).missing_keys
    assert not [k for k in missing if "text" in k and "position_ids" not in k], missing
    model.double().eval()
    text = model.text_model
    head = text.head if siglip else model.text_projection
    return {
        "encode": lambda ids: text(input_ids=ids).pooler_output if siglip else model.text_projection(text(input_ids=ids).pooler_output),
        "blocks": list(text.encoder.layers),
        "out": lambda layer: (layer.self_attn.out_proj.weight, layer.self_attn.out_proj.bias, 1),
        "norm": text.final_layer_norm,
        "project": (head.weight.T, head.bias),
        "causal": not siglip,
        "cls": False,
        "last": siglip,
        "end": None,
    }


def dissect(tower, ids):
    """[L, N, H, D] and [L+1, D] of one text, over the length of its embedding; that embedding."""
    blocks, norm = tower["blocks"], tower["norm"]
    states, after = [], []
    hooks = [block.register_forward_pre_hook(lambda _, args, kwargs: states.append((args[0] if args else kwargs["hidden_states"]).detach()), with_kwargs=True) for block in blocks]
    hooks.append(blocks[-1].register_forward_hook(lambda _, args, out: after.append((out[0] if isinstance(out, tuple) else out).detach())))
    recorded.clear()
    with torch.no_grad():
        embedding = tower["encode"](ids[None])[0]
    for hook in hooks:
        hook.remove()
    states = [state[0] for state in [*states, after[0]]]
    end = int((ids == tower["end"]).int().argmax()) if tower["end"] is not None else int(ids.argmax())
    length = end + 1
    if tower["cls"]:
        at, kept = len(ids), [*range(length), *([length] if length < len(ids) else []), len(ids)]
    elif tower["last"]:
        at, kept = len(ids) - 1, list(range(len(ids)))
    else:
        at, kept = end, list(range(length if tower["causal"] else len(ids)))
    x = states[-1][at]
    mean, deviation = x.mean(), (x.var(unbiased=False) + norm.eps).sqrt()
    matrix, bias = tower["project"]
    n, tokens = 2 * len(blocks) + 1, len(kept)

    def of(term, share):
        row = (term - share * mean) / deviation * norm.weight + share * norm.bias
        row = row if matrix is None else row @ matrix
        return row if bias is None else row + share * bias

    parts, others = [], [of(states[0][at], 1 / n)]
    with torch.no_grad():
        for layer, (block, (weights, values)) in enumerate(zip(blocks, recorded)):
            out, out_bias, scale = tower["out"](block)
            weights, values = weights[0, :, at], values[0]
            heads, size = len(weights), values.shape[-1]
            assert weights.sum(1).sub(weights[:, kept].sum(1)).abs().max() < 1e-12
            written = (weights[:, None] @ values).flatten() @ out.T + out_bias
            rows = [
                [of((weights[h, j] * values[h, j] @ out[:, h * size : (h + 1) * size].T + out_bias / heads / tokens) * scale, 1 / (n * heads * tokens)) for h in range(heads)]
                for j in kept
            ]
            parts.append(torch.stack([torch.stack(row) for row in rows]))
            others.append(of(states[layer + 1][at] - states[layer][at] - written * scale, 1 / n))
    parts, others = torch.stack(parts), torch.stack(others)
    error = (parts.sum((0, 1, 2)) + others.sum(0) - embedding).abs().max() / embedding.abs().max()
    assert error < 1e-9, float(error)
    return parts.detach() / embedding.norm(), others.detach() / embedding.norm(), embedding


def of_golden(folder, towers):
    tokens = torch.from_numpy(np.load(folder / "text_tokens.npy"))[:TEXTS]
    expected = np.load(folder / "text_embedding.npy")
    every = [[dissect(tower, ids) for ids in tokens] for tower in towers]
    for other in every[1:]:
        for one, two in zip(every[0], other):
            assert (one[0] - two[0]).abs().max() < 1e-9 and (one[1] - two[1]).abs().max() < 1e-9
    texts = every[0]
    layers, _, heads, width = texts[0][0].shape
    parts = np.zeros((len(tokens), layers, tokens.shape[1] + towers[0]["cls"], heads, width), np.float32)
    for i, (part, _, embedding) in enumerate(texts):
        parts[i, :, : part.shape[1]] = part.numpy()
        assert np.abs(embedding.detach().numpy() - expected[i]).max() < 1e-5 * np.abs(expected).max(), folder
    longest = max(part.shape[1] for part, _, _ in texts)
    np.save(folder / "text_contributions.npy", parts[:, :, :longest])
    np.save(folder / "text_other_contributions.npy", np.stack([others.numpy() for _, others, _ in texts]).astype(np.float32))
    print(folder.name, parts[:, :, :longest].shape)


for name in ("gelu-p8", "quickgelu-p14"):
    of_golden(GOLDENS / name, [open_clip_tower(GOLDENS / name / "open_clip"), transformers_tower(GOLDENS / name / "transformers")])
for name in ("layer-scale", "mean-norm", "norm-mean", "end-by-id", "coca", "siglip-timm"):
    of_golden(GOLDENS / "kinds" / name, [open_clip_tower(GOLDENS / "kinds" / name)])
of_golden(GOLDENS / "kinds" / "siglip-transformers", [transformers_tower(GOLDENS / "kinds" / "siglip-transformers")])
