"""Write the model card from its template, the records of the training and the evaluation.

    python card.py WORK_FOLDER MODEL_FOLDER
"""

import json
import sys
from pathlib import Path
from string import Template

import numpy
import safetensors
import tokenizers

from model import Config


def table(evaluation: dict) -> str:
    """The tasks as Markdown."""
    lines = ["| task | n | answer above foil | mean logit difference |", "|---|---:|---:|---:|"]
    for row in evaluation["tasks"]:
        accuracy = f"{100 * row['accuracy']:.2f} %"
        lines.append(f"| {row['task']} | {row['n']:,} | {accuracy} | {row['logit_difference']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    work, folder = map(Path, sys.argv[1:3])
    stages = [json.loads((work / f"stage-{stage}.json").read_text()) for stage in (1, 2, 3, 4)]
    evaluation = json.loads((folder / "evaluation.json").read_text())
    config = Config.read(folder)
    template = Template((Path(__file__).parent / "card.md").read_text())
    card = template.substitute(
        steps="{:,}, {:,}, {:,} and {:,}".format(*(stage["steps"] for stage in stages)),
        minutes=f"{sum(stage['minutes'] for stage in stages):.0f}",
        parameters=f"{stages[-1]['parameters'] / 1e6:.2f}",
        threads=stages[-1]["threads"],
        python=stages[-1]["python"],
        torch=stages[-1]["torch"],
        vocabulary=f"{config.vocab_size:,}",
        numpy=numpy.__version__,
        tokenizers=tokenizers.__version__,
        safetensors=safetensors.__version__,
        table=table(evaluation),
        mass=f"{evaluation['year_mass_difference']:.3f}",
        examples=len(evaluation["examples"]),
        sha256=evaluation["model_sha256"],
    )
    (folder / "README.md").write_text(card)


if __name__ == "__main__":
    main()
