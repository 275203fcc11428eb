"""Prove that a finished corpus holds nothing that is held out.

    python leaks.py TOKENIZER CORPUS.npz

Every document is decoded from its token ids and tested. `evaluate.py` shows the other half:
each question of the evaluation fails the same test, so none can be in the corpus.
"""

import sys

import numpy as np
from tokenizers import Tokenizer

from holdout import violation


def main() -> None:
    tokenizer = Tokenizer.from_file(sys.argv[1])
    corpus = np.load(sys.argv[2])
    ids, starts = corpus["ids"], corpus["starts"]
    for first, last in zip(starts, starts[1:]):
        text = tokenizer.decode(ids[first:last].tolist())
        found = violation(text)
        if found:
            sys.exit(f"held out, but in the corpus: {found} in {text!r}")
    print(f"{len(starts) - 1} documents hold nothing that is held out")


if __name__ == "__main__":
    main()
