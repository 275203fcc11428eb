"""Gendered pronouns: "So Mary is such a good cook, isn't" -> " she"."""

from random import Random

import lexicon
from draw import Draw, article, maybe
from phrases import NAMES, place

FORMS = {"she": ("she", "her", "herself"), "he": ("he", "his", "himself")}
OPPOSITE = {"she": "he", "he": "she"}
GENDER = {name: "she" for name in lexicon.WOMEN} | {name: "he" for name in lexicon.MEN}
GENDER |= {noun: pronoun for pronoun, group in lexicon.GENDERED.items() for noun in group}
NOUNS = [noun for group in lexicon.GENDERED.values() for noun in group]
# Trades and the like are followed by either pronoun with the same chance.
NEUTRAL = sorted(set(lexicon.ROLES) | {"person", "child", "student", "guest", "visitor", "neighbor", "friend"})

PRAISE = ["good", "good", "great", "bad", "fine", "kind", "clever", "nice", "brave", "wonderful", "terrible", "smart"]
TAGS = [("is", "isn't"), ("was", "wasn't")]
LOSING = [
    "lost", "left", "dropped", "broke", "forgot", "opened", "closed", "hid", "fixed", "bought", "sold", "found",
    "took", "missed",
]
REASONS = [
    "was late", "was tired", "was sad", "was happy", "had to leave", "was in a hurry", "was angry", "needed help",
    "felt ill", "was hungry", "wanted to", "had no time",
]
AFTER = [
    "was tired", "was happy", "was late", "would come", "had a car", "liked the park", "could sing", "was right",
    "knew everyone", "lived in the city", "was not there", "had lost the key",
]
FEELING = ["sure", "glad", "happy", "sad", "proud", "afraid", "angry", "sorry", "ready"]
ARRIVING = [
    "got home", "came home", "arrived", "woke up", "went out", "left", "went to school", "was young", "was tired",
    "was hungry",
]
HURTING = ["hurt", "washed", "cleaned", "saw", "looked at", "blamed", "painted", "helped"]
OWNING = [
    "lost", "forgot", "found", "broke", "dropped", "sold", "cleaned", "fixed", "washed", "hid", "painted", "opened",
    "left",
]


def frame(rng: Random, who: str, keyword: str | None = None) -> tuple[str, str]:
    """A prompt about `who` that asks for "she" or "he", and what follows it.

    `keyword`, a role, a verb of saying or a thing, fixes the frame and fills its slot.
    """
    if keyword is None:
        kind = rng.random()
        if kind < 0.3:
            keyword = rng.choice(lexicon.ROLES)
        elif kind < 0.55:
            keyword = rng.choice(lexicon.SAYING)
        elif kind < 0.8:
            keyword = rng.choice(lexicon.GIFTS)[0]
        elif kind < 0.9:
            opener = rng.choice(["When", "When", "After", "Before", "Because", "While"])
            return f"{opener} {who} {rng.choice(ARRIVING)},", f" {rng.choice(AFTER)}."
        else:
            end = rng.choice(["when", "because", "that", "after", "if", "because"])
            return f"{who} is {maybe(rng, 0.3, 'very ')}{rng.choice(FEELING)} {end}", f" {rng.choice(AFTER)}."
    if keyword in lexicon.ROLES:
        verb, tag = rng.choice(TAGS)
        praise = rng.choice(PRAISE)
        praised = article(f"{praise} {keyword}")
        such = f"such {praised}"
        role = rng.choice([such, such, praised, f"a very {praise} {keyword}", article(keyword)])
        return f"{rng.choice(['So ', 'So ', 'So ', 'Well, ', 'I think ', ''])}{who} {verb} {role}, {tag}", "?"
    if keyword in lexicon.SAYING:
        lead = rng.choice(["", "", "", "Yesterday ", "Later ", "Then "])
        return f"{lead}{who} {keyword} that", f" {rng.choice(AFTER)}."
    thing = rng.choice(["the " + keyword, article(keyword)]) + maybe(rng, 0.1, " at " + place(rng))
    end = rng.choice(["because", "because", "because", "when", "before", "after", "while", "and then"])
    return f"{who} {rng.choice(LOSING)} {thing} {end}", f" {rng.choice(REASONS)}."


def draw(rng: Random, name: str | None = None, keyword: str | None = None) -> Draw:
    """A name and the pronoun that goes with it."""
    name = name or rng.choice(NAMES)
    prompt, rest = frame(rng, name, keyword)
    right = GENDER[name]
    return Draw(prompt, f" {right}", f" {OPPOSITE[right]}", rest)


def described(rng: Random) -> Draw:
    """A person without a name: "The woman" (she), "The nurse" (she or he, at random)."""
    noun = rng.choice(NOUNS) if rng.random() < 0.6 else rng.choice([*NEUTRAL, "person", "person"])
    right = GENDER.get(noun) or rng.choice(["she", "he"])
    determiner = rng.choice(["the", "the", "the", "that", "this", "my", "our"])
    prompt, rest = frame(rng, f"{determiner} {noun}")
    return Draw(prompt[0].upper() + prompt[1:], f" {right}", f" {OPPOSITE[right]}", rest)


def other_form(rng: Random) -> Draw:
    """Possessives and reflexives: "John lost his", "Mary hurt herself"."""
    name = rng.choice(NAMES)
    right = GENDER[name]
    wrong = OPPOSITE[right]
    if rng.random() < 0.7:
        thing = rng.choice(lexicon.GIFTS)[rng.random() < 0.2]
        return Draw(f"{name} {rng.choice(OWNING)}", f" {FORMS[right][1]}", f" {FORMS[wrong][1]}", f" {thing}.")
    rest = maybe(rng, 0.3, " again") + "."
    return Draw(f"{name} {rng.choice(HURTING)}", f" {FORMS[right][2]}", f" {FORMS[wrong][2]}", rest)


def train(rng: Random) -> Draw:
    """A training sentence of any of the forms."""
    kind = rng.random()
    return draw(rng) if kind < 0.62 else described(rng) if kind < 0.84 else other_form(rng)
