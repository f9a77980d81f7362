"""Small tokenizers of the kinds that SigLIP, SigLIP 2, CLIPA, MetaCLIP 2, BERT and RoBERTa read texts with, and ids of some texts.

    pip install open_clip_torch==3.3.0 transformers==5.24.0
    python test/goldens/make/other_tokenizers.py [kind …]

writes test/goldens/tokenizer/<kind>/: tokenizer.json and tokenizer_config.json as transformers saves them, and expected.json:
texts with the ids that OpenCLIP's HFTokenizer makes of them with the model's options.
"""

import json
import shutil
import sys
from pathlib import Path

from open_clip.tokenizer import HFTokenizer
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent.parent / "tokenizer"
CONTEXT = 16
CORPUS = [
    "a photo of a dog and a cat", "two red apples on a wooden table", "the monkey sits in a palm tree",
    "une photo de café à Paris", "people ride bicycles in the rain", "an old man reads a newspaper", "snow on the mountains",
] * 3
TEXTS = [
    "a photo of a dog", "A Photo, of a DOG!", "hello_world: it's 3 o'clock", "“quoted” – dash…", "naïve café &amp; tea", "  two   spaces ",
    "", "a dog </s> and <pad> a cat", "日本語 emoji 🙂", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen", "[SEP] in a text [CLS]", "Σίσυφος",
]


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=t, pad_token="</s>", eos_token="</s>", unk_token="<unk>")


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=150, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"]))
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=t, pad_token="[PAD]", sep_token="[SEP]", cls_token="[CLS]", unk_token="[UNK]")


def gemma():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator([c.replace(" ", "▁") for c in CORPUS], trainers.BpeTrainer(vocab_size=420, special_tokens=["<pad>", "<eos>", "<bos>", "<unk>", *bytes_]))
    # Only the first four are special: a byte's token is a word like any other.
    state = json.loads(t.to_str())
    state["added_tokens"] = state["added_tokens"][:4]
    t = Tokenizer.from_str(json.dumps(state))
    t.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=t, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def roberta():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", pad_token="<pad>", unk_token="<unk>")


def byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=340, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>")


def main(asked):
    kinds = {
        "siglip": (unigram, {"clean": "canonicalize"}),
        "siglip2": (gemma, {"clean": "canonicalize"}),
        "clipa": (wordpiece, {"strip_sep_token": True}),
        "metaclip2": (roberta, {}),
        "bert": (wordpiece, {}),
        "roberta": (byte_level, {}),
    }
    for kind, (make, options) in kinds.items():
        if asked and kind not in asked:
            continue
        folder = HERE / kind
        shutil.rmtree(folder, ignore_errors=True)
        make().save_pretrained(folder)
        tokenizer = HFTokenizer(str(folder), context_length=CONTEXT, **options)
        ids = [tokenizer([text])[0].tolist() for text in TEXTS]
        expected = {"contextLength": CONTEXT, "options": options, "texts": [{"text": t, "ids": i} for t, i in zip(TEXTS, ids)]}
        (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
