#!/bin/sh
# Make the primer from nothing: tokenizer, corpus, training, evaluation, golden, model card.
#
#   python -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt
#   ./make.sh [MODEL_FOLDER]
#
# Corpus and f32 weights go to a temporary folder, or to $PRIMER_WORK if that is set.
set -eu
cd "$(dirname "$0")"
model=${1:-../../models/primer}
work=${PRIMER_WORK:-$(mktemp -d)}
seed=1 documents=450000 steps=4600

mkdir -p "$work"
python vocabulary.py "$work/tokenizer.json"
python test_tokenizer.py "$work/tokenizer.json"
python corpus.py "$work/tokenizer.json" "$work/corpus.npz" --documents $documents --seed $seed
python leaks.py "$work/tokenizer.json" "$work/corpus.npz"
python train.py "$work/corpus.npz" "$work/weights.pt" --steps $steps --seed $seed
python export.py "$work/weights.pt" "$work/tokenizer.json" "$model"
python evaluate.py "$model"
python golden.py "$model"
python card.py "$work" "$model"
