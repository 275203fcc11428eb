"""Induction: what followed a word before follows it again."""

from dataclasses import replace
from random import Random

import lexicon
from draw import Draw
from phrases import NAMES

NOUNS = [form for noun in lexicon.nouns() for form in noun]
WORDS = NOUNS + lexicon.ADJECTIVES
TITLES = ["Mr", "Mr", "Mrs", "Ms", "Dr"]
PIECES = lexicon.words("""
a e i o u an en in on ar er or al el il ba be bi co da de fa fi ga go ha jo ka ki la li ma mi na no pa po qua ra ri sa
so ta ti ul va vi wa xa za zo
""")


def nonsense(rng: Random) -> str:
    """A made-up word, which the tokenizer cuts into pieces."""
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(2, 4)))


def listed(rng: Random, length: int | None = None, nouns: bool = False) -> Draw:
    """A list of random words, said twice; the answer is the last word but for a tail."""
    size = length or rng.randint(3, 10)
    chosen = rng.sample(NOUNS if nouns else WORDS, size)
    gap = rng.choice([" ", " ", " ", ", ", " and "]) if size < 8 else rng.choice([" ", " ", ", "])
    at = rng.randint(1, size - 1)
    start = rng.choice(["", " "])
    prompt = start + gap.join(chosen + chosen[:at])
    if gap == ", ":
        prompt += ","
    elif gap == " and ":
        prompt += " and"
    later = chosen[at + 1 :]
    if size < 7 and rng.random() < 0.3:
        later += chosen
    rest = "".join(gap + word for word in later) + rng.choice(["", "."])
    foil = rng.choice([word for word in chosen if word not in (chosen[at], chosen[at - 1])])
    return Draw(prompt, f" {chosen[at]}", f" {foil}", rest)


def titled(rng: Random) -> Draw:
    """ "Mr Potter met Mr Weasley. Mr Potter met"."""
    count = rng.choice([1, 1, 2, 3])
    people = rng.sample(lexicon.SURNAMES, 2 * count)
    facts = []
    for first, second in zip(people[:count], people[count:]):
        title = rng.choice(TITLES)
        other_title = rng.choice([title, rng.choice(TITLES)])
        facts.append((f"{title} {first}", rng.choice(lexicon.MET), f"{other_title} {second}"))
    said = " ".join(f"{a} {verb} {b}." for a, verb, b in facts)
    a, verb, b = rng.choice(facts)
    return Draw(f"{said} {a}", f" {verb}", f" {b.split()[1]}", f" {b}.")


def surnamed(rng: Random) -> Draw:
    """ "John Smith met Mary Brown. Later John" -> " Smith"."""
    (first, last), (other, other_last) = zip(rng.sample(NAMES, 2), rng.sample(lexicon.SURNAMES, 2))
    if rng.random() < 0.5:
        (first, last), (other, other_last) = (other, other_last), (first, last)
    verb = rng.choice(lexicon.MET)
    opening = rng.choice([
        f"{first} {last} {verb} {other} {other_last}.",
        f"{other} {other_last} {verb} {first} {last}.",
        f"{first} {last} and {other} {other_last} met.",
        f"{first} {last} was a {rng.choice(['teacher', 'doctor', 'singer', 'farmer', 'pilot'])}.",
    ])
    bridge = rng.choice(["", "Later ", "Then ", "Today ", "Yesterday ", "One day "])
    rest = rng.choice([" left.", " smiled.", " went home.", " was happy.", " waved.", " laughed."])
    return Draw(f"{opening} {bridge}{first}", f" {last}", f" {other_last}", rest)


def draw(rng: Random) -> Draw:
    """A list, a repeated sentence or a repeated full name."""
    kind = rng.random()
    return listed(rng, nouns=rng.random() < 0.5) if kind < 0.6 else titled(rng) if kind < 0.8 else surnamed(rng)


def pieces(rng: Random) -> Draw:
    """A list of nonsense words, said twice, so that the pieces of unknown words are known too."""
    chosen = [nonsense(rng) for _ in range(rng.randint(2, 4))]
    chosen += rng.choices(WORDS, k=rng.randint(0, 2))
    rng.shuffle(chosen)
    return Draw(" " + " ".join(chosen), f" {chosen[0]}", f" {chosen[1]}", "".join(" " + word for word in chosen[1:]))


def drill(rng: Random) -> Draw:
    """A list said again and again, at times with other words before it and in between."""
    size = rng.randint(2, 9)
    chosen = rng.sample(WORDS, size + 6)
    said, others = chosen[:size], chosen[size:]
    before, between = others[: rng.choice([0, 0, 1, 3])], others[3 : 3 + rng.choice([0, 0, 1, 2, 3])]
    gap = rng.choice([" ", " ", " ", ", "])
    passes = rng.randint(1, max(1, (30 if gap == " " else 15) // size))
    start = gap.join(["", *before, *said, *between, said[0]]).removeprefix(",")
    rest = "".join(gap + word for word in said[2:] + said * (passes - 1))
    return Draw(start + gap.rstrip(), f" {said[1]}", f" {others[5]}", rest)


def certain_drill(rng: Random) -> Draw:
    """A drill in which every repeated word counts as an answer."""
    return replace(drill(rng), certain=True)


def train(rng: Random) -> Draw:
    """A training sentence of any of the forms."""
    return pieces(rng) if rng.random() < 0.12 else draw(rng)
