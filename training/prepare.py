"""Learns the tokenizer from the captions of a generated world and turns its records into arrays.

    python prepare.py --data DIR
"""

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from bpe import train_bpe
from data import Shards
from model import Shape


def captions(folder: Path, shards: int):
    for file in sorted(folder.glob("records-*.jsonl"))[:shards]:
        with file.open() as lines:
            for line in lines:
                yield from (caption["text"] for caption in json.loads(line)["captions"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    file = folder / "tokenizer.json"
    if not file.exists():
        file.write_text(json.dumps(train_bpe(list(captions(folder, 10))), ensure_ascii=False))
    tokenizer = Tokenizer.from_file(str(file))
    shards = Shards(folder, tokenizer, Shape.context_length)
    longest = int((shards.tokens != 0).sum(-1).max())
    print(f"{len(shards)} images, vocabulary {tokenizer.get_vocab_size()}, longest caption {longest} tokens")


if __name__ == "__main__":
    main()
