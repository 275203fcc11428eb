"""Other simple sentences, so that the model has seen more than the tasks."""

from random import Random

import lexicon
from draw import Draw, article
from phrases import NAMES, gift, place

EATING = [(eater, food) for food, eaters in lexicon.EATS.items() for eater in eaters.split()]
PLURALS = dict(lexicon.nouns())
WEATHER = ["sunny", "cold", "warm", "hot", "dark", "beautiful", "bright", "calm", "lovely", "terrible", "nice"]
WHERE = ["on the floor", "in the corner", "in the sun", "in the snow", "here", "still there"]
SOMEONE = ["I", "You", "We", "They"]
SOMEBODY = ["me", "you", "him", "her", "us", "them", "it"]
HELPING = [
    f"{auxiliary} {verb}"
    for auxiliary in [
        "will", "should", "may", "would", "could", "must", "can", "never", "sometimes", "also", "still", "always",
        "don't", "didn't", "do not", "did not",
    ]
    for verb in ["help", "see", "like", "know", "meet", "miss", "visit", "need", "want", "follow", "call"]
]
DOING = [
    "slept", "sang", "danced", "swam", "jumped", "laughed", "waited", "worked", "played", "walked", "sat", "stood",
    "ate",
]
CARRYING = ["has", "saw", "found", "wants", "bought", "took", "opened", "needs", "likes"]


def kinds(rng: Random) -> Draw:
    """ ", dogs and other" -> " animals"."""
    category, members = rng.choice(list(lexicon.CATEGORIES.items()))
    wrong = rng.choice([each for each in lexicon.CATEGORIES if each != category])
    first, second = (noun[1] for noun in rng.sample(members, 2))
    opening = rng.choice(["", "The ", "My ", "I like ", "They have ", "We saw "])
    return Draw(f"{opening}{first if opening else ''}, {second} and other", f" {category}", f" {wrong}")


def meal(rng: Random) -> Draw:
    """ "The cows ate some" -> " grass"."""
    eater, food = rng.choice(EATING)
    wrong = rng.choice([each for each in lexicon.EATS if each != food])
    verb = rng.choice(["ate some", "ate some", "ate the", "like"])
    return Draw(f"{rng.choice(['The', 'The', 'Our', 'My', 'Some'])} {PLURALS[eater]} {verb}", f" {food}", f" {wrong}")


def scene(rng: Random) -> Draw:
    """Weather, whereabouts, possessions; the asked token is of no interest."""
    noun = rng.choice(lexicon.nouns())
    who = rng.choice([rng.choice(NAMES), f"{rng.choice(['The', 'My', 'Our'])} {rng.choice(lexicon.PEOPLE)[0]}"])
    text = rng.choice([
        f"It was {article(rng.choice(WEATHER))} {rng.choice(['day', 'morning', 'evening', 'afternoon', 'night'])}.",
        f"There was {article(noun[0])} in {place(rng)}.",
        f"There were {rng.choice(['some', 'many', 'two', 'three', 'no'])} {noun[1]} in {place(rng)}.",
        f"{who} {rng.choice(DOING)} in {place(rng)}.",
        f"{who} {rng.choice(CARRYING)} {gift(rng)}.",
        f"I like {noun[1]}.",
        f"The {rng.choice(lexicon.ADJECTIVES)} {noun[0]} is {rng.choice(lexicon.STATES)}.",
        f"{who} went to {place(rng)}.",
        f"{who} gave {gift(rng)} to the {rng.choice(lexicon.PEOPLE)[0]}.",
        f"We {rng.choice(DOING)} at {place(rng)} all day.",
        f"{rng.choice(SOMEONE)} {rng.choice(HELPING)} {rng.choice(SOMEBODY)}.",
        f"{rng.choice(SOMEONE)} {rng.choice(HELPING)} your {noun[0]}.",
        f"{rng.choice(['Did', 'Can'])} you see {rng.choice(['the', 'your', 'my', 'our'])} {noun[0]}?",
        f"Your {noun[0]} is {rng.choice(WHERE)}.",
        f"{rng.choice(['Yesterday', 'Today'])} the {rng.choice(['family', 'team', 'class'])} went to {place(rng)}.",
        f"The sky was {rng.choice(WEATHER)} {rng.choice(['today', 'yesterday', 'now', 'this morning'])}.",
    ])
    cut = text.rindex(" ")
    return Draw(text[:cut], text[cut:-1], text[cut:-1])


def train(rng: Random) -> Draw:
    """A training sentence."""
    kind = rng.random()
    return kinds(rng) if kind < 0.1 else meal(rng) if kind < 0.18 else scene(rng)
