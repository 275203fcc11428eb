"""PyTorch eager on the same work, as TransformerLens does it: a line of JSON for each row of the table.

Two forward passes (as one batch) and one backward pass with detached denominators; and a loop of one forward pass a
patch, which skips the patches that certainly do nothing: those before the first token that differs. Weights are random,
of the exact shapes; attention, LayerNorm and GELU are PyTorch's own where no rule changes them.

    eager.py THREADS
"""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

FROM_END = 5


@dataclass(frozen=True)
class Config:
    name: str
    layers: int
    heads: int
    width: int
    vocabulary: int
    context: int


MODELS = [Config("primer", 6, 8, 128, 4075, 64), Config("gpt2-small", 12, 12, 768, 50257, 1024)]

Hook = Callable[[str, int, Tensor], Tensor]


class Gpt2:
    def __init__(self, config: Config):
        self.config = config
        generator = torch.Generator().manual_seed(1)

        def noise(*shape: int) -> Tensor:
            return torch.rand(shape, generator=generator) * 0.08 - 0.04

        d = config.width
        self.tokens, self.positions = noise(config.vocabulary, d), noise(config.context, d)
        self.blocks = [
            {
                "ln_1": (1 + noise(d), noise(d)), "qkv": (noise(d, 3 * d), noise(3 * d)),
                "proj": (noise(d, d), noise(d)), "ln_2": (1 + noise(d), noise(d)),
                "fc": (noise(d, 4 * d), noise(4 * d)), "out": (noise(4 * d, d), noise(d)),
            }
            for _ in range(config.layers)
        ]
        self.ln_f = (1 + noise(d), noise(d))

    def norm(self, x: Tensor, weights: tuple[Tensor, Tensor], rules: bool) -> Tensor:
        if not rules:
            return F.layer_norm(x, x.shape[-1:], *weights, 1e-5)
        centred = x - x.mean(-1, keepdim=True)
        scale = (centred.square().mean(-1, keepdim=True) + 1e-5).rsqrt().detach()
        return centred * scale * weights[0] + weights[1]

    def gelu(self, x: Tensor, rules: bool) -> Tensor:
        if not rules:
            return F.gelu(x, approximate="tanh")
        ratio = 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return x * ratio.detach()

    def run(self, ids: Tensor, hook: Hook, rules: bool = False) -> Tensor:
        """The last position's logits."""
        rows, length = ids.shape
        heads = self.config.heads
        x = self.tokens[ids] + self.positions[:length]
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        for layer, block in enumerate(self.blocks):
            x = hook("resid_pre", layer, x)
            joint = torch.addmm(block["qkv"][1], self.norm(x, block["ln_1"], rules).flatten(0, 1), block["qkv"][0])
            q, k, v = (part.view(rows, length, heads, -1).transpose(1, 2) for part in joint.chunk(3, -1))
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            pattern = scores.masked_fill(future, -math.inf).softmax(-1)
            z = hook("z", layer, (pattern @ v).transpose(1, 2))
            attn_out = torch.addmm(block["proj"][1], z.flatten(2).flatten(0, 1), block["proj"][0]).view(rows, length, -1)
            x = x + hook("attn_out", layer, attn_out)
            pre = torch.addmm(block["fc"][1], self.norm(x, block["ln_2"], rules).flatten(0, 1), block["fc"][0])
            mlp_out = torch.addmm(block["out"][1], self.gelu(pre, rules), block["out"][0]).view(rows, length, -1)
            x = x + hook("mlp_out", layer, mlp_out)
        return self.norm(x[:, -1], self.ln_f, rules) @ self.tokens.T


def nothing(site: str, layer: int, x: Tensor) -> Tensor:
    return x


