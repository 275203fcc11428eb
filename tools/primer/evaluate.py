"""Measure a stored model on what was held out of its training, and check the page's examples.

    python evaluate.py FOLDER

Prints a table and writes it to FOLDER/evaluation.json. Fails when an example fails.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch

import holdout
from ask import Asked
from draw import Draw
from handwritten import PAPER, VISITOR
from items import held_out
from tasks.years import TEMPLATES

Row = dict[str, str | int | float]


def measured(asked: Asked, task: str, questions: list[tuple[str, str, str]]) -> Row:
    """One row of the table."""
    found = asked.differences(questions)
    return {
        "task": task,
        "n": len(questions),
        "accuracy": round((found > 0).float().mean().item(), 4),
        "logit_difference": round(found.mean().item(), 3),
    }


def questions(draws: list[Draw]) -> list[tuple[str, str, str]]:
    """The draws as (prompt, answer, foil), each proved to be out of the training corpus."""
    for draw in draws:
        if not holdout.violation(draw.prompt + draw.answer):
            raise ValueError(f"not held out: {draw.prompt!r}")
    return [(draw.prompt, draw.answer, draw.foil) for draw in draws]


def year_mass(asked: Asked) -> float:
    """Mean P(years after the start) - P(years up to it), over all held-out start years and templates."""
    asks = [(year, text) for year in holdout.START_YEARS for text in dict.fromkeys(TEMPLATES)]
    logits = asked.logits([f"{text.format('war', year)} {year // 100}" for year, text in asks])
    ids = torch.tensor([asked.single(f"{yy:02}") for yy in range(100)])
    chance = logits.softmax(-1)[:, ids]
    later = torch.arange(100) > torch.tensor([year % 100 for year, _ in asks])[:, None]
    return ((chance * later).sum(1) - (chance * ~later).sum(1)).mean().item()


def check_examples(asked: Asked, examples: list[dict[str, str]]) -> list[Row]:
    """The logit differences of each example; an example that does not hold is an error."""
    rows: list[Row] = []
    for example in examples:
        answer, foil = example["answer"], example["foil"]
        sides = [(example[side], answer, foil) for side in ("clean", "corrupted")]
        clean, corrupted = asked.differences(sides).tolist()
        if len(asked.tokens(example["clean"])) != len(asked.tokens(example["corrupted"])):
            raise ValueError(f"{example['id']}: the prompts differ in length")
        if clean < 1 or clean - corrupted < 1:
            raise ValueError(f"{example['id']}: clean {clean:.3f}, corrupted {corrupted:.3f}")
        rows.append({"id": example["id"], "clean": round(clean, 3), "corrupted": round(corrupted, 3)})
    return rows


def main() -> None:
    folder = Path(sys.argv[1])
    asked = Asked(folder)
    rows = [measured(asked, task, questions(draws)) for task, draws in held_out().items()]
    rows.append(measured(asked, "IOI, the eight prompts of the RelP paper", PAPER))
    rows.append(measured(asked, "IOI, prompts written by hand", VISITOR))
    for row in rows:
        print(f"{row['task']:48} {row['n']:6} {row['accuracy']:8.2%} {row['logit_difference']:8.2f}")
    mass = round(year_mass(asked), 4)
    print(f"greater-than, difference of probability mass: {mass}")
    for question, found in zip(VISITOR, asked.differences(VISITOR).tolist()):
        if found <= 0:
            print(f"wrong: {question} {found:.2f}")
    examples = check_examples(asked, json.loads((folder / "examples.json").read_text()))
    result = {
        "model_sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "tasks": rows,
        "year_mass_difference": mass,
        "examples": examples,
    }
    (folder / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
