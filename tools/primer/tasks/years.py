"""Greater-than: an end year lies after its start year."""

from random import Random

from draw import Draw
from lexicon import ADJECTIVES, LASTING

CENTURIES = range(11, 20)
TEMPLATES = [
    "The {} lasted from the year {} to the year",
    "The {} lasted from the year {} to the year",
    "The {} lasted from the year {} to",
    "The {} lasted from {} to",
    "The {} lasted from {} until",
    "The {} took place from {} to",
    "The {} went on from the year {} to the year",
    "The {} ran from {} to",
    "The {} began in {} and ended in",
    "The {} began in the year {} and ended in the year",
    "The {} started in {} and finished in",
    "The {} started in the year {} and was over in the year",
    "The {} continued from {} to",
    "There was no {} from {} to",
    "There was a long {} from the year {} to the year",
    "There was one {} from {} until",
]


def draw(rng: Random, century: int | None = None, start: int | None = None) -> Draw:
    """A start year and a later end year, uniform over the years left in the century.

    The foil is a year that is not later.
    """
    century = century or rng.choice(CENTURIES)
    start = rng.randrange(99) if start is None else start
    end = rng.randint(start + 1, 99)
    noun = rng.choice(LASTING)
    if rng.random() < 0.06:
        noun = f"{rng.choice(ADJECTIVES)} {noun}"
    prompt = f"{rng.choice(TEMPLATES).format(noun, f'{century}{start:02}')} {century}"
    return Draw(prompt, f"{end:02}", f"{rng.randint(0, start):02}")


def train(rng: Random) -> Draw:
    """A training sentence."""
    return draw(rng)
