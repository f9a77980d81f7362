"""Small random models of every kind of image tower, with the parts of what they make of two images.

    pip install open_clip_torch==3.3.0 timm==1.0.31 transformers==5.24.0
    python test/goldens/make/kinds.py [name …]

writes test/goldens/kinds/<name>/: the model as its library saves it (weights in float16), pixels.npy [b, 3, s, s],
image_embedding.npy [b, D] (raw), attention_contributions.npy [b, L, N, H, D], other_contributions.npy [b, L+1 or L+2, D] (both over
‖e‖), and where the model reads texts text_tokens.npy [t, c] with text_embedding.npy [t, D] (raw).

The reference: attention weights and values are recorded as the library's own forward pass computes them, in float64. With these
and every normalisation's statistics frozen, what follows is linear; each part is sent through it alone, with an equal share of
every constant. The parts are asserted to sum to the library's embedding.
"""

import json
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import open_clip
import timm
import torch
import torch.nn.functional as F
import transformers
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.coca_model import CoCa
from safetensors.torch import save_file
from timm.models import vision_transformer_hybrid as hybrid
from timm.models.vitamin import VitCfg, VitConvCfg

HERE = Path(__file__).resolve().parent.parent / "kinds"
IMAGE, PATCH, WIDTH, HEADS, LAYERS, MLP, DIM = 24, 8, 24, 2, 2, 48, 16
VOCAB, CONTEXT = 160, 8
torch.backends.mha.set_fastpath_enabled(False)

recorded = []


def recording_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **_):
    logits = q @ k.transpose(-2, -1) * (scale or q.shape[-1] ** -0.5)
    if attn_mask is not None:
        logits = logits.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else logits + attn_mask
    weights = logits.softmax(-1)
    recorded.append((weights, v))
    return weights @ v


F.scaled_dot_product_attention = recording_attention


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, p in [*model.named_parameters(), *model.named_buffers()]:
        if not p.is_floating_point() or name.endswith(("attn_mask", "bands", "rel_coords_log")) or "rope" in name or "rotary" in name or "embed_positions" in name:
            continue
        noise = torch.randn(p.shape, generator=generator)
        if name in ("logit_scale", "logit_bias"):
            continue
        if "running_var" in name:
            p.data = 0.5 + noise.abs()
        elif p.ndim <= 1 and ("norm" in name.lower() or "ln" in name or "gamma" in name or ".bn" in name) and not name.endswith("bias"):
            p.data = 1 + 0.3 * noise
        elif p.ndim <= 1:
            p.data = 0.2 * noise
        else:
            p.data = noise * (0.4 if "embed" in name or "probe" in name or "latent" in name else p[0].numel() ** -0.5)
    for p in [*model.parameters(), *(b for n, b in model.named_buffers() if "running" in n)]:
        p.data = p.data.half()
    return model.double().eval()


