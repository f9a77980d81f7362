#!/bin/sh
# Exports the last checkpoint of a run, measures what was exported, compares it in OpenCLIP and writes the model card. Safe while training runs;
# needs `npm run build` and `pip install open_clip_torch==3.3.0`.
#   PYTHON=path/to/python training/finish.sh WORK NAME [--siblings]
# WORK holds train/ compositions/ style/ balanced/ and runs/NAME; --siblings: the family has it from other seeds too.
set -eu
work=$1
name=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
model=$here/../models/$name
python=${PYTHON:-python3}
"$python" "$here/export.py" --run "$work/runs/$name" --data "$work/train" --out "$model"
"$python" "$here/evaluate.py" --model "$model" --data "$work"
"$python" "$here/check_open_clip.py" --model "$model"
"$python" "$here/card.py" --model "$model" --run "$work/runs/$name" --data "$work/train" "$@"
