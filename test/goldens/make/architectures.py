"""Facts about the architectures that OpenCLIP names, from the PyPI packages open_clip_torch 3.3.0 and timm 1.0.31.

    pip install open_clip_torch==3.3.0 timm==1.0.31
    python test/goldens/make/architectures.py

writes to test/goldens/open_clip/ configs.json (every config: its fields), pretrained.json (which published weights need
QuickGELU) and tensors.json (the names and shapes of every tower's tensors, of its first layer for all layers), and
src/checkpoint/timm-towers.ts (what timm's names of image towers stand for). No weights are made: towers are built on the
meta device and read.
"""

import json
import re
import tempfile
from pathlib import Path

import open_clip
import timm
import torch
from open_clip.model import CLIPTextCfg, CLIPVisionCfg, _build_text_tower, _build_vision_tower
from timm.layers import AttentionPoolLatent

ROOT = Path(__file__).resolve().parents[3]
NOT_TRANSFORMERS = ("convnext", "fastvit", "swin")
CONFIGS = Path(open_clip.__file__).parent / "model_configs"


def one_line_each(entries):
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def activation(module):
    name = type(module).__name__
    return {"GELU": "gelu", "GELUTanh": "gelu_tanh", "SiLU": "silu"}[name]


def rotary(tower):
    rope = getattr(tower, "rope", None)
    if rope is None:
        return None
    assert not rope.in_pixels and not rope.rotate_half and rope.temperature == 10000
    return {
        "referenceGrid": rope.ref_feat_shape[0] if rope.ref_feat_shape else None,
        "offset": rope.grid_offset,
        "first": "row" if rope.grid_indexing == "ij" else "column",
    }


def describe(name, pool):
    with torch.device("meta"):
        tower = timm.create_model(name, **({"global_pool": pool} if pool else {}))
    if not hasattr(tower, "blocks"):
        return None
    block = tower.blocks[0]
    mlp = block.mlp
    kind = type(mlp).__name__
    state = tower.state_dict()
    grid = tower.patch_embed.grid_size[0]
    positions = state.get("pos_embed")
    stem = type(getattr(tower.patch_embed, "backbone", None)).__name__
    pooling = {"token": "cls", "map": "attention"}.get(tower.global_pool)
    if tower.global_pool == "avg":
        pooling = "mean-norm" if "fc_norm.weight" in state else "norm-mean"
    hidden = {"Mlp": "fc1", "SwiGLU": "fc1_g", "GeGluMlp": "w0"}[kind]
    image = tower.patch_embed.img_size[0]
    attn_pool = getattr(tower, "attn_pool", None)
    assert attn_pool is None or isinstance(attn_pool, AttentionPoolLatent)
    facts = {
        "pool": pool,
        "pooling": pooling,
        "width": tower.embed_dim,
        "layers": len(tower.blocks),
        "heads": block.attn.num_heads,
        "mlpWidth": getattr(mlp, hidden).out_features,
        "imageSize": image,
        "patchSize": image // grid,
        "prefix": tower.num_prefix_tokens,
        "positions": "none" if positions is None else "all" if positions.shape[1] > grid * grid else "patches",
        "epsilon": block.norm1.eps,
        "activation": activation(mlp.act),
        "mlp": {"Mlp": "plain", "SwiGLU": "swiglu", "GeGluMlp": "geglu"}[kind],
    }
    if tower.num_prefix_tokens == 0:
        facts["positions"] = "none" if positions is None else "all"
    if "norm_pre.weight" in state:
        facts["lnPre"] = True
    if "blocks.0.ls1.gamma" in state:
        facts["layerScale"] = True
    if "blocks.0.attn.norm.weight" in state:
        facts["attentionNorm"] = True
    if kind == "SwiGLU" and "blocks.0.mlp.norm.weight" in state:
        facts["mlpNorm"] = True
    if type(block).__name__ == "EvaBlockPostNorm":
        facts["postNorm"] = True
    if "fc_norm.weight" in state:
        facts["lastNorm"] = "fc_norm"
    if rotary(tower):
        facts["rotary"] = rotary(tower)
    if hasattr(block.attn, "rel_pos"):
        assert block.attn.rel_pos.mode == "cr" and block.attn.rel_pos.prefix_tokens == 1
        facts["relativeWidth"] = block.attn.rel_pos.mlp.fc1.out_features
    if attn_pool is not None:
        facts["poolHeads"] = attn_pool.num_heads
        facts["poolMlpWidth"] = attn_pool.mlp.fc1.out_features
        assert activation(attn_pool.mlp.act) == facts["activation"]
    if stem == "ConvStem":
        facts["stem"] = "convolutions"
    if stem == "MbConvStages":
        facts["stem"] = "inverted-bottlenecks"
        facts["stemWidths"] = [
            state["patch_embed.backbone.stem.conv2.weight"].shape[0],
            *(tower.patch_embed.backbone.stages[s][-1].out_chs for s in range(2)),
        ]
        facts["stemDepths"] = [len(stage) for stage in tower.patch_embed.backbone.stages]
    return facts


