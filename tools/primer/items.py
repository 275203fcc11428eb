"""The held-out questions of each task, the same on every run."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import holdout
import lexicon
from draw import Draw
from tasks import agreement, facts, induction, ioi, pronouns, years

COUNT = 2000
FORMS = {one: (one, many) for one, many in lexicon.nouns()}


def indirect_object(rng: Random, subject_first: bool) -> Draw:
    """A held-out name pair; the giver is the one named first (BABA) or second (ABBA)."""
    pair = rng.choice(holdout.NAME_PAIRS)
    while True:
        found = ioi.draw(rng, pair)
        giver, receiver = found.foil.strip(), found.answer.strip()
        if (found.prompt.index(giver) < found.prompt.index(receiver)) == subject_first:
            return found


def attracted(rng: Random, unlike: bool) -> Draw:
    """A held-out pair of subject and attractor, either way round."""
    first, second = rng.sample(rng.choice(holdout.NOUN_PAIRS), 2)
    return agreement.draw(rng, (FORMS[first], FORMS[second]), plain=rng.random() < 0.5, unlike=unlike)


def pronoun(rng: Random) -> Draw:
    """A held-out pair of a name and a role, verb of saying or thing."""
    both = rng.choice(holdout.NAME_KEYWORDS)
    name, keyword = both if both[0] in pronouns.GENDER else both[::-1]
    return pronouns.draw(rng, name, keyword)


def repeated(rng: Random, form: Callable[[Random], Draw]) -> Draw:
    """A repetition whose answer never followed the word before it in training."""
    while True:
        found = form(rng)
        before = found.prompt.replace(",", " ").removesuffix(" and").split()[-1]
        if holdout.held_sequence(before, found.answer.strip()):
            return found


def capitals(rng: Random, forward: bool) -> Iterator[Draw]:
    """Every held-out (country, frame) of one direction, each with eight foils."""
    for country, frame in holdout.FACTS:
        if facts.FRAMES[frame][2] == forward:
            for _ in range(8):
                yield facts.draw(rng, country, frame)


def span(rng: Random, near: bool) -> Draw:
    """A held-out start year; with `near` the answer is the year after it and the foil the year before."""
    century, start = divmod(rng.choice(holdout.START_YEARS), 100)
    found = years.draw(rng, century, start)
    return replace(found, answer=f"{start + 1:02}", foil=f"{start - 1:02}") if near else found


def many(question: Callable[[Random], Draw], seed: int) -> list[Draw]:
    """COUNT questions."""
    rng = Random(seed)
    return [question(rng) for _ in range(COUNT)]


def held_out() -> dict[str, list[Draw]]:
    """The questions by task."""
    return {
        "IOI, ABBA": many(lambda rng: indirect_object(rng, False), 11),
        "IOI, BABA": many(lambda rng: indirect_object(rng, True), 12),
        "agreement, any attractor": many(lambda rng: attracted(rng, False), 13),
        "agreement, attractor of the other number": many(lambda rng: attracted(rng, True), 14),
        "pronouns": many(pronoun, 15),
        "induction, word lists": many(lambda rng: repeated(rng, induction.listed), 16),
        "induction, repeated sentences": many(lambda rng: repeated(rng, induction.titled), 17),
        "induction, full names": many(lambda rng: repeated(rng, induction.surnamed), 18),
        "capital of a country": list(capitals(Random(19), True)),
        "country of a capital": list(capitals(Random(20), False)),
        "greater-than, any two years": many(lambda rng: span(rng, False), 21),
        "greater-than, year after against year before": many(lambda rng: span(rng, True), 22),
    }