def attribute(model: Gpt2, ids: Tensor, rules: bool) -> dict[str, Tensor]:
    """(source - base) * gradient of base, summed over the width: ids are the clean prompts and then the corrupted."""
    sites = ("resid_pre", "attn_out", "mlp_out")
    source: dict[tuple[str, int], Tensor] = {}
    base: dict[tuple[str, int], Tensor] = {}

    def keep(site: str, layer: int, x: Tensor) -> Tensor:
        if site in sites:
            source[site, layer] = x
        return x

    def trace(site: str, layer: int, x: Tensor) -> Tensor:
        if site in sites:
            if not x.requires_grad:
                x = x.requires_grad_()
            x.retain_grad()
            base[site, layer] = x
        return x

    pairs = len(ids) // 2
    with torch.no_grad():
        model.run(ids[:pairs], keep, rules)
    logits = model.run(ids[pairs:], trace, rules)
    (logits[:, 5] - logits[:, 6]).sum().backward()
    with torch.no_grad():
        return {
            site: torch.stack([
                ((source[site, layer] - base[site, layer]) * base[site, layer].grad).sum(-1)
                for layer in range(model.config.layers)
            ])
            for site in sites
        }


@torch.no_grad()
def forward(model: Gpt2, ids: Tensor) -> Tensor:
    return model.run(ids, nothing)


@torch.no_grad()
def sweep(model: Gpt2, ids: Tensor, sites: tuple[str, ...], first: int) -> list[float]:
    """Every patch of every layer and position from the first that differs, or of every head there."""
    source: dict[tuple[str, int], Tensor] = {}

    def keep(site: str, layer: int, x: Tensor) -> Tensor:
        if site in sites:
            source[site, layer] = x
        return x

    def metric(logits: Tensor) -> float:
        return float(logits[0, 5] - logits[0, 6])

    model.run(ids[:1], keep)
    base = metric(model.run(ids[1:], nothing))
    found = []
    for at in sites:
        parts = range(model.config.heads) if at == "z" else [None]
        for layer in range(model.config.layers):
            for position in range(first, ids.shape[1]):
                for head in parts:
                    def patch(site: str, depth: int, x: Tensor) -> Tensor:
                        if (site, depth) != (at, layer):
                            return x
                        x = x.clone()
                        place = (0, position) if head is None else (0, position, head)
                        x[place] = source[at, layer][place]
                        return x

                    found.append(metric(model.run(ids[1:], patch)) - base)
    return found


def seconds(samples: int, run: Callable[[], object]) -> tuple[float, float, float]:
    if samples > 1:
        run()
    times = []
    for _ in range(samples):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times), min(times), max(times)


def count_memory_anew() -> None:
    """Lets the most memory that this process had be counted from now on."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def most_memory() -> int:
    with open("/proc/self/status") as file:
        return 1024 * int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def main() -> None:
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    print(json.dumps({"peer": f"PyTorch {torch.__version__.split('+')[0]}, eager"}), flush=True)
    for config in MODELS:
        model = Gpt2(config)
        small = config.name == "primer"
        for tokens, batch in ((15, 1), (32, 1), (64, 1), (15, 8), (32, 8), (64, 8)):
            clean = torch.arange(tokens) * 7 + 1 + torch.arange(batch)[:, None]
            corrupted = clean.clone()
            first = tokens - FROM_END
            corrupted[:, first] = 99
            ids = torch.cat([clean, corrupted])
            samples = 30 if small else 11 if batch == 1 else 3
            rows: list[tuple[str, int, Callable[[], object]]] = [
                ("forward", samples, lambda: forward(model, ids[:batch])),
                ("relp", samples, lambda: attribute(model, ids, True)),
                ("atp", samples, lambda: attribute(model, ids, False)),
            ]
            # A loop that takes a minute is run on all threads alone.
            alone = threads == 1 and not small
            if tokens < 64 and batch == 1 and not alone:
                sites = ("resid_pre", "attn_out", "mlp_out")
                rows.append(("sweep", 3 if small else 1, lambda: sweep(model, ids, sites, first)))
                if small or tokens == 15:
                    rows.append(("heads", 3 if small else 1, lambda: sweep(model, ids, ("z",), first)))
            for what, samples, run in rows:
                count_memory_anew()
                median, low, high = seconds(samples, run)
                line = {"model": config.name, "tokens": tokens, "batch": batch, "what": what, "threads": threads}
                found = {"median": median, "low": low, "high": high, "memory": most_memory()}
                print(json.dumps(line | found), flush=True)


if __name__ == "__main__":
    main()