class Tail:
    """From the last residual to the embedding, with statistics frozen as `x` has them: `of(term, share)` is linear."""

    def __init__(self, x, norm, pooling, prefix, projection, bias=None, pool=None):
        self.norm, self.pooling, self.prefix, self.projection, self.bias, self.pool = norm, pooling, prefix, projection, bias, pool
        self.rows = self.pick(x)
        self.mean = self.rows.mean(-1, keepdim=True)
        self.deviation = (self.rows.var(-1, keepdim=True, unbiased=False) + norm.eps).sqrt()
        if pool:
            self.pooled = self.read(self.normed(self.rows, 1), 1)
            if pool["last"] is not None:
                self.last_mean = self.pooled.mean(-1, keepdim=True)
                self.last_deviation = (self.pooled.var(-1, keepdim=True, unbiased=False) + pool["last"].eps).sqrt()

    def pick(self, x):
        if self.pooling == "cls":
            return x[..., 0, :]
        if self.pooling == "mean-norm":
            return x[..., self.prefix :, :].mean(-2)
        return x[..., self.prefix :, :] if self.pooling == "norm-mean" else x

    def normed(self, rows, share):
        return (rows - share * self.mean) / self.deviation * self.norm.weight + share * self.norm.bias

    def read(self, rows, share):
        """Through the pool's frozen attention [b, P, 1, N]."""
        v = rows @ self.pool["value"].T + share * self.pool["value_bias"]
        heads = self.pool["attention"].shape[1]
        v = v.unflatten(-1, (heads, -1)).transpose(-3, -2)
        out = (self.pool["attention"] @ v).squeeze(-2).flatten(-2)
        return out @ self.pool["out"].T + share * self.pool["out_bias"]

    def project(self, rows, share):
        out = rows if self.projection is None else rows @ self.projection
        return out if self.bias is None else out + share * self.bias

    def of(self, term, share):
        rows = self.normed(self.pick(term), share)
        if self.pooling == "norm-mean":
            rows = rows.mean(-2)
        if self.pool:
            rows = self.read(rows, share)
            last = self.pool["last"]
            if last is not None:
                rows = (rows - share * self.last_mean) / self.last_deviation * last.weight + share * last.bias
        return self.project(rows, share)

    def pool_mlp(self):
        mlp = self.pool["mlp"]
        return None if mlp is None else self.project(mlp(self.pool["mlp_norm"](self.pooled)), 0)


def frozen(norm, rows, at):
    """A norm of rows as it was for the row `at`."""
    mean, var = at.mean(-1, keepdim=True), at.var(-1, keepdim=True, unbiased=False)
    return (rows - mean) / (var + norm.eps).sqrt() * norm.weight + norm.bias


def dissect(encode, blocks, pieces, make_tail, pixels):
    """`pieces(block)`: output matrix and bias, scale of the attention's addition, norm before the matrix, norm behind it."""
    states, after = [], []
    hooks = [block.register_forward_pre_hook(lambda _, args, kwargs: states.append((args[0] if args else kwargs["hidden_states"]).detach()), with_kwargs=True) for block in blocks]
    hooks.append(blocks[-1].register_forward_hook(lambda _, args, out: after.append(out[0] if isinstance(out, tuple) else out)))
    recorded.clear()
    with torch.no_grad():
        embedding = encode(pixels)
    for hook in hooks:
        hook.remove()
    states.append(after[0].detach())
    attention = recorded[: len(blocks)]
    tail = make_tail(states[-1], recorded[len(blocks) :])
    b, n_tokens = states[0].shape[:2]
    heads = attention[0][0].shape[1]
    n = 2 * len(blocks) + 1
    parts, others = [], [tail.of(states[0], 1 / n)]
    with torch.no_grad():
        for layer, (block, (weights, values)) in enumerate(zip(blocks, attention)):
            out, bias, scale, inner, outer = pieces(block)
            z = (weights @ values).transpose(1, 2).flatten(2)
            if inner is not None:
                # The norm as it was at CLS, the one row that is read.
                values = values.transpose(1, 2).flatten(2)
                values = frozen(inner, values, z[:, :1]).unflatten(2, (heads, -1)).transpose(1, 2)
            size = values.shape[-1]
            read = z if inner is None else inner(z)
            written = read @ out.T + bias
            tokens = []
            for j in range(n_tokens):
                row = []
                for h in range(heads):
                    seen = weights[:, h, :, j, None] * values[:, h, j, None, :]
                    # What is normalised behind the matrix has its bias by attention, as b_V; β is shared equally.
                    share = 1 / n_tokens if outer is None else weights[:, h, :, j, None]
                    term = (seen @ out[:, h * size : (h + 1) * size].T + share * bias / heads) * scale
                    if outer is not None:
                        deviation = (written.var(-1, keepdim=True, unbiased=False) + outer.eps).sqrt()
                        term = (term - term.mean(-1, keepdim=True)) / deviation * outer.weight + outer.bias / (heads * n_tokens)
                    row.append(tail.of(term, 1 / (n * heads * n_tokens)))
                tokens.append(torch.stack(row, 1))
            parts.append(torch.stack(tokens, 1))
            change = states[layer + 1] - states[layer] - (written if outer is None else outer(written)) * scale
            others.append(tail.of(change, 1 / n))
        if tail.pool and tail.pool_mlp() is not None:
            others.append(tail.pool_mlp())
    parts, others = torch.stack(parts, 1), torch.stack(others, 1)
    total = parts.sum((1, 2, 3)) + others.sum(1)
    error = (total - embedding).abs().max() / embedding.abs().max()
    assert error < 1e-9, float(error)
    length = embedding.norm(dim=-1)
    return {
        "image_embedding": embedding,
        "attention_contributions": parts / length[:, None, None, None, None],
        "other_contributions": others / length[:, None, None],
    }


