"""Ask a stored model: logits after prompts, with the end-of-text token in front."""

from pathlib import Path

import torch
from tokenizers import Tokenizer

from model import load
from vocabulary import END_OF_TEXT


class Asked:
    """A model with its tokenizer."""

    def __init__(self, folder: Path):
        self.model = load(folder)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.start = self.tokenizer.token_to_id(END_OF_TEXT)

    def tokens(self, text: str) -> list[int]:
        """The ids of a text, without the end-of-text token."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def single(self, text: str) -> int:
        """The id of a text that must be one token."""
        ids = self.tokens(text)
        if len(ids) != 1:
            raise ValueError(f"{text!r} is {len(ids)} tokens")
        return ids[0]

    @torch.no_grad()
    def logits(self, prompts: list[str]) -> torch.Tensor:
        """The logits after each prompt, [prompts, vocabulary]."""
        rows = [[self.start, *self.tokens(prompt)] for prompt in prompts]
        out = torch.empty(len(rows), self.model.config.vocab_size)
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        for first in range(0, len(order), 256):
            part = order[first : first + 256]
            longest = len(rows[part[-1]])
            ids = torch.tensor([rows[at] + [self.start] * (longest - len(rows[at])) for at in part])
            last = torch.tensor([len(rows[at]) - 1 for at in part])
            hidden = self.model.hidden(ids)[torch.arange(len(part)), last]
            out[part] = hidden @ self.model.wte.weight.T
        return out

    def differences(self, questions: list[tuple[str, str, str]]) -> torch.Tensor:
        """logit(answer) - logit(foil) after each prompt."""
        logits = self.logits([prompt for prompt, _, _ in questions])
        right = torch.tensor([self.single(answer) for _, answer, _ in questions])
        wrong = torch.tensor([self.single(foil) for _, _, foil in questions])
        at = torch.arange(len(questions))
        return logits[at, right] - logits[at, wrong]
