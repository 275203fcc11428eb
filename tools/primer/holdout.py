"""What is held out of training: pairs of words, country frames, word sequences and start years.

Membership is a fixed function of the words themselves, so it does not depend on a seed.
`violation` is the one test of a document; the generator drops what fails it and
`leaks.py` applies it to the finished corpus.
"""

import re
from itertools import combinations
from zlib import crc32

import lexicon
from tasks.facts import CAPITALS, FRAMES
from tasks.induction import WORDS
from tasks.years import CENTURIES

NAMES = lexicon.WOMEN + lexicon.MEN
NOUNS = [one for one, _ in lexicon.nouns()]
KEYWORDS = list(dict.fromkeys(lexicon.ROLES + lexicon.SAYING + [one for one, _ in lexicon.GIFTS]))
LEMMA = {form: noun[0] for noun in lexicon.nouns() for form in noun}

Pair = tuple[str, str]

SHOWN_NAME_PAIRS = [
    ("John", "Mary"), ("Tom", "James"), ("Dan", "Sid"), ("Martin", "Amy"), ("Amy", "Laura"), ("Marco", "William"),
]
SHOWN_NOUN_PAIRS = [("key", "cabinet"), ("teacher", "desk"), ("pilot", "dancer"), ("girl", "boy")]
SHOWN_KEYWORDS = [(name, keyword) for name in ("Mary", "John") for keyword in ("cook", "said", "book")]
SHOWN_FACTS = [
    ("France", "The capital of {} is the city of"), ("Germany", "The capital of {} is the city of"),
    ("France", "{}, the capital of"), ("Italy", "{}, the capital of"),
    ("France", "The people in {} live in"), ("Japan", "The people in {} live in"),
]
SHOWN_YEARS = [1741, 1352]


def chosen(text: str, percent: float) -> bool:
    """Whether the hash of `text` falls into the given share."""
    return crc32(text.encode()) % 10_000 < percent * 100


def pair(a: str, b: str) -> Pair:
    """The two words without their order."""
    return (a, b) if a < b else (b, a)


def held_pairs(left: list[str], right: list[str], percent: float, shown: list[Pair]) -> list[Pair]:
    """A share of all unordered pairs, with the shown ones first."""
    every = dict.fromkeys(pair(a, b) for a in left for b in right if a != b)
    return list(dict.fromkeys([pair(*each) for each in shown] + [p for p in every if chosen("|".join(p), percent)]))


NAME_PAIRS = held_pairs(NAMES, NAMES, 2, SHOWN_NAME_PAIRS)
NOUN_PAIRS = held_pairs(NOUNS, NOUNS, 1.5, SHOWN_NOUN_PAIRS)
NAME_KEYWORDS = held_pairs(NAMES, KEYWORDS, 2.5, SHOWN_KEYWORDS)
APART = {*NAME_PAIRS, *NOUN_PAIRS, *NAME_KEYWORDS}

# (country, index into FRAMES)
FACTS = [
    (country, index)
    for country in CAPITALS
    for index, (text, _, _) in enumerate(FRAMES)
    if (country, text) in SHOWN_FACTS or chosen(f"{country}|{text}", 8)
]


def fact_text(country: str, index: int) -> str:
    """The prompt of a country in a frame."""
    text, _, forward = FRAMES[index]
    return text.format(country if forward else CAPITALS[country])


FACT_TEXTS: dict[str, list[str]] = {}
for _country, _index in FACTS:
    for _word in (_country, CAPITALS[_country]):
        FACT_TEXTS.setdefault(_word, []).append(fact_text(_country, _index))

START_YEARS = [
    year for century in CENTURIES for year in range(century * 100 + 2, century * 100 + 98)
    if year in SHOWN_YEARS or chosen(f"start {year}", 12)
]
_START_YEARS = frozenset(START_YEARS)

_LISTED, _FIRST, _LAST, _MET = frozenset(WORDS), frozenset(NAMES), frozenset(lexicon.SURNAMES), frozenset(lexicon.MET)
_KNOWN = _FIRST | frozenset(KEYWORDS)


def held_sequence(a: str, b: str) -> bool:
    """Whether `b` may never directly follow `a`: list words, first and last names, last names and verbs."""
    kinds = (a in _LISTED and b in _LISTED) or (a in _FIRST and b in _LAST) or (a in _LAST and b in _MET)
    return kinds and chosen(f"{a}>{b}", 3)


def violation(text: str) -> str | None:
    """The first held-out thing that a document contains, or None."""
    found = re.findall("[A-Za-z]+", text)
    lemmas = sorted({LEMMA.get(word, word) for word in found if word in LEMMA or word in _KNOWN})
    for both in combinations(lemmas, 2):
        if both in APART:
            return f"pair {both}"
    listed = [word for word in found if word != "and"]
    for a, b in zip(listed, listed[1:]):
        if held_sequence(a, b):
            return f"sequence {a} {b}"
    for word in found:
        for frame in FACT_TEXTS.get(word, ()):
            if frame in text:
                return f"fact {frame!r}"
    years = re.findall(r"\b1\d\d\d\b", text)
    if len(years) > 2:
        return "more than one pair of years"
    if years and int(years[0]) in _START_YEARS:
        return f"start year {years[0]}"
    return None
