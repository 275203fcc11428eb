"""One sentence with a marked place at which the model is asked for the next token."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Draw:
    """`prompt + answer + rest` is a whole sentence; `foil` is the wrong answer it is compared with.

    With `certain` the rest follows from the prompt as much as the answer does.
    """

    prompt: str
    answer: str
    foil: str
    rest: str = "."
    certain: bool = False

    @property
    def sentence(self) -> str:
        """The whole text, as it stands in the corpus."""
        return self.prompt + self.answer + self.rest


def article(noun: str) -> str:
    """`a` or `an`, with the noun."""
    return ("an " if noun[0] in "aeiou" and not noun.startswith("uni") else "a ") + noun


def maybe(rng: Random, chance: float, text: str) -> str:
    """`text` with the given chance, else nothing."""
    return text if rng.random() < chance else ""


def upper(text: str) -> str:
    """`text` with a capital first letter."""
    return text[0].upper() + text[1:]


def lower(text: str) -> str:
    """`text` with a small first letter."""
    return text[0].lower() + text[1:]
