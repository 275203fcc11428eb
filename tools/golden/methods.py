"""The methods of docs/methods.md, each on one pair in one direction: maps [L, T] or [L, T, heads or neurons]."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product

import torch
from torch import Tensor

from gpt2 import AH, IDENTITY, LN, Edits, Gpt2, Place, Run

STEPS = 5
METRICS = ["logit_diff", "log_prob", "prob_diff", "kl"]


@dataclass(frozen=True)
class Metric:
    """One number of the logits [rows, vocabulary] of the last position, for each row."""

    name: str
    answers: Tensor
    foils: Tensor
    # Of the clean run, [vocabulary].
    clean: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        logs = logits.log_softmax(-1)
        if self.name == "logit_diff":
            return logits[:, self.answers].mean(-1) - logits[:, self.foils].mean(-1)
        if self.name == "log_prob":
            return logs[:, self.answers].exp().sum(-1).log()
        if self.name == "prob_diff":
            return logs[:, self.answers].exp().sum(-1) - logs[:, self.foils].exp().sum(-1)
        if self.name == "kl":
            clean = self.clean.log_softmax(-1)
            return (clean.exp() * (clean - logs)).sum(-1)
        raise ValueError(self.name)


@dataclass(frozen=True)
class Case:
    """A pair in one direction, with what is measured and what is put in."""

    model: Gpt2
    base: Tensor
    source: Tensor
    metric: Metric
    replace: str = "source"

    @cached_property
    def base_embedding(self) -> Tensor:
        return self.model.embed(self.base)

    @cached_property
    def source_embedding(self) -> Tensor:
        return self.model.embed(self.source)

    @cached_property
    def base_run(self) -> Run:
        return self.model.run(self.base_embedding)

    @cached_property
    def source_run(self) -> Run:
        return self.model.run(self.source_embedding)

    def new(self, place: Place) -> Tensor:
        """n' of every component at a place, in the shape of n."""
        base, source = self.base_run.at[place], self.source_run.at[place]
        if self.replace == "source":
            return source
        if self.replace == "zero":
            return torch.zeros_like(base)
        if self.replace == "mean":
            # Position 0 is left out, unless there is no other.
            first = min(1, base.shape[1] - 1)
            mean = torch.cat([base[:, first:], source[:, first:]], 1).mean(1, keepdim=True)
            return mean.expand_as(base)
        raise ValueError(self.replace)

    def change(self, place: Place) -> Tensor:
        """n' - n."""
        return self.new(place) - self.base_run.at[place]

    def gradients(
        self,
        places: list[Place],
        embedding: Tensor | None = None,
        rules: Collection[str] = (),
        edits: Edits | None = None,
        dropped: int | None = None,
    ) -> dict[Place, Tensor]:
        """What the backward pass gives at these places, in the base run if no embedding is given."""
        embedding = (self.base_embedding if embedding is None else embedding).clone().requires_grad_()
        run = self.model.run(embedding, rules, edits, dropped)
        # What does not reach the metric (k, under the AH-rule) has gradient 0.
        found = torch.autograd.grad(
            self.metric(run.logits[:, -1]).sum(), [run.at[place] for place in places], materialize_grads=True
        )
        return dict(zip(places, found))

    def each_replaced(self, place: Place) -> Run:
        """A run a row: in each row one component of the base run is replaced, in the order of the map's cells."""
        new = self.new(place)[0]
        cells = list(product(*map(range, new.shape[:-1])))
        where = tuple(torch.tensor(cells).T)

        def edit(x: Tensor) -> Tensor:
            x = x.clone()
            x[torch.arange(len(cells)), *where] = new[where]
            return x

        return self.model.run(self.base_embedding.expand(len(cells), -1, -1), edits={place: edit})

    def places(self, site: str) -> list[Place]:
        """A site at every layer."""
        return [(site, layer) for layer in range(self.model.layers)]

    def map(self, site: str, score: Callable[[Place], Tensor]) -> Tensor:
        """The map of a site from its scores [T, ...] at each layer."""
        return torch.stack([score(place) for place in self.places(site)])


Maps = dict[str, Tensor]
Method = Callable[[Case, list[str]], Maps]


def all_places(case: Case, sites: list[str]) -> list[Place]:
    """The sites at every layer."""
    return [place for site in sites for place in case.places(site)]


