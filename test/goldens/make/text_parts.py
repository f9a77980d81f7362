"""What every head read of every token of a text, and what the MLPs wrote, for goldens that are there already.

    pip install open_clip_torch==3.3.0 transformers==5.24.0 safetensors
    python test/goldens/make/text_parts.py [name …]

writes beside a golden's text_tokens.npy: text_contributions.npy [t, L, N, H, D] and text_other_contributions.npy [t, L+1, D], both
over ‖t‖, t being a golden's first four texts, from the weights that lie there. N is the longest text's; a text's own tokens come
first (from start to end token; with a class token one token that fills up, and the class token; of a tower that is not causal all),
the rest is 0. Where both libraries' files lie there, both compute it, and are asserted to agree.

The reference: attention weights and values are recorded as the library's own forward pass computes them, in float64. With these and
the last norm's statistics frozen, what follows is linear; each part is sent through it alone, with an equal share of every
constant. The parts are asserted to sum to the library's embedding.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from open_clip.hf_model import HFTextEncoder
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


def of_golden(folder, towers, dissect=dissect):
    tokens = torch.from_numpy(np.load(folder / "text_tokens.npy"))[:TEXTS]
    expected = np.load(folder / "text_embedding.npy")
    every = [[dissect(tower, ids) for ids in tokens] for tower in towers]
    for other in every[1:]:
        for one, two in zip(every[0], other):
            assert (one[0] - two[0]).abs().max() < 1e-9 and (one[1] - two[1]).abs().max() < 1e-9
    texts = every[0]
    layers, _, heads, width = texts[0][0].shape
    parts = np.zeros((len(tokens), layers, tokens.shape[1] + towers[0].get("cls", False), heads, width), np.float32)
    for i, (part, _, embedding) in enumerate(texts):
        parts[i, :, : part.shape[1]] = part.numpy()
        assert np.abs(embedding.detach().numpy() - expected[i]).max() < 1e-5 * np.abs(expected).max(), folder
    longest = max(part.shape[1] for part, _, _ in texts)
    np.save(folder / "text_contributions.npy", parts[:, :, :longest])
    np.save(folder / "text_other_contributions.npy", np.stack([others.numpy() for _, others, _ in texts]).astype(np.float32))
    print(folder.name, parts[:, :, :longest].shape)


def language_folder(folder, facts):
    """The config of a golden's language model, as its library reads it."""
    family = facts["family"]
    config = {"vocab_size": facts["vocabSize"], "pad_token_id": facts["padId"]}
    if family == "t5":
        config |= {"model_type": "mt5", "d_model": facts["width"], "d_kv": facts["width"] // facts["heads"], "d_ff": facts["mlpWidth"], "num_layers": facts["layers"], "num_decoder_layers": 1, "num_heads": facts["heads"], "layer_norm_epsilon": facts["epsilon"]}
        config |= {"relative_attention_num_buckets": facts["relative"]["buckets"], "relative_attention_max_distance": facts["relative"]["farthest"]}
    elif family == "m2m100":
        config |= {"model_type": "m2m_100", "d_model": facts["width"], "encoder_layers": facts["layers"], "decoder_layers": 1, "encoder_attention_heads": facts["heads"], "decoder_attention_heads": facts["heads"], "encoder_ffn_dim": facts["mlpWidth"], "decoder_ffn_dim": facts["mlpWidth"], "max_position_embeddings": facts["positions"] - 2, "activation_function": "relu", "scale_embedding": True}
    else:
        config |= {"model_type": {"roberta": "xlm-roberta", "bert": "bert"}[family], "hidden_size": facts["width"], "num_hidden_layers": facts["layers"], "num_attention_heads": facts["heads"], "intermediate_size": facts["mlpWidth"], "max_position_embeddings": facts["positions"], "type_vocab_size": facts["types"], "layer_norm_eps": facts["epsilon"]}
    (Path(folder) / "config.json").write_text(json.dumps(config))


def language_tower(folder):
    """A language model's encoder as open_clip or transformers runs it: `norms` on the residual stream in order, a block's value map,
    output map and the module whose output its MLP adds, what stands behind the pooled row, activations as functions."""
    config = json.loads(next(folder.glob("*config.json")).read_text())
    state = {k: v.float() for k, v in load_file(next(folder.glob("*.safetensors"))).items()}
    last, pooler = [], []
    if "model_cfg" in config:
        given = config["model_cfg"]["text_cfg"]
        facts, pooling = given["hf_tower"], given.get("hf_pooler_type", "mean_pooler")
        with tempfile.TemporaryDirectory() as scratch:
            language_folder(scratch, facts)
            text = HFTextEncoder(scratch, config["model_cfg"]["embed_dim"], pooler_type=pooling, proj_type=given.get("hf_proj_type", "mlp"), pretrained=False)
        load(text, {k.removeprefix("text."): v for k, v in state.items() if k.startswith("text.")})
        encoder, family, encode, mean = text.transformer, facts["family"], text, pooling == "mean_pooler"
        maps = list(text.proj) if isinstance(text.proj, torch.nn.Sequential) else [text.proj]
        pooler = [encoder.pooler.dense, torch.tanh] if not mean and family != "m2m100" else []
        heads, pad = facts["heads"], facts["padId"]
    else:
        chinese = config["model_type"] == "chinese_clip"
        kind, of = (transformers.ChineseCLIPModel, transformers.ChineseCLIPConfig) if chinese else (transformers.AltCLIPModel, transformers.AltCLIPConfig)
        model = kind(of(**{k: v for k, v in config.items() if k.endswith("_config") or k == "projection_dim"}))
        load(model, state)
        text, family, mean = model.text_model, "bert", False
        heads, pad = config["text_config"]["num_attention_heads"], model.config.text_config.pad_token_id
        encode = lambda ids: model.get_text_features(input_ids=ids, attention_mask=(ids != pad).long()).pooler_output  # noqa: E731
        encoder, last = (text, []) if chinese else (text.roberta, [text.pre_LN])
        maps = [model.text_projection] if chinese else [text.transformation, model.text_projection]
    if family == "t5":
        blocks = [(b.layer[0].SelfAttention.v, b.layer[0].SelfAttention.o, b.layer[1].DenseReluDense) for b in encoder.block]
        norms = [encoder.final_layer_norm]
    elif family == "m2m100":
        blocks = [(b.self_attn.v_proj, b.self_attn.out_proj, b.fc2) for b in encoder.layers]
        norms = [encoder.layer_norm]
    else:
        layers = getattr(encoder.encoder, "layer", None) or encoder.encoder.layers
        blocks = [(b.attention.self.value, b.attention.output.dense, b.output.dense) for b in layers]
        norms = [encoder.embeddings.LayerNorm, *(norm for b in layers for norm in (b.attention.output.LayerNorm, b.output.LayerNorm)), *last]
    end = [*pooler, *(F.gelu if isinstance(m, torch.nn.GELU) else m for m in maps)]
    shared = norms[-1] if family in ("t5", "m2m100") or last else None
    return {"encode": encode, "blocks": blocks, "norms": norms, "shared": shared, "mean": mean, "end": end, "heads": heads, "pad": pad}


def load(model, state):
    """What nothing reads, or is computed, may be missing."""
    missing = [k for k in model.load_state_dict(state, strict=False).missing_keys if not k.endswith(("position_ids", "token_type_ids", "embed_positions.weights"))]
    assert not [k for k in missing if "text" in k or "encoder" in k], missing
    model.double().eval()


def language_dissect(tower, ids):
    """As `dissect`: every part is a row a token, sent through the frozen norms that follow it. A norm takes each part's own mean off; its
    β belongs to the sublayer before it, that of a norm behind the last layer (`shared`) to all. A head's constants go to tokens as they
    are attended to, what all share equally. An activation is held at what it multiplied its input by."""
    blocks, norms, shared, heads = tower["blocks"], tower["norms"], tower["shared"], tower["heads"]
    n, c, post = 2 * len(blocks) + 1, len(ids), len(norms) > 1
    values, outs, changes, entering = [], [], [], []
    rows = lambda x: x.reshape(c, -1)  # noqa: E731
    hooks = [norm.register_forward_pre_hook(lambda _, args: entering.append(rows(args[0]))) for norm in norms]
    for value, out, mlp in blocks:
        hooks.append(value.register_forward_hook(lambda _, args, o: values.append(rows(o))))
        hooks.append(out.register_forward_hook(lambda _, args, o: outs.append(rows(o))))
        hooks.append(mlp.register_forward_hook(lambda _, args, o: changes.append(rows(o))))
    recorded.clear()
    embedding = tower["encode"](ids[None])[0]
    for hook in hooks:
        hook.remove()
    bias = lambda module: 0 if getattr(module, "bias", None) is None else module.bias  # noqa: E731
    centred = lambda norm, x: x if getattr(norm, "bias", None) is None else x - x.mean(1, keepdim=True)  # noqa: E731
    eps = lambda norm: norm.eps if hasattr(norm, "eps") else norm.variance_epsilon  # noqa: E731
    # A T5 squares in float32, whatever it computes in.
    exact = lambda norm, x: x.float() if hasattr(norm, "variance_epsilon") else x  # noqa: E731
    inverses = [(centred(norm, exact(norm, x)).square().mean(1, keepdim=True) + eps(norm)).rsqrt().double() for norm, x in zip(norms, entering)]
    weights = (ids != tower["pad"]).double() if tower["mean"] else F.one_hot(torch.tensor(0), c).double()
    y, gains = weights / weights.sum() @ norms[-1](entering[-1]), []
    for step in tower["end"]:
        after = step(y)
        gains.append(None if isinstance(step, torch.nn.Module) else after / y)
        y = after
    assert (y - embedding).abs().max() < 1e-9

    def of(part, k, share):
        """A part of all tokens, [c, W], from before norm k to the embedding, with its share of what all share."""
        for norm, inverse in list(zip(norms, inverses))[k:]:
            part = centred(norm, part) * inverse * norm.weight
        row = weights / weights.sum() @ part + share * bias(shared)
        for step, gain in zip(tower["end"], gains):
            if gain is not None:
                row = row * gain
            elif not isinstance(step, torch.nn.Identity):
                row = row @ step.weight.T + share * bias(step)
        return row

    beta = lambda k, much=1.0: of(much * norms[k].bias.expand(c, -1), k + 1, 0) if post else 0  # noqa: E731
    start = entering[0] if post else entering[-1] - sum(outs) - sum(changes)
    parts, others = [], [of(start, 0, 1 / n) + beta(0)]
    for layer, ((_, out, _), v, change) in enumerate(zip(blocks, values, changes)):
        k = 1 + 2 * layer if post else 0
        size = v.shape[1] // heads
        attention = recorded[layer][0][0]
        tokens = [
            [
                of(attention[h, :, j, None] * (v[j, h * size : (h + 1) * size] @ out.weight[:, h * size : (h + 1) * size].T + bias(out) / heads), k, 1 / (n * heads * c))
                + beta(k, attention[h, :, j, None] / heads)
                for h in range(heads)
            ]
            for j in range(c)
        ]
        parts.append(torch.stack([torch.stack(row) for row in tokens]))
        others.append(of(change, k + 1 if post else 0, 1 / n) + (beta(k + 1) if post else 0))
    parts, others = torch.stack(parts), torch.stack(others)
    error = (parts.sum((0, 1, 2)) + others.sum(0) - embedding).abs().max() / embedding.abs().max()
    assert error < 1e-9, float(error)
    return parts.detach() / embedding.norm(), others.detach() / embedding.norm(), embedding


LANGUAGES = ("bert", "roberta", "nllb", "mt5", "chinese-clip", "altclip")
asked = sys.argv[1:]
for name in ("gelu-p8", "quickgelu-p14"):
    if not asked or name in asked:
        of_golden(GOLDENS / name, [open_clip_tower(GOLDENS / name / "open_clip"), transformers_tower(GOLDENS / name / "transformers")])
for name in ("layer-scale", "mean-norm", "norm-mean", "end-by-id", "coca", "siglip-timm", "siglip-transformers", *LANGUAGES):
    if asked and name not in asked:
        continue
    folder = GOLDENS / "kinds" / name
    if name in LANGUAGES:
        with torch.no_grad():
            of_golden(folder, [language_tower(folder)], language_dissect)
    else:
        of_golden(folder, [transformers_tower(folder) if name == "siglip-transformers" else open_clip_tower(folder)])
