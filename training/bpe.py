"""A byte-level BPE in CLIP's form, trained on the world's captions, and texts to token ids."""

import json

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

START, END = "<|startoftext|>", "<|endoftext|>"

NORMALIZER = {
    "type": "Sequence",
    "normalizers": [
        {"type": "NFC"},
        {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
        {"type": "Lowercase"},
    ],
}
PRE_TOKENIZER = {
    "type": "Sequence",
    "pretokenizers": [
        {
            "type": "Split",
            "pattern": {"Regex": r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"},
            "behavior": "Removed",
            "invert": True,
        },
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ],
}


def byte_characters() -> list[str]:
    """The printable stand-in of every byte, in CLIP's order: printable bytes first, then the others."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]


def assemble(merges: list[list[str]]) -> dict:
    """tokenizer.json: 256 bytes, 256 bytes that end a word, one token a merge, start, and end with the highest id."""
    alphabet = byte_characters()
    tokens = [*alphabet, *(c + "</w>" for c in alphabet), *("".join(m) for m in merges), START, END]
    ids = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": ids[START], "content": START, **added}, {"id": ids[END], "content": END, **added}],
        "normalizer": NORMALIZER,
        "pre_tokenizer": PRE_TOKENIZER,
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [END, ids[END]],
            "cls": [START, ids[START]],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": END,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": ids,
            "merges": [" ".join(m) for m in merges],
        },
    }


def train_bpe(texts: list[str]) -> dict:
    """Learns merges until every word that occurs at least twice is one token."""
    blank = assemble([])
    learner = Tokenizer.from_str(json.dumps(blank))
    learner.model = BPE(end_of_word_suffix="</w>")
    trainer = BpeTrainer(
        vocab_size=8192, min_frequency=2, initial_alphabet=byte_characters(), end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return assemble([m if isinstance(m, list) else m.split(" ") for m in merges])


def encode(tokenizer: Tokenizer, texts: list[str], context: int) -> np.ndarray:
    """Token ids [n, context], start token to end token, zeros after it; the end token survives truncation."""
    out = np.zeros((len(texts), context), dtype=np.int16)
    for row, encoding in zip(out, tokenizer.encode_batch(texts)):
        ids = encoding.ids
        if len(ids) > context:
            ids = ids[: context - 1] + ids[-1:]
        row[: len(ids)] = ids
    return out
