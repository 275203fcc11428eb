"""Train the primer on a corpus of token ids and keep its weights in f32.

    python train.py CORPUS.npz OUT.pt --steps N --seed S --peak RATE

Beside OUT.pt it leaves OUT.json, a record of the run.
"""

import argparse
import hashlib
import json
import math
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from model import Config, Gpt2

DOCUMENTS_A_STEP = 96
# A step's documents are sorted by length and cut here, so that little is padding.
CUTS = [40, 68, 86]
# How much more the answer to a task's question counts than another token.
ANSWER_WEIGHT = 6.0
LAST_RATE = 2e-5
WARM_UP = 150


@dataclass(frozen=True)
class Part:
    """Documents of like length as one rectangle; what lies past an end has weight 0."""

    inputs: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


class Corpus:
    """The documents written by corpus.py."""

    def __init__(self, path: str):
        stored = np.load(path)
        self.ids, self.answers, self.starts = stored["ids"], stored["answers"], stored["starts"]
        self.lengths = np.diff(self.starts)
        self.vocabulary = int(stored["vocabulary"])

    def steps(self, seed: int) -> Iterator[list[Part]]:
        """Endless steps over the shuffled documents."""
        rng = np.random.default_rng(seed)
        while True:
            order = rng.permutation(len(self.lengths))
            for first in range(0, len(order) - DOCUMENTS_A_STEP + 1, DOCUMENTS_A_STEP):
                rows = order[first : first + DOCUMENTS_A_STEP]
                rows = rows[np.argsort(self.lengths[rows], kind="stable")]
                yield [self.part(group) for group in np.split(rows, CUTS)]

    def part(self, rows: np.ndarray) -> Part:
        """The given documents, padded to the longest."""
        shape = (len(rows), int(self.lengths[rows].max()) - 1)
        inputs, targets = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        weights = np.zeros(shape, np.float32)
        for at, row in enumerate(rows):
            span = slice(self.starts[row], self.starts[row + 1])
            size = self.lengths[row] - 1
            inputs[at, :size] = self.ids[span][:-1]
            targets[at, :size] = self.ids[span][1:]
            weights[at, :size] = np.where(self.answers[span][1:], ANSWER_WEIGHT, 1.0)
        return Part(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(weights))


def losses(model: Gpt2, part: Part) -> torch.Tensor:
    """The weighted sum of the cross-entropies."""
    real = part.weights > 0
    logits = model.hidden(part.inputs)[real] @ model.wte.weight.T
    return F.cross_entropy(logits, part.targets[real], reduction="none") @ part.weights[real]


@dataclass(frozen=True)
class Schedule:
    """The learning rate: a short warm-up to the peak, then a cosine that ends at step `length`."""

    peak: float
    length: int

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        if step < WARM_UP:
            return self.peak * (step + 1) / WARM_UP
        done = (step - WARM_UP) / max(1, self.length - WARM_UP)
        return LAST_RATE + (self.peak - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def optimizer(model: Gpt2) -> torch.optim.Optimizer:
    """AdamW, with weight decay on the matrices alone."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=LAST_RATE, betas=(0.9, 0.98), fused=True)


def train(model: Gpt2, corpus: Corpus, schedule: Schedule, steps: int, seed: int, keep: Path) -> None:
    """Train `model`; its weights are written to `keep` every 500 steps and at the end."""
    adam = optimizer(model)
    began, total = time.time(), 0.0
    for step, parts in zip(range(1, steps + 1), corpus.steps(seed)):
        for group in adam.param_groups:
            group["lr"] = schedule.rate(step - 1)
        adam.zero_grad()
        weight = sum(part.weights.sum() for part in parts)
        for part in parts:
            loss = losses(model, part) / weight
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        if step % 100 == 0:
            print(f"step {step} loss {total / 100:.4f} at {time.time() - began:.0f} s", flush=True)
            total = 0.0
        if step % 500 == 0 or step == steps:
            torch.save(model.state_dict(), keep)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--peak", type=float, required=True, help="highest learning rate")
    parser.add_argument("--schedule", type=int, help="steps after which the rate would be lowest (--steps)")
    parser.add_argument("--start", type=Path, help="weights to go on from, with a fresh optimiser")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(args.seed)
    corpus = Corpus(args.corpus)
    model = Gpt2(Config(corpus.vocabulary))
    if args.start:
        model.load_state_dict(torch.load(args.start))
    began = time.time()
    train(model, corpus, Schedule(args.peak, args.schedule or args.steps), args.steps, args.seed, args.out)
    digest = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters()))
    record = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": args.steps,
        "threads": args.threads,
        "minutes": round((time.time() - began) / 60, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "f32_sha256": digest.hexdigest(),
    }
    args.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(record)


if __name__ == "__main__":
    main()
