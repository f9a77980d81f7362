"""Second-order attributions of exCLIP (Moeller et al. 2025, "Explaining Caption-Image Interactions in CLIP Models with Second-Order
Attributions", equations 9 and 10) for the default model: maps of the words that name a scene's object.

    pip install torch==2.12.1 open_clip_torch==3.3.0
    npx tsx scripts/write-words-docs.ts --exclip scenes.json
    python bench/second_order.py scenes.json bench/exclip-maps.json [--check]

The integrated Jacobian of a tower from its last layer's input to its embedding, over ten steps from the input at hand (included) to a
reference (excluded): pixels of zeros, and a text of one padding token. What a patch and a token share is the inner product of
their integrated Jacobians times their differences from the reference, so derivatives along these differences are enough: one forward
derivative a token. `--check` (pip install exclip==1.1) compares the first scene with the package.
"""

import json
import sys
from pathlib import Path

import open_clip
import torch
from safetensors.torch import load_file
from torch.nn.attention import SDPBackend, sdpa_kernel

STEPS = 10
folder = Path(__file__).resolve().parent.parent / "models" / "emoji-4x128-p8"
config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
model = open_clip.model.CLIP(**{k: v for k, v in config.items() if k in ("embed_dim", "vision_cfg", "text_cfg", "quick_gelu")})
model.load_state_dict({k: v.float() for k, v in load_file(folder / "open_clip_model.safetensors").items()}, strict=False)
model.double().eval()
torch.backends.mha.set_fastpath_enabled(False)


def before_last(blocks, run):
    """What the last block reads, while `run` runs."""
    seen = []
    hook = blocks[-1].register_forward_pre_hook(lambda _, args, kwargs: seen.append(args[0] if args else kwargs["q_x"]), with_kwargs=True)
    with torch.no_grad():
        run()
    hook.remove()
    return seen[0]


def integrated(x, r, tail):
    """Σ over steps of the derivative of `tail` along each token's difference alone, averaged, [N, D]."""
    difference = x - r
    total = 0
    alone = torch.eye(len(x), dtype=x.dtype)[:, :, None] * difference
    # The one kernel of attention that has forward derivatives.
    with sdpa_kernel(SDPBackend.MATH):
        for step in range(STEPS):
            at = r + (1 - step / STEPS) * difference
            total = total + torch.func.vmap(lambda along: torch.func.jvp(tail, (at,), (along,))[1])(alone)
    return total / STEPS


def image_part(pixels):
    visual = model.visual
    both = torch.stack([pixels, torch.zeros_like(pixels)])
    x, r = before_last(visual.transformer.resblocks, lambda: visual(both))
    last = visual.transformer.resblocks[-1]
    tail = lambda tokens: visual.ln_post(last(tokens[None])[0, 0]) @ visual.proj  # noqa: E731
    return integrated(x, r, tail), tail(x)


def text_part(ids):
    context = model.context_length
    tokens = torch.zeros(2, context, dtype=torch.long)
    tokens[0, : len(ids)] = torch.tensor(ids)
    tokens[1, 0], tokens[1, 2] = ids[0], ids[-1]
    x, r = before_last(model.transformer.resblocks, lambda: model.encode_text(tokens))
    last, end = model.transformer.resblocks[-1], len(ids) - 1
    tail = lambda rows: model.ln_final(last(rows[None], attn_mask=model.attn_mask)[0, end]) @ model.text_projection  # noqa: E731
    return integrated(x, r, tail), tail(x)


def attributions(scene):
    """Of each token of the text and each patch, [c, grid, grid]."""
    side = config["vision_cfg"]["image_size"]
    image, e = image_part(torch.tensor(scene["pixels"], dtype=torch.float64).reshape(3, side, side))
    text, t = text_part(scene["ids"])
    both = text[: len(scene["ids"])] @ image[1:].T / e.norm() / t.norm()
    grid = side // config["vision_cfg"]["patch_size"]
    return both.reshape(-1, grid, grid).detach()


def check(scene):
    from exclip import OpenClipExplainer

    context, side = model.context_length, config["vision_cfg"]["image_size"]
    explainer = OpenClipExplainer(model, image_dim=side, text_seq_len=context, device=torch.device("cpu"))
    explainer.txt_ref = torch.zeros(1, context, dtype=torch.long)
    explainer.txt_ref[0, 0], explainer.txt_ref[0, 2] = scene["ids"][0], scene["ids"][-1]
    explainer.img_ref = explainer.img_ref.double()
    text = torch.zeros(1, context, dtype=torch.long)
    text[0, : len(scene["ids"])] = torch.tensor(scene["ids"])
    pixels = torch.tensor(scene["pixels"], dtype=torch.float64).reshape(1, 3, side, side)
    last = len(model.transformer.resblocks) - 1
    theirs = explainer.explain(text, pixels, text_layer=last, image_layer=len(model.visual.transformer.resblocks) - 1, N=STEPS)
    explainer.reset_attribution()
    ours = attributions(scene)
    return (theirs - ours).abs().max() / ours.abs().max()


scenes = json.loads(Path(sys.argv[1]).read_text())
if "--check" in sys.argv:
    print("largest difference from the package, relative:", float(check(scenes[0])))
maps = {}
for number, scene in enumerate(scenes):
    word = attributions(scene)[scene["tokens"]].sum(0)
    maps[scene["path"]] = [[float(f"{value:.4g}") for value in row] for row in word.tolist()]
    print(number + 1, "of", len(scenes), scene["path"], flush=True)
Path(sys.argv[2]).write_text("{\n" + ",\n".join(f"{json.dumps(path)}: {json.dumps(rows)}" for path, rows in maps.items()) + "\n}\n")
