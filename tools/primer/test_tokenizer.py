"""Checks of the tokenizer: python test_tokenizer.py TOKENIZER"""

import sys
import unittest

from tokenizers import Tokenizer

import lexicon
from holdout import CENTURIES
from vocabulary import END_OF_TEXT

TEXTS = [
    "When John and Mary went to the shop, John gave a drink to Mary.", "  two  spaces\n\nand lines\t", "naïve café",
    "Zürich, Москва, 東京, القاهرة", "🙂 👩‍🚀 🇫🇷", "1741 17 174 17410 0",
    "\u0000\u007f\u00ff", "x = {'a': [1, 2.5e-3]}; // don't",
    "isn't we're I've I'm you'll he'd", "", " ", "MARY mary mAry",
]


class TokenizerTest(unittest.TestCase):
    tokenizer: Tokenizer

    def tokens(self, text: str) -> list[str]:
        """The pieces of a text."""
        return [self.tokenizer.decode([id]) for id in self.tokenizer.encode(text).ids]

    def test_any_text_survives(self) -> None:
        for text in TEXTS:
            self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text).ids), text)

    def test_every_byte_is_a_token(self) -> None:
        vocabulary = self.tokenizer.get_vocab()
        self.assertEqual(sum(len(token) == 1 for token in vocabulary), 256)

    def test_words_with_a_space_are_one_token(self) -> None:
        self.assertEqual([word for word in lexicon.spaced() if len(self.tokens(" " + word)) != 1], [])

    def test_words_without_a_space_are_one_token(self) -> None:
        self.assertEqual([word for word in lexicon.bare() if len(self.tokens(word)) != 1], [])

    def test_years_are_cut_in_two(self) -> None:
        for century in CENTURIES:
            for year in range(100):
                self.assertEqual(self.tokens(f" {century}{year:02}"), [f" {century}", f"{year:02}"])

    def test_two_digits_are_one_token(self) -> None:
        for number in range(100):
            self.assertEqual(len(self.tokens(f"{number:02}")), 1)

    def test_end_of_text_is_the_last_token(self) -> None:
        self.assertEqual(self.tokenizer.encode(END_OF_TEXT).ids, [self.tokenizer.get_vocab_size() - 1])


if __name__ == "__main__":
    TokenizerTest.tokenizer = Tokenizer.from_file(sys.argv.pop(1))
    unittest.main()
