#!/bin/sh
# Make the primer from nothing: tokenizer, corpus, training, evaluation, golden, model card.
#
#   python -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt
#   ./make.sh [MODEL_FOLDER]
#
# Corpus and f32 weights go to a temporary folder, or to $PRIMER_WORK if that is set.
set -eu
model=${1:-$(dirname "$0")/../../models/primer}
mkdir -p "$model"
model=$(cd "$model" && pwd)
cd "$(dirname "$0")"
work=${PRIMER_WORK:-$(mktemp -d)}
mkdir -p "$work"
tokenizer=$work/tokenizer.json

python vocabulary.py "$tokenizer"
python test_tokenizer.py "$tokenizer"

corpus() { # NUMBER, KIND, DOCUMENTS
    python corpus.py "$tokenizer" "$work/corpus-$1.npz" --stage "$2" --documents "$3" --seed "$1"
    python leaks.py "$tokenizer" "$work/corpus-$1.npz"
}
corpus 1 1 200000
corpus 2 2 150000
corpus 3 3 140000
corpus 4 3 200000

train() { # STAGE, then options
    stage=$1
    shift
    python train.py "$work/corpus-$stage.npz" "$work/stage-$stage.pt" --seed "$stage" "$@"
}
train 1 --steps 2000 --schedule 4600 --peak 2e-3
train 2 --steps 1500 --schedule 2000 --peak 1.5e-3 --start "$work/stage-1.pt"
train 3 --steps 1400 --peak 1.5e-3 --start "$work/stage-2.pt"
train 4 --steps 2000 --peak 1.5e-3 --start "$work/stage-3.pt"

python export.py "$work/stage-4.pt" "$tokenizer" "$model"
python evaluate.py "$model"
python golden.py "$model"
python card.py "$work" "$model"
