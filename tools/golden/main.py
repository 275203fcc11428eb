"""Compute every golden of a tiny model; check those that are there, write those that are not.

    python main.py FOLDER

FOLDER holds config.json, model.safetensors and figures.safetensors; more.safetensors is written.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import checks
from gpt2 import SITES, Gpt2
from methods import METHODS, METRICS, Case, Metric

DIRECTIONS = ["denoise", "noise"]
IG_INPUTS, IG_ACTIVATIONS = "ig-inputs-5", "ig-activations-5"
# Relative to the largest value of a tensor.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Figure:
    """One method's maps, for all pairs."""

    method: str
    direction: str
    sites: list[str]
    metric: str = "logit_diff"
    several: bool = False
    replace: str = "source"

    def name(self, site: str) -> str:
        """The name of a map in the file."""
        metric = f"@{self.metric}" if self.several or self.metric != "logit_diff" else ""
        several = "+several" if self.several else ""
        replace = f"+{self.replace}" if self.replace != "source" else ""
        return f"{self.method}{metric}{several}{replace}.{self.direction}.{site}"


def figures() -> Iterator[Figure]:
    """All that is computed."""
    for direction in DIRECTIONS:
        for method in METHODS:
            yield Figure(method, direction, ["embed"] if method == "grad-x-input" else SITES)

        for metric in METRICS[1:]:
            # KL is flat in the clean run, which is the base of noising.
            flat = metric == "kl" and direction == "noise"
            for method in ["ap"] if flat else ["ap", "relp", "atp", IG_INPUTS]:
                yield Figure(method, direction, ["resid_pre", "attn_out", "mlp_out", "z"], metric=metric)

        for replace in ["zero", "mean"]:
            for method in ["ap", "atp", "relp", IG_ACTIVATIONS, "atp-star"]:
                # A pattern has no mean; exact scores of every neuron would be most of the file.
                without = ["pattern"] * (replace == "mean") + ["post"] * (method == "ap")
                sites = [site for site in SITES if site not in without]
                yield Figure(method, direction, sites, replace=replace)

    for metric in ["logit_diff", "log_prob", "prob_diff"]:
        for method in ["ap", "relp"]:
            yield Figure(method, "denoise", ["resid_pre", "z"], metric=metric, several=True)


def others(taken: list[int], count: int, vocabulary: int) -> list[int]:
    """Tokens that are not taken: every seventh after the last one taken."""
    found: list[int] = []
    token = taken[-1]
    while len(found) < count:
        token = (token + 7) % vocabulary
        if token not in taken + found:
            found.append(token)
    return found


class Pairs:
    """The pairs of a folder."""

    def __init__(self, folder: Path):
        self.model = Gpt2(folder)
        self.stored = load_file(folder / "figures.safetensors")
        self.prompts = {"clean": self.stored["clean"], "corrupted": self.stored["corrupt"]}
        self.answers, self.foils = self.stored["answer"][:, None], self.stored["foil"][:, None]
        more = torch.tensor([
            others([answer, foil], 3, self.model.vocabulary)
            for answer, foil in zip(self.stored["answer"].tolist(), self.stored["foil"].tolist())
        ])
        self.several_answers = torch.cat([self.answers, more[:, :1]], 1)
        self.several_foils = torch.cat([self.foils, more[:, 1:]], 1)

    def __len__(self) -> int:
        return len(self.answers)

    def case(self, pair: int, figure: Figure) -> Case:
        """One pair as a figure asks."""
        clean, corrupted = (self.prompts[side][pair] for side in ["clean", "corrupted"])
        answers, foils = (
            (self.several_answers, self.several_foils) if figure.several else (self.answers, self.foils)
        )
        logits = self.model.run(self.model.embed(clean)).logits[0, -1]
        metric = Metric(figure.metric, answers[pair], foils[pair], logits)
        base, source = (corrupted, clean) if figure.direction == "denoise" else (clean, corrupted)
        return Case(self.model, base, source, metric, figure.replace)

    def maps(self, figure: Figure) -> dict[str, Tensor]:
        """A figure's maps by their names, the pairs on the first axis."""
        found = [METHODS[figure.method](self.case(pair, figure), figure.sites) for pair in range(len(self))]
        return {figure.name(site): torch.stack([maps[site] for maps in found]) for site in figure.sites}

    def runs(self) -> dict[str, Tensor]:
        """The logits and the clean activations, in the layout in which they are stored."""
        runs = {
            side: [self.model.run(self.model.embed(tokens)) for tokens in prompts]
            for side, prompts in self.prompts.items()
        }
        found = {
            "logits.clean": torch.cat([run.logits for run in runs["clean"]]),
            "logits.corrupt": torch.cat([run.logits for run in runs["corrupted"]]),
        }
        for site in SITES:
            layers = range(self.model.layers)
            all_pairs = [torch.cat([run.at[site, layer] for layer in layers]) for run in runs["clean"]]
            stacked = torch.stack(all_pairs)
            if site in ["q", "k", "v", "pattern"]:
                stacked = stacked.transpose(2, 3)
            found[f"act.clean.{site}"] = stacked[..., 0] if site == "post" else stacked
        return found

    def metrics(self) -> dict[str, Tensor]:
        """The metrics of both runs, clean first: [pairs, 2]."""
        found = {}
        for metric, several in [(name, False) for name in METRICS] + [(name, True) for name in METRICS[:3]]:
            cases = [self.case(pair, Figure("", "noise", [], metric, several)) for pair in range(len(self))]
            values = [
                torch.cat([case.metric(run.logits[:, -1]) for run in [case.base_run, case.source_run]])
                for case in cases
            ]
            found[f"metric.{metric}{'.several' * several}"] = torch.stack(values)
        return found


def compare(found: dict[str, Tensor], stored: dict[str, Tensor]) -> None:
    """Prints how far stored tensors are from found ones; far is an error."""
    worst, where = 0.0, ""
    for name, expected in stored.items():
        error = ((found[name] - expected).abs().max() / expected.abs().max()).item()
        # Not `>`, which a NaN would pass.
        if not error <= TOLERANCE:
            raise SystemExit(f"{name} differs by {error:.1e} of its largest value")
        if error >= worst:
            worst, where = error, name
    print(f"{len(stored)} stored tensors agree, the worst ({where}) to {worst:.1e} of its largest value")


def main() -> None:
    folder = Path(sys.argv[1])
    # One thread sums in one order, so that the file comes out the same each time.
    torch.set_num_threads(1)
    pairs = Pairs(folder)
    for direction in DIRECTIONS:
        checks.all_checks(pairs.case(0, Figure("", direction, [])))

    found = pairs.runs()
    for figure in figures():
        found |= pairs.maps(figure)
    given = {"clean", "corrupt", "answer", "foil"}
    compare(found, {name: tensor for name, tensor in pairs.stored.items() if name not in given})

    found |= pairs.metrics()
    found |= {"answers": pairs.several_answers, "foils": pairs.several_foils}
    more = {name: tensor.contiguous() for name, tensor in found.items() if name not in pairs.stored}
    save_file(more, folder / "more.safetensors")
    print(f"{len(more)} tensors written")


if __name__ == "__main__":
    main()
