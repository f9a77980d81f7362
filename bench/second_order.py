"""Second-order attributions of exCLIP (Moeller et al. 2025, "Explaining Caption-Image Interactions in CLIP Models with Second-Order
Attributions", equations 9 and 10) for the default model: maps of the words that name a scene's object.

    pip install torch==2.12.1 open_clip_torch==3.3.0
    npx tsx scripts/write-words-docs.ts --exclip scenes.json
    python bench/second_order.py scenes.json bench/exclip-maps.json [--check]

The integrated Jacobian of a tower from its last layer's input to its embedding, over ten steps from the input at hand (included) to a
reference (excluded): pixels of zeros, and a text of one padding token. What a patch and a token share is the inner product of
their integrated Jacobians times their differences from the reference, so derivatives along these differences are enough, and one token's
alone is cheap. `--check` (pip install exclip==1.1) compares the first scene with the package.
"""

import json
import sys
from pathlib import Path

import open_clip
import torch
from safetensors.torch import load_file

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


def integrated(x, r, block, row, last):
    """The mean over steps of the derivative of what `last` makes of one row of the block, along each other token's difference alone,
    [N, D]. Of another token that row reads its key and value, and nothing else."""
    difference = x - r
    heads = block.attn.num_heads
    (wq, wk, wv), (bq, bk, bv) = block.attn.in_proj_weight.chunk(3), block.attn.in_proj_bias.chunk(3)
    split = lambda rows: rows.unflatten(-1, (heads, -1)).transpose(-3, -2)  # noqa: E731

    def step(at):
        normed = block.ln_1(at)
        query, keys, values = normed[row] @ wq.T + bq, normed @ wk.T + bk, normed @ wv.T + bv

        def one(token, hot):
            own = block.ln_1(token)
            k, v = keys + hot[:, None] * (own @ wk.T + bk - keys), values + hot[:, None] * (own @ wv.T + bv - values)
            weights = (split(query[None]) @ split(k).transpose(-2, -1) / (len(query) / heads) ** 0.5).softmax(-1)
            written = at[row] + block.attn.out_proj((weights @ split(v)).transpose(-3, -2).flatten())
            return last(written + block.mlp(block.ln_2(written)))

        along = lambda token, hot, change: torch.func.jvp(lambda t: one(t, hot), (token,), (change,))[1]  # noqa: E731
        return torch.func.vmap(along)(at, torch.eye(len(at), dtype=at.dtype), difference)

    return sum(step(r + (1 - i / STEPS) * difference) for i in range(STEPS)) / STEPS


def image_part(pixels):
    visual = model.visual
    both = torch.stack([pixels, torch.zeros_like(pixels)])
    x, r = before_last(visual.transformer.resblocks, lambda: visual(both))
    return integrated(x, r, visual.transformer.resblocks[-1], 0, lambda row: visual.ln_post(row) @ visual.proj), visual(both)[0]


def text_part(ids):
    tokens = torch.zeros(2, model.context_length, dtype=torch.long)
    tokens[0, : len(ids)] = torch.tensor(ids)
    tokens[1, 0], tokens[1, 2] = ids[0], ids[-1]
    x, r = before_last(model.transformer.resblocks, lambda: model.encode_text(tokens))
    # What stands behind the end token is not seen from there.
    x, r, end = x[: len(ids)], r[: len(ids)], len(ids) - 1
    last = lambda row: model.ln_final(row) @ model.text_projection  # noqa: E731
    return integrated(x, r, model.transformer.resblocks[-1], end, last), model.encode_text(tokens)[0]


@torch.no_grad()
def attributions(scene):
    """Of each token of the text but the last, and each patch, [c - 1, grid, grid]."""
    side = config["vision_cfg"]["image_size"]
    image, e = image_part(torch.tensor(scene["pixels"], dtype=torch.float64).reshape(3, side, side))
    text, t = text_part(scene["ids"])
    grid = side // config["vision_cfg"]["patch_size"]
    return (text[:-1] @ image[1:].T / e.norm() / t.norm()).reshape(-1, grid, grid)


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
    return (theirs[: len(ours)] - ours).abs().max() / ours.abs().max()


scenes = json.loads(Path(sys.argv[1]).read_text())
if "--check" in sys.argv:
    print("largest difference from the package, relative:", float(check(scenes[0])))
maps = {}
for number, scene in enumerate(scenes):
    word = attributions(scene)[scene["tokens"]].sum(0)
    maps[scene["path"]] = [[float(f"{value:.4g}") for value in row] for row in word.tolist()]
    print(number + 1, "of", len(scenes), scene["path"], flush=True)
Path(sys.argv[2]).write_text("{\n" + ",\n".join(f"{json.dumps(path)}: {json.dumps(rows)}" for path, rows in maps.items()) + "\n}\n")
