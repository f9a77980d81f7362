#!/bin/sh
# Exports the last checkpoint of a run, measures what was exported and writes the model card. Safe while training runs.
#   PYTHON=path/to/python training/finish.sh WORK [NAME]      WORK holds train/ test/ held-out/ run/
set -eu
work=$1
name=${2:-emoji-4x128-p8}
here=$(cd "$(dirname "$0")" && pwd)
model=$here/../models/$name
python=${PYTHON:-python3}
"$python" "$here/export.py" --run "$work/run" --data "$work/train" --out "$model"
"$python" "$here/evaluate.py" --model "$model" --test "$work/test" --held-out "$work/held-out" --out "$work/run/evaluation.json"
images=$(cat "$work"/train/records-*.jsonl | wc -l)
"$python" "$here/card.py" --model "$model" --run "$work/run" --images "$images"
