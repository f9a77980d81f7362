"""A CLIP in OpenCLIP's architecture and with OpenCLIP's parameter names, small enough to train on two CPU cores."""

import re
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Shape:
    """The shape of a model; `config` gives it in OpenCLIP's words."""

    embed_dim: int = 128
    image_size: int = 64
    patch_size: int = 8
    vision_width: int = 128
    vision_layers: int = 4
    head_width: int = 32
    context_length: int = 32
    vocab_size: int = 0
    text_width: int = 128
    text_layers: int = 3
    text_heads: int = 4

    @staticmethod
    def named(name: str, **others) -> "Shape":
        """`4x128-p8`: 4 layers of width 128 on patches of 8 pixels. The embedding is as wide as the image tower."""
        found = re.fullmatch(r"(\d+)x(\d+)-p(\d+)", name)
        if found is None:
            raise ValueError(f"a shape is written LAYERSxWIDTH-pPATCH, as in 4x128-p8, not {name!r}")
        layers, width, patch = map(int, found.groups())
        return Shape(embed_dim=width, vision_width=width, vision_layers=layers, patch_size=patch, **others)

    def config(self) -> dict:
        return {
            "model_cfg": {
                "embed_dim": self.embed_dim,
                "vision_cfg": {
                    "image_size": self.image_size,
                    "layers": self.vision_layers,
                    "width": self.vision_width,
                    "head_width": self.head_width,
                    "patch_size": self.patch_size,
                },
                "text_cfg": {
                    "context_length": self.context_length,
                    "vocab_size": self.vocab_size,
                    "width": self.text_width,
                    "heads": self.text_heads,
                    "layers": self.text_layers,
                },
                "quick_gelu": False,
            },
            "preprocess_cfg": {
                "mean": [0.5, 0.5, 0.5],
                "std": [0.5, 0.5, 0.5],
                "interpolation": "bicubic",
                "resize_mode": "shortest",
            },
        }

    def as_dict(self) -> dict:
        return asdict(self)


class Attention(nn.Module):
    """Multi-head self-attention with nn.MultiheadAttention's parameter names."""

    def __init__(self, width: int, heads: int, causal: bool):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # On a CPU, PyTorch's attention is several times slower in bfloat16 than in float32.
        with torch.autocast("cpu", enabled=False):
            z = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=self.causal)
        return self.out_proj(z.transpose(1, 2).reshape(batch, tokens, width))


class Mlp(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, layers: int, causal: bool):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, causal)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)
        into_stream = width**-0.5 * (2 * layers) ** -0.5
        nn.init.normal_(self.attn.out_proj.weight, std=into_stream)
        nn.init.normal_(self.mlp.c_proj.weight, std=into_stream)
        nn.init.normal_(self.mlp.c_fc.weight, std=(2 * width) ** -0.5)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, causal: bool):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, layers, causal) for _ in range(layers))

    def forward(self, x):
        for block in self.resblocks:
            x = block(x)
        return x


class Vision(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        width, self.patch = shape.vision_width, shape.patch_size
        grid = shape.image_size // shape.patch_size
        self.class_embedding = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positional_embedding = nn.Parameter(torch.randn(grid * grid + 1, width) * width**-0.5)
        self.proj = nn.Parameter(torch.randn(width, shape.embed_dim) * width**-0.5)
        self.conv1 = nn.Conv2d(3, width, shape.patch_size, shape.patch_size, bias=False)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, shape.vision_layers, width // shape.head_width, causal=False)
        self.ln_post = nn.LayerNorm(width)

    def patches(self, pixels):
        """uint8 [b, size, size, 3] to uint8 [b, patches, 3·p·p], each patch in conv1's order."""
        batch, size, _, _ = pixels.shape
        grid, p = size // self.patch, self.patch
        cut = pixels.view(batch, grid, p, grid, p, 3).permute(0, 1, 3, 5, 2, 4)
        return cut.reshape(batch, grid * grid, 3 * p * p)

    def forward(self, patches, kept=None):
        """The embedding of cut images; with `kept` [b, k], the model is shown only these patches."""
        position = self.positional_embedding[1:].expand(len(patches), -1, -1)
        if kept is not None:
            patches = patches.gather(1, kept[:, :, None].expand(-1, -1, patches.shape[2]))
            position = position.gather(1, kept[:, :, None].expand(-1, -1, position.shape[2]))
        x = patches.float() / 127.5 - 1
        x = F.linear(x, self.conv1.weight.flatten(1)) + position
        cls = (self.class_embedding + self.positional_embedding[0]).expand(len(x), 1, -1)
        x = self.transformer(self.ln_pre(torch.cat([cls, x], dim=1)))
        return self.ln_post(x[:, 0]) @ self.proj


class Clip(nn.Module):
    """Two towers; the text tower reads the embedding at the highest token id, the end token."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.visual = Vision(shape)
        self.token_embedding = nn.Embedding(shape.vocab_size, shape.text_width)
        self.positional_embedding = nn.Parameter(torch.randn(shape.context_length, shape.text_width) * 0.01)
        self.transformer = Transformer(shape.text_width, shape.text_layers, shape.text_heads, causal=True)
        self.ln_final = nn.LayerNorm(shape.text_width)
        self.text_projection = nn.Parameter(torch.randn(shape.text_width, shape.embed_dim) * shape.text_width**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def encode_text(self, tokens):
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        x = self.ln_final(self.transformer(x))
        return x[torch.arange(len(x)), tokens.argmax(dim=1)] @ self.text_projection
