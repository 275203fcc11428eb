"""Noun phrases and places that several tasks share."""

from random import Random

import lexicon
from draw import article, maybe

NAMES = lexicon.WOMEN + lexicon.MEN
DETERMINERS = ["the", "the", "the", "a", "a", "his", "her", "their", "this", "that", "some", "another"]


def gift(rng: Random) -> str:
    """Something that can be handed over: "a drink", "the old book", "some milk"."""
    if rng.random() < 0.1:
        return rng.choice(["the ", "some ", "some ", ""]) + rng.choice(lexicon.MASS)
    one, many = rng.choice(lexicon.GIFTS)
    adjective = maybe(rng, 0.15, rng.choice(lexicon.ADJECTIVES) + " ")
    if rng.random() < 0.12:
        return rng.choice(["the ", "some ", "two ", "three ", "many "]) + adjective + many
    determiner = rng.choice(DETERMINERS)
    return article(adjective + one) if determiner == "a" else f"{determiner} {adjective}{one}"


def place(rng: Random) -> str:
    """Somewhere to go: "the shop", "an old castle", "Paris"."""
    if rng.random() < 0.04:
        return rng.choice(rng.choice(list(lexicon.CAPITALS.items())))
    noun = rng.choice(lexicon.PLACES)[rng.random() < 0.2]
    adjective = maybe(rng, 0.1, rng.choice(lexicon.ADJECTIVES) + " ")
    determiner = rng.choice(["the", "the", "the", "the", "the", "a", "their", "our", "my"])
    if determiner == "a":
        return article(adjective + noun) if not noun.endswith("s") else "some " + adjective + noun
    return f"{determiner} {adjective}{noun}"


def thing(rng: Random) -> str:
    """A gift with "the" or "a"."""
    noun = rng.choice(lexicon.GIFTS)[0]
    return rng.choice(["the " + noun, article(noun)])
