"""Checks of the methods by other ways to the same numbers."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from gpt2 import AH, IDENTITY, LN, SITES, Edits, Place
from methods import (
    METHODS, Case, Maps, all_places, gradient, ig_activations, ig_inputs, pattern_changes, qk_fixed,
)


def close(found: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Fails if values differ by more than a part of the largest."""
    error = ((found - expected).abs().max() / expected.abs().max()).item()
    if not error <= tolerance:
        raise SystemExit(f"check failed: {what} differs by {error:.1e}")


def value(case: Case, edits: Edits | None = None) -> Tensor:
    """The metric of the base run with edits."""
    with torch.no_grad():
        return case.metric(case.model.run(case.base_embedding, edits=edits).logits[:, -1])


def slope(case: Case, place: Place, change: Tensor, edits: Edits | None = None) -> Tensor:
    """The derivative of the metric as the activation at a place moves along a change, by central differences."""
    step = 1e-4

    def moved(share: float) -> Tensor:
        return value(case, {**(edits or {}), place: lambda x: x + share * change})

    return (moved(step) - moved(-step)) / (2 * step)


def largest(scores: Tensor) -> tuple[int, ...]:
    """The index of the largest score of a map."""
    return tuple(int(at) for at in torch.unravel_index(scores.abs().argmax(), scores.shape))


def only(change: Tensor, cell: tuple[int, ...]) -> Tensor:
    """A change [1, T, ...] at one cell alone."""
    kept = torch.zeros_like(change)
    kept[0, *cell] = change[0, *cell]
    return kept


def gradients_are_slopes(case: Case) -> None:
    """AtP's largest score of each site is the slope along n' - n."""
    for site, scores in METHODS["atp"](case, SITES).items():
        layer, *cell = largest(scores)
        place = (site, layer)
        close(slope(case, place, only(case.change(place), tuple(cell))), scores[layer, *cell], 1e-6, f"slope at {site}")


def dropped_gradients_are_slopes(case: Case) -> None:
    """Dropping a layer is the same as holding what its sublayers add, and its stream has one coefficient."""
    for dropped in range(case.model.layers):
        held = {(site, dropped): lambda _, x=case.base_run.at[site, dropped]: x for site in ["attn_out", "mlp_out"]}
        gradients = case.gradients(all_places(case, ["resid_pre", "resid_post"]), dropped=dropped)
        close(gradients["resid_pre", dropped], gradients["resid_post", dropped], 1e-12, "gradient past a dropped layer")
        place = ("resid_pre", 0)
        expected = (gradients[place] * case.change(place)).sum()
        close(slope(case, place, case.change(place), held), expected, 1e-6, "slope with a layer dropped")


def rules_leave_values(case: Case) -> None:
    """No rule and no dropped layer changes the forward pass."""
    run = case.model.run(case.base_embedding, rules=(LN, IDENTITY, AH), dropped=0)
    close(run.logits, case.base_run.logits, 0, "forward pass with rules")


def relp_without_rules_is_atp(case: Case) -> None:
    """With no rule on, the coefficients are the gradients of torch's own LayerNorm, GELU and attention."""
    model, weights = case.model, case.model.weights
    embedding = case.base_embedding.clone().requires_grad_()

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], model.epsilon)

    stream = embedding + weights["wpe.weight"][: embedding.shape[1]]
    streams = []
    for layer in range(model.layers):
        streams.append(stream)
        joint = model.linear(norm(stream, f"h.{layer}.ln_1"), f"h.{layer}.attn.c_attn")
        q, k, v = (part.unflatten(-1, (model.heads, -1)).transpose(1, 2) for part in joint.chunk(3, -1))
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        stream = stream + model.linear(z.transpose(1, 2).flatten(2), f"h.{layer}.attn.c_proj")
        pre = model.linear(norm(stream, f"h.{layer}.ln_2"), f"h.{layer}.mlp.c_fc")
        stream = stream + model.linear(F.gelu(pre, approximate="tanh"), f"h.{layer}.mlp.c_proj")
    logits = norm(stream, "ln_f") @ weights["wte.weight"].T
    expected = torch.autograd.grad(case.metric(logits[:, -1]).sum(), streams)

    scores = [(case.change(("resid_pre", layer)) * found).sum(-1)[0] for layer, found in enumerate(expected)]
    close(gradient(case, ["resid_pre"], rules=())["resid_pre"], torch.stack(scores), 1e-11, "AtP")


def ig_converges(case: Case) -> None:
    """Summed over a layer, IG goes to the whole effect of replacing it, with an error of first order in 1/steps."""
    before = value(case)

    def converges(method: Callable[[Case, list[str], int], Maps], site: str, whole: Tensor) -> None:
        few, many = (method(case, [site], steps)[site][0].sum() for steps in (32, 64))
        # Twice the steps halve the first order, so that it cancels here.
        close(2 * many - few, whole, 1e-3, f"IG at {site}")

    converges(ig_inputs, "resid_pre", case.metric(case.source_run.logits[:, -1]) - before)
    for site in SITES:
        place = (site, 0)
        converges(ig_activations, site, value(case, {place: lambda _: case.new(place)}) - before)


def qk_fix_is_first_order_in_the_pattern(case: Case) -> None:
    """The pattern with one query or key replaced is the softmax's, and the score is the slope along its change."""
    gradients = case.gradients(case.places("pattern"))
    for site in ["q", "k"]:
        scores = qk_fixed(case, site, gradients)
        layer, *cell = largest(scores)
        at, head = cell
        place, pattern = (site, layer), ("pattern", layer)

        q, k = (case.base_run.at[name, layer][0, :, head].clone() for name in "qk")
        {"q": q, "k": k}[site][at] = case.new(place)[0, at, head]
        change = torch.zeros_like(case.base_run.at[pattern])
        # A query has its own row, a key those of the queries from it on.
        for t in [at] if site == "q" else range(at, len(q)):
            row = (k[: t + 1] @ q[t] / math.sqrt(q.shape[-1])).softmax(0)
            change[0, t, head, : t + 1] = row - case.base_run.at[pattern][0, t, head, : t + 1]

        heads = case.model.heads
        close(pattern_changes(case, place)[at * heads + head], change[0], 1e-12, f"pattern with a {site} replaced")
        close(slope(case, pattern, change), scores[layer, *cell], 1e-6, f"QK fix of {site}")


def all_checks(case: Case) -> None:
    """All checks on one case."""
    gradients_are_slopes(case)
    dropped_gradients_are_slopes(case)
    rules_leave_values(case)
    relp_without_rules_is_atp(case)
    ig_converges(case)
    qk_fix_is_first_order_in_the_pattern(case)
    print("checks pass")