def weighted(case: Case, sites: list[str], gradients: dict[Place, Tensor]) -> Maps:
    """Sums over the width of (n' - n) * g."""
    return {
        site: case.map(site, lambda place: (case.change(place) * gradients[place]).sum(-1)[0]) for site in sites
    }


def activation_patching(case: Case, sites: list[str]) -> Maps:
    """Exact: a forward pass for every component."""
    before = case.metric(case.base_run.logits[:, -1])

    def score(place: Place) -> Tensor:
        after = case.metric(case.each_replaced(place).logits[:, -1])
        return (after - before).reshape(case.new(place).shape[1:-1])

    with torch.no_grad():
        return {site: case.map(site, score) for site in sites}


def gradient(case: Case, sites: list[str], rules: Collection[str]) -> Maps:
    """Attribution patching, and relevance patching where there are rules."""
    return weighted(case, sites, case.gradients(all_places(case, sites), rules=rules))


def ig_inputs(case: Case, sites: list[str], steps: int = STEPS) -> Maps:
    """Gradients averaged between the two prompts. Both have the same position embeddings."""
    if case.replace != "source":
        raise ValueError("IG (inputs) goes from one prompt to the other")
    places = all_places(case, sites)
    base, way = case.base_embedding, case.source_embedding - case.base_embedding
    path = [case.gradients(places, base + k / steps * way) for k in range(1, steps + 1)]
    return weighted(case, sites, {place: sum(step[place] for step in path) / steps for place in places})


def ig_activations(case: Case, sites: list[str], steps: int = STEPS) -> Maps:
    """Gradients averaged while one activation, at all positions and heads, goes from n to n'."""

    def average(place: Place) -> Tensor:
        path = []
        for k in range(1, steps + 1):
            value = (case.base_run.at[place] + k / steps * case.change(place)).requires_grad_()
            path.append(case.gradients([place], edits={place: lambda _: value})[place])
        return sum(path) / steps

    return weighted(case, sites, {place: average(place) for place in all_places(case, sites)})


def pattern_changes(case: Case, place: Place) -> Tensor:
    """How the whole pattern of a layer changes when one query, or one key, is replaced: [cells, T, heads, T]."""
    pattern = ("pattern", place[1])
    with torch.no_grad():
        return case.each_replaced(place).at[pattern] - case.base_run.at[pattern]


def qk_fixed(case: Case, site: str, gradients: dict[Place, Tensor]) -> Tensor:
    """The scores of queries or keys through the softmax. Rows that a query or key has no part in do not change."""

    def score(place: Place) -> Tensor:
        each = (pattern_changes(case, place) * gradients["pattern", place[1]]).sum((1, 2, 3))
        return each.reshape(case.new(place).shape[1:-1])

    return case.map(site, score)


def atp_star(case: Case, sites: list[str]) -> Maps:
    """QK fix and GradDrop."""
    layers = case.model.layers
    places = all_places(case, sites + ["pattern"] * ("pattern" not in sites))
    fixed = [site for site in sites if site in "qk"]

    def scores(dropped: int | None) -> Maps:
        gradients = case.gradients(places, dropped=dropped)
        maps = weighted(case, [site for site in sites if site not in fixed], gradients)
        return maps | {site: qk_fixed(case, site, gradients) for site in fixed}

    if layers == 1:
        return {site: found.abs() for site, found in scores(None).items()}
    drops = [scores(layer) for layer in range(layers)]
    return {
        site: torch.stack([
            sum(drops[other][site][layer].abs() for other in range(layers) if other != layer) / (layers - 1)
            for layer in range(layers)
        ])
        for site in sites
    }


def gradient_times_input(case: Case, sites: list[str]) -> Maps:
    """At the token embedding, which is one layer. Nothing is replaced."""
    if sites != ["embed"]:
        raise ValueError("gradient x input is of the token embedding")
    return {"embed": (case.base_embedding * case.gradients([("embed", 0)])["embed", 0]).sum(-1)}


METHODS: dict[str, Method] = {
    "ap": activation_patching,
    "atp": partial(gradient, rules=()),
    "ln": partial(gradient, rules=(LN,)),
    "relp": partial(gradient, rules=(LN, IDENTITY)),
    "relp+ah": partial(gradient, rules=(LN, IDENTITY, AH)),
    f"ig-inputs-{STEPS}": ig_inputs,
    f"ig-activations-{STEPS}": ig_activations,
    "atp-star": atp_star,
    "grad-x-input": gradient_times_input,
}
