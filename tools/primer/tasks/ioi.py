"""Indirect object identification: two people meet, one gives something to the other."""

from random import Random

from draw import Draw, maybe
from lexicon import MET
from phrases import NAMES, gift, place

OPENERS = ["When", "When", "When", "After", "While", "As", "Once", "Because", "Since", "Before", "The day"]
FREE = [
    "", "", "Then, ", "Then ", "Yesterday, ", "Yesterday ", "Today ", "One day, ", "One day ", "Friends ", "Last week ",
]
JOINS = [
    ". ", ". ", ". ", ". Then ", ". Then, ", ". Later, ", ". Later ", ". Afterwards, ", ". After that, ", ". Soon ",
    ". Suddenly ", ", and ", ", and ", " and ", ", and then ", ", and later ", ", but ", ", so ", "; ", ". There, ",
]
FAVORS = ["bought", "got", "found", "cooked", "made", "cleaned", "fixed", "opened", "carried", "painted"]
HOW = [" together", " again", " in the morning", " in the evening", " for lunch", " for dinner"]
PASTIMES = [
    "a lot of fun", "lunch", "dinner", "breakfast", "a long argument", "a meeting", "a party", "fun", "a good time",
    "a walk", "a talk",
]
DOING = ["working", "talking", "playing", "waiting", "sitting", "eating", "cooking", "dancing", "walking"]
FINDING = ["got", "found", "bought", "saw", "took", "left"]
BEING = ["arrived", "met", "stayed", "sat", "stood", "played", "worked", "waited", "talked", "ate"]
ALONE = [
    "met", "had lunch", "went home", "had a long talk", "were friends", "played together", "had an argument",
    "were alone", "went out", "ate dinner",
]
TIMES = ["the day", "the night", "a lot of time", "the morning", "the evening"]
ENDS = [".", ".", ".", ".", ".", " and left.", " and went home.", " again.", " and smiled.", " for lunch."]
SHORT = ["went", "walked", "drove", "ran", "came", "traveled", "moved"]
TRANSFERS = [
    "gave", "gave", "gave", "gave", "handed", "offered", "passed", "showed", "sold", "brought", "threw", "sent",
    "lent", "returned", "donated", "delivered", "served", "tossed", "took", "read", "wrote", "described",
]
INFINITIVES = [
    "give", "give", "give", "hand", "offer", "pass", "show", "sell", "bring", "throw", "send", "lend", "return",
]
WISHES = ["decided", "wanted", "tried", "chose", "agreed", "planned", "began", "promised", "started", "hoped"]
SPEECH = [
    "said hello", "said goodbye", "said something", "told a story", "told a secret", "told a joke",
    "whispered something", "wrote a letter", "sang a song", "read a story", "smiled", "waved", "nodded", "apologized",
    "listened", "spoke", "talked", "pointed", "threw a kiss",
]
DATIVES = [
    "gave", "gave", "gave", "handed", "offered", "passed", "showed", "sold", "brought", "threw", "sent", "lent", "told",
]


def event(rng: Random) -> str:
    """What the people did together, from the verb on."""
    where = place(rng)
    kind = rng.randrange(16)
    if kind < 6:
        extra = maybe(rng, 0.15, rng.choice(HOW))
        return f"{rng.choice(SHORT)} to {where}{extra}"
    if kind == 6:
        return f"had {rng.choice(PASTIMES)} at {where}"
    if kind == 7:
        return f"were {rng.choice(DOING)} {rng.choice(['at', 'in', 'near'])} {where}"
    if kind == 8:
        return f"were {rng.choice(['at', 'in'])} {where}"
    if kind == 9:
        return f"{rng.choice(FINDING)} {gift(rng)} {rng.choice(['at', 'at', 'in', 'near'])} {where}"
    if kind == 10:
        return f"{rng.choice(BEING)} {rng.choice(['at', 'in'])} {where}"
    if kind == 11:
        return f"were thinking about going to {where}"
    if kind == 12:
        return f"came home from {where}"
    if kind == 13:
        return f"{rng.choice(FINDING)} {gift(rng)}"
    if kind == 14:
        return rng.choice(ALONE)
    return f"spent {rng.choice(TIMES)} at {where}"