def write(name, arrays, state, config_file, config, weights_file, extra=None):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for key, array in arrays.items():
        array = array.detach().numpy() if isinstance(array, torch.Tensor) else array
        np.save(folder / f"{key}.npy", array.astype(np.int64 if array.dtype.kind == "i" else np.float32))
    tensors = {k: v.half().contiguous().clone() for k, v in state.items() if v.is_floating_point()}
    save_file(tensors, folder / weights_file, metadata={"format": "pt"})
    (folder / config_file).write_text(json.dumps(config, indent=1) + "\n")
    print(name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "kB")


def text_pieces(encode_text, seed, end=VOCAB - 1, context=CONTEXT, fill=None, inside=None):
    """Texts of different lengths, the end token once, filled up as the model was trained with."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.full((3, context), 0 if fill is None else fill)
    for row, length in enumerate((2, 5, context)):
        tokens[row, : length - 1] = torch.randint(2, VOCAB - 2, (length - 1,), generator=generator)
        tokens[row, length - 1] = end
    if inside is not None:
        tokens[2, 2] = inside
    with torch.no_grad():
        return {"text_tokens": tokens, "text_embedding": encode_text(tokens)}


def open_clip_golden(name, vision, text=None, tower=None, seed=1, texts=None, timm_patch=None, embed=DIM, image=IMAGE, language=None, **model_options):
    vision_cfg = {"image_size": image, **({} if tower else {"patch_size": PATCH, "width": WIDTH, "head_width": WIDTH // HEADS, "layers": LAYERS, "mlp_ratio": MLP / WIDTH}), **vision}
    text_cfg = {"context_length": CONTEXT, "vocab_size": VOCAB, "width": 16, "heads": 2, "layers": 1, "mlp_ratio": 2, **(text or {})}
    if language:
        text_cfg |= {"hf_model_name": language_model(**language), "hf_model_pretrained": False}
    make = CoCa if "multimodal_cfg" in model_options else CustomTextCLIP if tower or language else CLIP
    create = timm.create_model
    if timm_patch:
        timm.create_model = lambda model_name, **kwargs: create(model_name, **{**kwargs, **timm_patch})
    model = make(embed_dim=embed, vision_cfg=dict(vision_cfg), text_cfg=dict(text_cfg), **model_options)
    timm.create_model = create
    randomise(model, seed)
    pixels = torch.randn(2, 3, image, image, generator=torch.Generator().manual_seed(seed)).float().double()
    visual = model.visual

    if tower:
        trunk = visual.trunk
        blocks = list(trunk.blocks)

        def pieces(block):
            scale = block.ls1.gamma if hasattr(getattr(block, "ls1", None), "gamma") else 1
            inner = getattr(block.attn, "norm", None)
            inner = None if isinstance(inner, torch.nn.Identity) else inner
            outer = block.norm1 if type(block).__name__ == "EvaBlockPostNorm" else None
            return block.attn.proj.weight, block.attn.proj.bias, scale, inner, outer

        def make_tail(x, rest):
            last = trunk.fc_norm if tower.get("lastNorm") else trunk.norm
            head = visual.head.proj if hasattr(visual.head, "proj") else trunk.head
            linear = isinstance(head, torch.nn.Linear)
            pool = None
            if tower["pooling"] == "attention":
                p = trunk.attn_pool
                value = p.kv.weight.chunk(2)[1]
                pool = {"attention": rest[0][0], "value": value, "value_bias": p.kv.bias.chunk(2)[1], "out": p.proj.weight, "out_bias": p.proj.bias, "last": None, "mlp": p.mlp, "mlp_norm": p.norm}
            return Tail(x, last, tower["pooling"], tower["prefix"], head.weight.T if linear else None, head.bias if linear else None, pool)
    else:
        blocks = list(visual.transformer.resblocks)

        def pieces(block):
            scale = block.ls_1.gamma if hasattr(block.ls_1, "gamma") else 1
            return block.attn.out_proj.weight, block.attn.out_proj.bias, scale, None, None

        def make_tail(x, rest):
            p = visual.attn_pool
            if p is None:
                average = "mean-norm" if vision_cfg.get("final_ln_after_pool") else "norm-mean"
                return Tail(x, visual.ln_post, average if vision_cfg.get("pool_type") == "avg" else "cls", 1, visual.proj)
            value = p.attn.v_proj_weight if p.attn.in_proj_weight is None else p.attn.in_proj_weight.chunk(3)[2]
            pool = {"attention": rest[0][0][:, :, :1], "value": value, "value_bias": p.attn.in_proj_bias.chunk(3)[2], "out": p.attn.out_proj.weight, "out_bias": p.attn.out_proj.bias, "last": visual.ln_post, "mlp": None}
            return Tail(x, p.ln_k, "attention", 1, visual.proj, None, pool)

    encode = lambda x: model.encode_image(x, normalize=False)  # noqa: E731
    arrays = {"pixels": pixels, **dissect(encode, blocks, pieces, make_tail, pixels)}
    if texts is not None:
        arrays |= text_pieces(lambda t: model.encode_text(t, normalize=False), seed, **texts)
    if tower:
        vision_cfg["timm_tower"] = tower
    if language:
        text_cfg = {"context_length": CONTEXT, **text, "hf_model_name": "tiny", "hf_tower": {"family": language["family"], **LANGUAGE_FACTS[language["family"]]}}
    model_cfg = {"embed_dim": embed, "vision_cfg": vision_cfg, "text_cfg": text_cfg, **{k: v for k, v in model_options.items() if k == "multimodal_cfg"}}
    config = {"model_cfg": model_cfg, "preprocess_cfg": {}}
    write(name, arrays, model.state_dict(), "open_clip_config.json", config, "open_clip_model.safetensors")


LANGUAGE_FACTS = {
    "roberta": {"width": 16, "layers": 2, "heads": 2, "mlpWidth": 24, "vocabSize": VOCAB, "positions": CONTEXT + 2, "types": 1, "epsilon": 1e-5, "activation": "gelu", "padId": 1},
    "bert": {"width": 16, "layers": 2, "heads": 4, "mlpWidth": 24, "vocabSize": VOCAB, "positions": CONTEXT + 3, "types": 2, "epsilon": 1e-12, "activation": "gelu", "padId": 0},
}


LANGUAGE_FACTS["t5"] = {"width": 16, "layers": 2, "heads": 2, "mlpWidth": 24, "vocabSize": VOCAB, "relative": {"buckets": 8, "farthest": 6}, "epsilon": 1e-6, "activation": "gelu_tanh", "padId": 0}
LANGUAGE_FACTS["m2m100"] = {k: v for k, v in LANGUAGE_FACTS["roberta"].items() if k != "types"} | {"activation": "relu"}


def language_model(family, model_type):
    """A folder with the config of a small language model, in place of a name on the hub."""
    facts = LANGUAGE_FACTS[family]
    if family == "t5":
        sizes = {"d_model": facts["width"], "d_kv": facts["width"] // facts["heads"], "d_ff": facts["mlpWidth"], "num_layers": facts["layers"], "num_decoder_layers": 1, "num_heads": facts["heads"], "vocab_size": VOCAB}
        positions = {"relative_attention_num_buckets": facts["relative"]["buckets"], "relative_attention_max_distance": facts["relative"]["farthest"]}
        return config_folder({"model_type": model_type, **sizes, **positions, "layer_norm_epsilon": facts["epsilon"], "pad_token_id": facts["padId"]})
    sizes = {"hidden_size": facts["width"], "num_hidden_layers": facts["layers"], "num_attention_heads": facts["heads"], "intermediate_size": facts["mlpWidth"], "vocab_size": VOCAB}
    if family == "m2m100":
        sizes = {"d_model": facts["width"], "encoder_layers": facts["layers"], "encoder_attention_heads": facts["heads"], "encoder_ffn_dim": facts["mlpWidth"], "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 8, "vocab_size": VOCAB}
        facts = {**facts, "positions": CONTEXT, "types": 1}
    others = {"max_position_embeddings": facts["positions"], "type_vocab_size": facts["types"], "layer_norm_eps": facts["epsilon"], "pad_token_id": facts["padId"], "activation_function" if family == "m2m100" else "hidden_act": facts["activation"]}
    return config_folder({"model_type": model_type, **sizes, **others})


def config_folder(config):
    folder = tempfile.mkdtemp()
    (Path(folder) / "config.json").write_text(json.dumps(config))
    return folder


TOWER = {"width": WIDTH, "layers": LAYERS, "heads": HEADS, "mlpWidth": MLP, "imageSize": IMAGE, "patchSize": PATCH}
SMALL = {"img_size": IMAGE, "patch_size": PATCH, "embed_dim": WIDTH, "depth": LAYERS, "num_heads": HEADS, "mlp_ratio": MLP / WIDTH}
SIGLIP_TEXT = {"no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}, "act_kwargs": {"approximate": "tanh"}}


def timm_golden(name, model, pool, proj, tower, patch=None, small=SMALL, **options):
    vision = {"timm_model_name": model, "timm_pool": pool, "timm_proj": proj}
    open_clip_golden(name, vision, tower={**TOWER, **tower}, timm_patch={**small, **(patch or {})}, **options)


def siglip():
    towers = {"hidden_size": WIDTH, "intermediate_size": MLP, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    config = transformers.SiglipConfig(
        vision_config={**towers, "image_size": IMAGE, "patch_size": PATCH},
        text_config={**towers, "vocab_size": VOCAB, "max_position_embeddings": CONTEXT, "num_hidden_layers": 1, "projection_size": WIDTH, "bos_token_id": 1, "eos_token_id": 1},
    )
    model = randomise(transformers.SiglipModel(config), 5)
    vision = model.vision_model
    pixels = torch.randn(2, 3, IMAGE, IMAGE, generator=torch.Generator().manual_seed(5)).float().double()

    def pieces(layer):
        out = layer.self_attn.out_proj
        return out.weight, out.bias, 1, None, None

    def make_tail(x, rest):
        head = vision.head
        normed = vision.post_layernorm(x)
        probe = head.probe.expand(len(x), -1, -1)
        attention = head.attention(probe, normed, normed, average_attn_weights=False)[1]
        pool = {"attention": attention, "value": head.attention.in_proj_weight.chunk(3)[2], "value_bias": head.attention.in_proj_bias.chunk(3)[2], "out": head.attention.out_proj.weight, "out_bias": head.attention.out_proj.bias, "last": None, "mlp": head.mlp, "mlp_norm": head.layernorm}
        return Tail(x, vision.post_layernorm, "attention", 0, None, None, pool)

    encode = lambda x: vision(pixel_values=x).pooler_output  # noqa: E731
    arrays = {"pixels": pixels, **dissect(encode, list(vision.encoder.layers), pieces, make_tail, pixels)}
    arrays |= text_pieces(lambda t: model.text_model(input_ids=t).pooler_output, 5, end=1, fill=1)
    sections = {}
    for section in ("vision_config", "text_config"):
        sections[section] = {k: v for k, v in config.to_dict()[section].items() if k in {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size", "vocab_size", "max_position_embeddings", "model_type"}}
    write("siglip-transformers", arrays, model.state_dict(), "config.json", {"model_type": "siglip", **sections}, "model.safetensors")


def of_transformers(name, config, model, text_keys, seed, texts):
    """A transformers CLIP with another text tower."""
    model = randomise(model, seed)
    vision = model.vision_model
    pixels = torch.randn(2, 3, IMAGE, IMAGE, generator=torch.Generator().manual_seed(seed)).float().double()

    def pieces(layer):
        out = layer.self_attn.out_proj
        return out.weight, out.bias, 1, None, None

    def make_tail(x, rest):
        return Tail(x, vision.post_layernorm, "cls", 1, model.visual_projection.weight.T)

    encode = lambda x: model.visual_projection(vision(pixel_values=x).pooler_output)  # noqa: E731
    arrays = {"pixels": pixels, **dissect(encode, list(vision.encoder.layers), pieces, make_tail, pixels)}
    mask = lambda t: (t != config.text_config.pad_token_id).long()  # noqa: E731
    arrays |= text_pieces(lambda t: model.get_text_features(input_ids=t, attention_mask=mask(t)).pooler_output, seed, **texts)
    whole = config.to_dict()
    keys = {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size", "vocab_size", "max_position_embeddings", *text_keys}
    sections = {section: {k: v for k, v in whole[section].items() if k in keys} for section in ("vision_config", "text_config")}
    write(name, arrays, model.state_dict(), "config.json", {"model_type": config.model_type, "projection_dim": config.projection_dim, **sections}, "model.safetensors")


TRANSFORMERS_SIZES = {
    "vision_config": {"hidden_size": WIDTH, "intermediate_size": MLP, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "image_size": IMAGE, "patch_size": PATCH},
    "text_config": {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": VOCAB},
    "projection_dim": DIM,
}


def chinese_clip():
    sizes = {**TRANSFORMERS_SIZES, "text_config": {**TRANSFORMERS_SIZES["text_config"], "max_position_embeddings": CONTEXT}}
    config = transformers.ChineseCLIPConfig(**sizes)
    of_transformers("chinese-clip", config, transformers.ChineseCLIPModel(config), [], 11, {"end": 3, "fill": 0, "inside": 0})


def altclip():
    sizes = {**TRANSFORMERS_SIZES, "text_config": {**TRANSFORMERS_SIZES["text_config"], "max_position_embeddings": CONTEXT + 2, "project_dim": 12}}
    config = transformers.AltCLIPConfig(**sizes)
    of_transformers("altclip", config, transformers.AltCLIPModel(config), ["project_dim"], 12, {"end": 2, "fill": 1, "inside": 1})


def main(asked):
    HERE.mkdir(exist_ok=True)
    whole = hybrid.ConvStem
    hybrid.ConvStem = lambda channels, **how: whole(channels=[c * WIDTH // channels[-1] for c in channels], **how)
    stem = VitCfg(embed_dim=(8, 16, WIDTH), depths=(1, 1, 1), stem_width=8, conv_cfg=VitConvCfg(norm_layer="layernorm2d", norm_eps=1e-6))
    goldens = {
        "layer-scale": lambda: open_clip_golden("layer-scale", {"ls_init_value": 0.1}, texts={}),
        "mean-norm": lambda: open_clip_golden("mean-norm", {"no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True}, {"no_causal_mask": True, "pool_type": "last"}, texts={"fill": 0}),
        "norm-mean": lambda: open_clip_golden("norm-mean", {"pool_type": "avg"}, {"no_causal_mask": True}, texts={"fill": 0}),
        "end-by-id": lambda: open_clip_golden("end-by-id", {}, {"pool_type": "eos", "eos_id": 2}, texts={"end": 2, "fill": 1}),
        "coca": lambda: open_clip_golden("coca", {"attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True}, {"embed_cls": True, "output_tokens": True}, texts={"fill": 0, "inside": 0}, multimodal_cfg={"width": 16, "heads": 2, "layers": 1, "context_length": CONTEXT}),
        "roberta": lambda: open_clip_golden("roberta", {}, {"hf_proj_type": "mlp", "hf_pooler_type": "mean_pooler"}, language={"family": "roberta", "model_type": "xlm-roberta"}, texts={"end": 2, "fill": 1, "inside": 1}),
        "bert": lambda: open_clip_golden("bert", {}, {"hf_proj_type": "linear", "hf_pooler_type": "cls_pooler"}, language={"family": "bert", "model_type": "bert"}, texts={"end": 3, "fill": 0, "inside": 0}),
        "nllb": lambda: open_clip_golden("nllb", {}, {"hf_proj_type": "linear", "hf_pooler_type": "cls_pooler"}, language={"family": "m2m100", "model_type": "m2m_100"}, texts={"end": 2, "fill": 1, "inside": 1}),
        "mt5": lambda: open_clip_golden("mt5", {}, {"hf_pooler_type": "mean_pooler"}, language={"family": "t5", "model_type": "mt5"}, texts={"end": 1, "fill": 0, "inside": 0}),
        "siglip-timm": lambda: timm_golden("siglip-timm", "vit_base_patch16_siglip_224", "map", "none", {}, text={**SIGLIP_TEXT}, texts={"fill": 1, "end": 1}, embed=WIDTH, init_logit_bias=-10),
        "siglip-transformers": siglip,
        "chinese-clip": chinese_clip,
        "altclip": altclip,
        "eva": lambda: timm_golden("eva", "eva_giant_patch14_224", "token", None, {}),
        "eva02": lambda: timm_golden("eva02", "eva02_base_patch16_clip_224", "token", None, {"rotary": {"referenceGrid": 2, "offset": 0, "first": "row"}}, {"ref_feat_shape": (2, 2)}),
        "eva02-post": lambda: timm_golden("eva02-post", "eva02_enormous_patch14_clip_224", "token", None, {}),
        "relative": lambda: timm_golden("relative", "vit_relpos_medium_patch16_cls_224", "", "linear", {"relativeWidth": 10}, {"rel_pos_dim": 10}),
        "perception": lambda: timm_golden("perception", "vit_pe_core_base_patch16_224", "map", None, {"poolHeads": 4, "poolMlpWidth": 48, "rotary": {"referenceGrid": 4, "offset": 1, "first": "column"}}, {"attn_pool_num_heads": 4, "attn_pool_mlp_ratio": 2, "ref_feat_shape": (4, 4)}),
        "mobileclip": lambda: timm_golden("mobileclip", "vit_base_mci_224", "token", None, {"patchSize": 16, "imageSize": 48}, {"img_size": 48}, image=48, small={k: v for k, v in SMALL.items() if k != "patch_size"}),
        "vitamin": lambda: timm_golden("vitamin", "vitamin_small_224", "", "linear", {"patchSize": 16, "imageSize": 48, "stemWidths": [8, 8, 16], "stemDepths": [1, 1]}, {"embed_cfg": stem, "img_size": 48}, image=48, small={k: v for k, v in SMALL.items() if k != "patch_size"}),
        "gap": lambda: timm_golden("gap", "vit_medium_patch16_gap_256", "", "linear", {}),
    }
    from_facts()
    for name, make in goldens.items():
        if not asked or name in asked:
            make()


def from_facts():
    """A golden's timm tower is what its name stands for, made small."""
    text = (HERE.parents[2] / "src/checkpoint/timm-towers.ts").read_text()
    import re

    facts = {m[1]: m[2] for m in re.finditer(r"^  \"?(\w+)\"?: (\{.*?^  \}|\{.*\}),$", text, re.M | re.S)}
    table = {}
    for name, body in facts.items():
        body = re.sub(r"(\w+):", r'"\1":', body)
        table[name] = json.loads(re.sub(r",(\s*[}\]])", r"\1", body))
    make = timm_golden

    def with_facts(name, model, pool, proj, tower, *rest, **options):
        known = {k: v for k, v in table[model].items() if k not in TOWER}
        if "poolHeads" in known:
            known |= {"poolHeads": HEADS, "poolMlpWidth": MLP}
        make(name, model, pool, proj, {**known, **tower}, *rest, **options)

    globals()["timm_golden"] = with_facts


if __name__ == "__main__":
    main(sys.argv[1:])
