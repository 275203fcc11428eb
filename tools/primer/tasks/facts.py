"""Capitals, in both directions, and a few landmarks."""

from random import Random

from draw import Draw
from lexicon import CAPITALS, LANDMARKS

COUNTRIES = list(CAPITALS)
CITIES = list(CAPITALS.values())

# (prompt with {} for the country, rest); the answer is the capital.
TO_CAPITAL = [
    ("The capital of {} is the city of", "."),
    ("The capital of {} is", "."),
    ("The capital of {} is called", "."),
    ("The capital city of {} is", "."),
    ("The capital city of {} is called", "."),
    ("{} has its capital in", "."),
    ("{}'s capital is", "."),
    ("{}'s capital city is", "."),
    ("In {}, the capital is", "."),
    ("In {} the capital is the city of", "."),
    ("The government of {} is in", "."),
    ("The government of {} is in the city of", "."),
    ("People who visit {} often see", "."),
    ("When you visit {}, you must see", "."),
    ("The flag of {} is everywhere in", "."),
    ("The people in {} know the capital,", "."),
    ("{}, whose capital is", ", is a big country."),
    ("I visited {} and its capital,", "."),
    ("She lives in {}, in the capital,", "."),
    (" {}, with its capital", ", is a country."),
    ("He moved to {} and lives in the city of", "."),
]

# (prompt with {} for the capital, rest); the answer is the country.
TO_COUNTRY = [
    ("{}, the capital of", ", is a big city."),
    (" {}, the capital of", ", is a big city."),
    ("{} is the capital of", "."),
    (" {} is the capital of", "."),
    ("{} is the capital city of", "."),
    ("{} is a city in", "."),
    ("{} is in", "."),
    ("{} is located in", "."),
    ("The people in {} live in", "."),
    ("People in {} live in", "."),
    ("The city of {} is in", "."),
    ("The city of {} is the capital of", "."),
    ("If you live in {}, you live in", "."),
    ("My friend from {} is from", "."),
    ("People from {} come from", "."),
    ("She was born in {}, so she is from", "."),
    ("He was born in {}, so he is from", "."),
    ("I went to {}, the capital of", "."),
    ("The road to {} is a road to", "."),
    ("They live in {}, a city in", "."),
    ("In {}, the capital of", ", it often rains."),
]
FRAMES = [(text, rest, True) for text, rest in TO_CAPITAL] + [(text, rest, False) for text, rest in TO_COUNTRY]


def draw(rng: Random, country: str | None = None, frame: int | None = None) -> Draw:
    """A country and its capital, in one of the frames; the foil is another of the same kind."""
    country = country or rng.choice(COUNTRIES)
    text, rest, forward = FRAMES[rng.randrange(len(FRAMES)) if frame is None else frame]
    other = rng.choice([each for each in COUNTRIES if each != country])
    capital = CAPITALS[country]
    if forward:
        return Draw(text.format(country), f" {capital}", f" {CAPITALS[other]}", rest)
    return Draw(text.format(capital), f" {country}", f" {other}", rest)


def landmark(rng: Random) -> Draw:
    """ "The Eiffel Tower is in" -> " Paris"."""
    sight, city = rng.choice(list(LANDMARKS.items()))
    other = rng.choice([each for each in LANDMARKS.values() if each != city])
    verb = rng.choice(["is in", "is in", "is located in", "can be seen in", "is in the city of", "stands in"])
    return Draw(f"{sight} {verb}", f" {city}", f" {other}")


def train(rng: Random) -> Draw:
    """A training sentence."""
    return landmark(rng) if rng.random() < 0.04 else draw(rng)