def giving(rng: Random, where: str) -> tuple[str, str]:
    """From the verb to just before the receiver, and what follows the receiver."""
    end = rng.choice([*ENDS, f" at {where}."])
    adverb = maybe(rng, 0.06, rng.choice(["quickly ", "then ", "finally ", "soon ", "suddenly ", "later ", "often "]))
    kind = rng.random()
    if kind < 0.6:
        return f"{adverb}{rng.choice(TRANSFERS)} {gift(rng)} to", end
    if kind < 0.72:
        what = rng.choice([gift(rng), "it", "them"])
        return f"{adverb}{rng.choice(WISHES)} to {rng.choice(INFINITIVES)} {what} to", end
    if kind < 0.76:
        return f"{adverb}{rng.choice(TRANSFERS)} {rng.choice(['it', 'them', 'everything', 'something'])} to", end
    if kind < 0.84:
        return f"{adverb}{rng.choice(SPEECH)} to", end
    if kind < 0.9:
        return f"{adverb}{rng.choice(FAVORS)} {gift(rng)} for", end
    return f"{adverb}{rng.choice(DATIVES)}", f" {gift(rng)}{end}"


def joined(rng: Random, people: list[str]) -> str:
    """ "A and B", "A, B and C"."""
    if len(people) == 2:
        return f"{people[0]} and {people[1]}"
    return f"{people[0]}, {people[1]}{rng.choice([' and ', ' and ', ', and '])}{people[2]}"


def scene(rng: Random, people: list[str]) -> str:
    """The first clause with its connective, ready for the giver's name."""
    if len(people) == 2 and rng.random() < 0.1:
        first, second = people
        clause = rng.choice([
            f"{first} {rng.choice(MET)} {second} at {place(rng)}",
            f"{first} {rng.choice(MET)} {second}",
            f"{first} went to {place(rng)} with {second}",
            f"{first} was with {second} at {place(rng)}",
            f"{first} and {rng.choice(['his', 'her'])} friend {second} {event(rng)}",
        ])
    else:
        clause = f"{joined(rng, people)} {event(rng)}"
    if rng.random() < 0.55:
        return f"{rng.choice(OPENERS)} {clause}{rng.choice([', ', ', ', ', ', ', ', ' ', ', then '])}"
    opener = rng.choice(FREE)
    return opener + clause + rng.choice(JOINS)


def draw(rng: Random, pair: tuple[str, str] | None = None) -> Draw:
    """The giver is one of the two (in either order of mention), the answer the other."""
    people = list(pair or rng.sample(NAMES, 2))
    rng.shuffle(people)
    subject = rng.randrange(2)
    before, after = giving(rng, place(rng))
    giver, receiver = people[subject], people[1 - subject]
    return Draw(f"{scene(rng, people)}{giver} {before}", f" {receiver}", f" {giver}", after)


def third_giver(rng: Random) -> Draw:
    """ABC: someone else gives to one of the two, either with the same chance."""
    first, second, giver = rng.sample(NAMES, 3)
    answer, foil = rng.sample([first, second], 2)
    before, after = giving(rng, place(rng))
    return Draw(f"{scene(rng, [first, second])}{giver} {before}", f" {answer}", f" {foil}", after)


def three_people(rng: Random) -> Draw:
    """Two of three people give to the third; or one of three gives to either other."""
    people = rng.sample(NAMES, 3)
    opening = scene(rng, people)
    rng.shuffle(people)
    before, after = giving(rng, place(rng))
    if rng.random() < 0.6:
        return Draw(f"{opening}{people[0]} and {people[1]} {before}", f" {people[2]}", f" {people[0]}", after)
    return Draw(f"{opening}{people[0]} {before}", f" {people[1]}", f" {people[0]}", after)


def train(rng: Random) -> Draw:
    """A training sentence of any of the forms."""
    kind = rng.random()
    return draw(rng) if kind < 0.78 else third_giver(rng) if kind < 0.9 else three_people(rng)
