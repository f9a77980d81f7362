"""Measures an exported model where training never was: held-out compositions, a held-out style, and the planted bias.

    python evaluate.py --model ../models/NAME --data WORK        WORK holds compositions/ style/ balanced/

Writes MODEL/evaluation.json.
"""

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from data import Shards
from export import TOKENIZER, load_exported
from zeroshot import MEASURED, measure, measure_bias

EVALUATION = "evaluation.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    model, context = load_exported(options.model)
    tokenizer = Tokenizer.from_file(str(options.model / TOKENIZER))
    splits = {name: Shards(options.data / name, tokenizer, context) for name in ("compositions", "style", "balanced")}
    without_style = [name for name in MEASURED if name != "style"]
    results = {
        "compositions": measure(model, tokenizer, splits["compositions"], None, context, MEASURED),
        "style": measure(model, tokenizer, splits["style"], None, context, without_style),
        "bias": measure_bias(model, tokenizer, splits["balanced"], context),
    }
    (options.model / EVALUATION).write_text(json.dumps(results, indent=1) + "\n")
    for split in ("compositions", "style"):
        for name, r in results[split].items():
            print(f"{split:13} {name:11} {r['accuracy']:6.1%}  [{r['low']:.1%}, {r['high']:.1%}]  n {r['n']:5}")
    for name in ("all", "aligned", "conflicting", "worst"):
        r = results["bias"][name]
        print(f"bias          {name:11} {r['accuracy']:6.1%}  [{r['low']:.1%}, {r['high']:.1%}]  n {r['n']:5}")


if __name__ == "__main__":
    main()
