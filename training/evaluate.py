"""Measures an exported model on scenes that training never saw, and on the drawing style that it never saw.

    python evaluate.py --model ../models/NAME --test DIR/test --held-out DIR/held-out --out RUN/evaluation.json
"""

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from data import Shards
from export import TOKENIZER, load_exported
from zeroshot import MEASURED, measure


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    model, context = load_exported(options.model)
    tokenizer = Tokenizer.from_file(str(options.model / TOKENIZER))
    results = {}
    for split, folder in (("test", options.test), ("held-out style", options.held_out)):
        shards = Shards(folder, tokenizer, context)
        names = MEASURED if split == "test" else [name for name in MEASURED if name != "style"]
        results[split] = measure(model, tokenizer, shards, len(shards), context, names)
        for name, r in results[split].items():
            print(
                f"{split:15} {name:11} {r['accuracy']:6.1%}  [{r['low']:.1%}, {r['high']:.1%}]  n {r['n']:5}"
                f"  chance {r['chance']:.1%}"
            )
    options.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
