"""The training corpus: documents of one or more sentences, drawn from one seed.

    python corpus.py TOKENIZER OUT.npz --stage 1 --documents N --seed S
"""

import argparse
from dataclasses import dataclass
from random import Random

import numpy as np
from tokenizers import Tokenizer

from draw import Draw
from holdout import violation
from tasks import agreement, facts, induction, ioi, pronouns, years, plain
from vocabulary import END_OF_TEXT

CONTEXT = 64
# The share of each kind of sentence, by stage of training.
STAGES = {
    1: {
        ioi.train: 30, agreement.train: 17, pronouns.train: 14, induction.train: 15, facts.train: 8, years.train: 9,
        plain.train: 7,
    },
    2: {
        ioi.train: 22, agreement.train: 8, pronouns.train: 6, induction.train: 12, induction.drill: 25, facts.train: 6,
        years.train: 16, plain.train: 5,
    },
    3: {
        ioi.train: 17, agreement.train: 5, pronouns.train: 4, induction.train: 8, induction.surnamed: 6,
        induction.drill: 15, induction.certain_drill: 15, facts.train: 4, years.train: 23, plain.train: 3,
    },
}


@dataclass(frozen=True)
class Document:
    """Token ids between two end-of-text tokens, and for each id whether it is the answer to a task's question."""

    ids: np.ndarray
    answers: np.ndarray


def text(draws: list[Draw]) -> str:
    """The sentences with a space between them."""
    return " ".join([draws[0].sentence] + [draw.sentence.lstrip() for draw in draws[1:]])


def sentences(rng: Random, stage: int) -> list[Draw]:
    """One sentence, at times two, seldom a run of them; with nothing that is held out."""
    kinds, shares = list(STAGES[stage]), list(STAGES[stage].values())
    luck = rng.random()
    count = 1 if luck < 0.76 else 2 if luck < 0.95 else 5
    while True:
        draws = [train(rng) for train in rng.choices(kinds, shares, k=count)]
        if not violation(text(draws)):
            return draws


def encode(rng: Random, tokenizer: Tokenizer, draws: list[Draw]) -> Document:
    """A document, cut to the context and the last target.

    One in twenty lacks the first end-of-text token, so that the model also works without it.
    """
    edge = tokenizer.token_to_id(END_OF_TEXT)
    ids, answers = [edge], [False]
    for at, draw in enumerate(draws):
        start = draw.prompt if at == 0 else " " + draw.prompt.lstrip()
        before, answer, after = (
            found.ids for found in tokenizer.encode_batch([start, draw.answer, draw.rest], add_special_tokens=False)
        )
        ids += before + answer + after
        answers += [False] * len(before) + [draw.answer != draw.foil] + [draw.certain] * (len(answer) - 1 + len(after))
    part = slice(1 if rng.random() < 0.05 else 0, CONTEXT + 1)
    return Document(np.array([*ids, edge][part], np.uint16), np.array([*answers, False][part], bool))


def document(rng: Random, tokenizer: Tokenizer, stage: int) -> Document:
    """A document that holds nothing held out as it is cut: half a word can be another word."""
    while True:
        found = encode(rng, tokenizer, sentences(rng, stage))
        if not violation(tokenizer.decode(found.ids.tolist())):
            return found


def generate(tokenizer: Tokenizer, stage: int, count: int, seed: int) -> dict[str, np.ndarray]:
    """All ids and answer marks in a row, where each document begins (and the last ends), the vocabulary's size."""
    rng = Random(seed)
    documents = [document(rng, tokenizer, stage) for _ in range(count)]
    return {
        "ids": np.concatenate([document.ids for document in documents]),
        "answers": np.concatenate([document.answers for document in documents]),
        "starts": np.cumsum([0] + [len(document.ids) for document in documents]),
        "vocabulary": np.array(tokenizer.get_vocab_size()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer")
    parser.add_argument("out")
    parser.add_argument("--stage", type=int, choices=STAGES, required=True)
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    corpus = generate(Tokenizer.from_file(args.tokenizer), args.stage, args.documents, args.seed)
    np.savez(args.out, **corpus)
    print(f"{args.documents} documents, {len(corpus['ids'])} tokens")


if __name__ == "__main__":
    main()
