"""Subject-verb agreement, mostly with another noun between the subject and its verb."""

from random import Random

import lexicon
from draw import Draw, article, maybe, upper
from phrases import place

BETWEEN = [
    "near", "near", "near", "behind", "beside", "under", "by", "with", "on", "in", "from", "of", "to", "to", "at",
    "next to", "in front of", "across from", "over", "against", "about", "for", "around", "above",
]
AUXILIARIES = [("is", "are")] * 5 + [("has", "have")] * 3 + [("was", "were")] * 2
SINGULAR = ["the", "the", "the", "the", "the", "a", "this", "that", "my", "our", "every", "each", "his", "her"]
PLURAL = [
    "the", "the", "the", "the", "the", "some", "these", "those", "my", "our", "many", "several", "few", "two", "all",
]
SUBJECTS = lexicon.PEOPLE * 2 + lexicon.nouns()
ATTRACTORS = lexicon.PEOPLE + lexicon.FURNITURE + lexicon.nouns()
LEADS = [
    "Yesterday ", "Today ", "I know that ", "I think that ", "We know that ", "He said that ", "She said that ",
    "Now ", "It is true that ", "So ",
]

Noun = tuple[str, str]


def phrase(rng: Random, noun: Noun, plural: bool, plain: bool = False) -> str:
    """A noun phrase of the given number; `plain` leaves only "the" and the noun."""
    if plain:
        return "the " + noun[plural]
    adjective = maybe(rng, 0.1, rng.choice(lexicon.ADJECTIVES) + " ")
    determiner = rng.choice(PLURAL if plural else SINGULAR)
    return article(adjective + noun[0]) if determiner == "a" else f"{determiner} {adjective}{noun[plural]}"


def ending(rng: Random, verb: str) -> str:
    """What may follow the verb, with the full stop."""
    if verb in ("is", "are", "was", "were"):
        if rng.random() < 0.75:
            degree = rng.choice(["very ", "not ", "really ", "too ", "quite ", "always "])
            return f" {maybe(rng, 0.25, degree)}{rng.choice(lexicon.STATES)}."
        return f" {rng.choice(['at', 'in', 'near'])} {place(rng)}."
    if verb in ("has", "have"):
        one, many = rng.choice(lexicon.nouns())
        return f" {rng.choice([article(one), 'the ' + one, 'some ' + many, 'two ' + many, 'many ' + many])}."
    return f" {phrase(rng, rng.choice(lexicon.nouns()), rng.random() < 0.5)}."


def question(rng: Random, prompt: str, plural: bool, lexical: float) -> Draw:
    """Ask for the verb after `prompt`; `lexical` is the chance of a verb other than an auxiliary."""
    forms = rng.choice(lexicon.VERBS)[::-1] if rng.random() < lexical else rng.choice(AUXILIARIES)
    right, wrong = forms[plural], forms[not plural]
    lead = maybe(rng, 0.08, rng.choice(LEADS))
    text = lead + prompt if lead else upper(prompt)
    return Draw(text, f" {right}", f" {wrong}", ending(rng, right))


def draw(rng: Random, pair: tuple[Noun, Noun] | None = None, plain: bool = False, unlike: bool = False) -> Draw:
    """A subject with an attractor noun: prepositional phrase or relative clause.

    With `unlike` the attractor never has the subject's number.
    """
    noun, other = pair or (rng.choice(SUBJECTS), rng.choice(ATTRACTORS))
    plural = rng.random() < 0.5
    plural_other = not plural if unlike else rng.random() < 0.5
    subject, attractor = phrase(rng, noun, plural, plain), phrase(rng, other, plural_other, plain)
    kind = rng.random()
    if kind < 0.5:
        return question(rng, f"{subject} {rng.choice(BETWEEN)} {attractor}", plural, 0.15)
    verb = rng.choice(lexicon.VERBS)
    if kind < 0.75:
        return question(rng, f"{subject} that {attractor} {verb[not plural_other]}", plural, 0.1)
    if kind < 0.85:
        return question(rng, f"{subject} {rng.choice(['that', 'who'])} {verb[not plural]} {attractor}", plural, 0.1)
    inside = Draw(f"{upper(subject)} that {attractor}", f" {verb[not plural_other]}", f" {verb[plural_other]}")
    main = question(rng, inside.sentence[:-1], plural, 0.1)
    return Draw(inside.prompt, inside.answer, inside.foil, main.answer + main.rest)


def train(rng: Random) -> Draw:
    """A training sentence: with an attractor, bare, or with a joined subject."""
    kind = rng.random()
    if kind < 0.68:
        return draw(rng, plain=rng.random() < 0.5)
    noun = rng.choice(SUBJECTS)
    if kind < 0.94:
        plural = rng.random() < 0.5
        return question(rng, phrase(rng, noun, plural, rng.random() < 0.5), plural, 0.25)
    both = f"{phrase(rng, noun, rng.random() < 0.3)} and {phrase(rng, rng.choice(SUBJECTS), rng.random() < 0.3)}"
    return question(rng, both, True, 0.2)