# What the configs of these language models say on the hub.
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
SHARED = {"max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5, "hidden_act": "gelu"}
LANGUAGE_MODELS = {
    "roberta-base": {"model_type": "roberta", "vocab_size": 50265, **BASE, **SHARED},
    "xlm-roberta-base": {"model_type": "xlm-roberta", "vocab_size": 250002, **BASE, **SHARED},
    **{
        f"facebook/nllb-200-distilled-{size}": {
            "model_type": "m2m_100", "vocab_size": 256206, "d_model": 1024, "max_position_embeddings": 1024, "pad_token_id": 1,
            "encoder_layers": layers, "encoder_attention_heads": 16, "encoder_ffn_dim": mlp, "decoder_layers": 1,
        }
        for size, layers, mlp in (("600M", 12, 4096), ("1.3B", 24, 8192))
    },
    **{
        f"google/mt5-{size}": {
            "model_type": "mt5", "vocab_size": 250112, "d_model": width, "d_kv": 64, "d_ff": mlp, "num_layers": layers, "num_heads": heads,
            "num_decoder_layers": 1, "feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-6, "pad_token_id": 0,
        }
        for size, width, layers, heads, mlp in (("base", 768, 12, 12, 2048), ("xl", 2048, 24, 32, 5120))
    },
    "xlm-roberta-large": {"model_type": "xlm-roberta", "vocab_size": 250002, **LARGE, **SHARED},
}


def language_model(name):
    """A folder with its config, in place of the hub."""
    folder = tempfile.mkdtemp()
    (Path(folder) / "config.json").write_text(json.dumps(LANGUAGE_MODELS[name]))
    return folder


def shapes_of(tower):
    """Names and shapes, of the first layer only."""
    later = re.compile(r"(?:resblocks|blocks|encoder\.layer|transformer\.layers|transformer\.block)\.(?!0\.)\d+\.")
    inside = re.compile(r"(patch_embed|\bstages)")
    return {
        name: "x".join(map(str, tensor.shape))
        for name, tensor in tower.state_dict().items()
        if tensor.dtype.is_floating_point and (inside.search(name) or not later.search(name))
    }


def tensors(configs):
    """Towers that are alike are written once."""
    towers, models = {}, {}
    for name, config in configs.items():
        vision, text = CLIPVisionCfg(**config["vision_cfg"]), CLIPTextCfg(**config["text_cfg"])
        if isinstance(vision.layers, list) or (vision.timm_model_name or "").startswith(NOT_TRANSFORMERS):
            continue
        quick = config.get("quick_gelu", False)
        with torch.device("meta"):
            parts = {"visual": shapes_of(_build_vision_tower(config["embed_dim"], vision, quick))}
            if text.hf_model_name in LANGUAGE_MODELS:
                text.hf_model_pretrained = False
                text.hf_model_name = language_model(text.hf_model_name)
            if not text.hf_model_name or text.hf_model_name.startswith("/"):
                parts["text"] = shapes_of(_build_text_tower(config["embed_dim"], text, quick))
        keys = {}
        for part, shapes in parts.items():
            known = next((key for key, value in towers.items() if value == shapes), None)
            keys[part] = known or f"{part}-{len(towers)}"
            towers[keys[part]] = shapes
        models[name] = keys
    def lines(entries):
        return ",\n".join(f" {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in entries.items())

    return f'{{"models": {{\n{lines(models)}\n}}, "towers": {{\n{lines(towers)}\n}}}}\n'


def main():
    configs = {path.stem: json.loads(path.read_text()) for path in sorted(CONFIGS.glob("*.json"))}
    target = ROOT / "test/goldens/open_clip"
    target.mkdir(exist_ok=True)
    (target / "configs.json").write_text(one_line_each(configs))
    pretrained = {}
    for architecture, tag in open_clip.list_pretrained():
        facts = open_clip.get_pretrained_cfg(architecture, tag)
        quick = bool(facts.get("quick_gelu")) or bool(configs.get(architecture, {}).get("quick_gelu"))
        pretrained[f"{architecture}/{tag}"] = {"hub": facts.get("hf_hub", "").strip("/"), "quickGelu": quick}
    (target / "pretrained.json").write_text(one_line_each(pretrained))
    (target / "tensors.json").write_text(tensors(configs))
    used = {}
    for config in configs.values():
        vision = config["vision_cfg"]
        if "timm_model_name" in vision:
            used[vision["timm_model_name"]] = vision["timm_pool"]
    towers = {name: facts for name in sorted(used) if (facts := describe(name, used[name]))}
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in towers.items()]
    text = (
        'import type { TimmTower } from "./timm-tower.ts";\n\n'
        "/** What timm's names of image towers stand for. Written by test/goldens/make/architectures.py. */\n"
        "export const TIMM_TOWERS: Readonly<Record<string, TimmTower>> = {\n" + "\n".join(lines) + "\n};\n"
    )
    (ROOT / "src/checkpoint/timm-towers.ts").write_text(text)


if __name__ == "__main__":
    main()
