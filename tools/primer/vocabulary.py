"""The tokenizer: byte-level BPE whose merges make each word of the lexicon one token.

    python vocabulary.py OUT/tokenizer.json
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import lexicon

END_OF_TEXT = "<|endoftext|>"


def byte_letters() -> list[str]:
    """GPT-2's printable stand-in for each of the 256 bytes, indexed by byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, shifted = {}, 0
    for byte in range(256):
        if byte in printable:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + shifted)
            shifted += 1
    return [letters[byte] for byte in range(256)]


SPACE = byte_letters()[ord(" ")]


def word_merges(forms: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges, most frequent pair first, until every form is one symbol."""
    parts = [list(form) for form in forms]
    counts: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for index, symbols in enumerate(parts):
        for pair in zip(symbols, symbols[1:]):
            counts[pair] += 1
            where[pair].add(index)

    merges = []
    while counts:
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for index in sorted(where[best]):
            old = parts[index]
            new = merged(old, best)
            for pair in zip(old, old[1:]):
                counts[pair] -= 1
                where[pair].discard(index)
                if not counts[pair]:
                    del counts[pair]
            for pair in zip(new, new[1:]):
                counts[pair] += 1
            for pair in zip(new, new[1:]):
                where[pair].add(index)
            parts[index] = new
    return merges


def merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """`symbols` with each occurrence of `pair` joined, from the left."""
    out, at = [], 0
    while at < len(symbols):
        if tuple(symbols[at : at + 2]) == pair:
            out.append(pair[0] + pair[1])
            at += 2
        else:
            out.append(symbols[at])
            at += 1
    return out


def number_merges() -> list[tuple[str, str]]:
    """Merges that cut numbers as GPT-2 cuts years: " 1741" is " 17" and "41"."""
    digits = "0123456789"
    spaced = [(SPACE, a) for a in digits]
    spaced += [(SPACE + a, b) for a in digits for b in digits]
    return spaced + [(a, b) for a in digits for b in digits]


def build() -> dict:
    """The content of tokenizer.json."""
    forms = [SPACE + word for word in lexicon.spaced()] + lexicon.bare()
    merges = word_merges(forms) + number_merges()
    symbols = sorted(byte_letters()) + [a + b for a, b in merges] + [END_OF_TEXT]
    vocab = {symbol: id for id, symbol in enumerate(dict.fromkeys(symbols))}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": vocab[END_OF_TEXT],
                "content": END_OF_TEXT,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level | {"trim_offsets": False},
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocab,
            "merges": [f"{a} {b}" for a, b in merges],
        },
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(build(), ensure_ascii=False, indent=1) + "\n")
