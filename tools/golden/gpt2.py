"""GPT-2's forward pass, with every site open to reading and replacing, and the LRP rules on the way back."""

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

SITES = [
    "resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "q", "k", "v", "z", "pattern", "post",
]
LN, IDENTITY, AH = "ln", "identity", "ah"

# A site at a layer.
Place = tuple[str, int]
Edits = Mapping[Place, Callable[[Tensor], Tensor]]


@dataclass(frozen=True)
class Run:
    """What a forward pass found.

    An activation is [rows, T, width], or [rows, T, heads or neurons, width]: its last axis is what is summed over,
    and the axes between are the components. A head's row of the pattern has width T, a neuron has width 1.
    """

    logits: Tensor
    at: dict[Place, Tensor]


class Gpt2:
    """A GPT-2 in Hugging Face files, in float64."""

    def __init__(self, folder: Path):
        config = json.loads((folder / "config.json").read_text())
        self.layers, self.heads = config["n_layer"], config["n_head"]
        self.epsilon, self.vocabulary = config["layer_norm_epsilon"], config["vocab_size"]
        self.weights = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items()}

    def embed(self, tokens: Tensor) -> Tensor:
        """The token embeddings of one prompt, as one row."""
        return self.weights["wte.weight"][tokens][None]

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A Conv1D: its weight is stored [in, out]."""
        return x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def norm(self, x: Tensor, name: str, rules: Collection[str]) -> Tensor:
        """LayerNorm."""
        centred = x - x.mean(-1, keepdim=True)
        denominator = (centred.square().mean(-1, keepdim=True) + self.epsilon).sqrt()
        if LN in rules:
            denominator = denominator.detach()
        return centred / denominator * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def gelu(self, x: Tensor, rules: Collection[str]) -> Tensor:
        """gelu_new."""
        ratio = (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
        if IDENTITY in rules:
            ratio = ratio.detach()
        return x * ratio

    def run(
        self,
        embedding: Tensor,
        rules: Collection[str] = (),
        edits: Edits | None = None,
        dropped: int | None = None,
    ) -> Run:
        """Runs token embeddings [rows, T, width].

        `edits` replace activations; everything after is computed from the replacement. Nothing flows back through
        the sublayers of layer `dropped`. Neither that nor the rules change a value.
        """
        at: dict[Place, Tensor] = {}
        edits = edits or {}

        def visit(site: str, layer: int, x: Tensor) -> Tensor:
            at[site, layer] = edits[site, layer](x) if (site, layer) in edits else x
            return at[site, layer]

        rows, length, _ = embedding.shape
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        stream = visit("embed", 0, embedding) + self.weights["wpe.weight"][:length]
        for layer in range(self.layers):
            block = f"h.{layer}"
            stream = visit("resid_pre", layer, stream)

            joint = self.linear(self.norm(stream, f"{block}.ln_1", rules), f"{block}.attn.c_attn")
            parts = [part.reshape(rows, length, self.heads, -1) for part in joint.chunk(3, -1)]
            q, k, v = (visit(site, layer, part) for site, part in zip("qkv", parts))
            scores = torch.einsum("rthd,rshd->rths", q, k) / math.sqrt(q.shape[-1])
            # [T, 1, T]: the heads lie between the query and the key.
            pattern = scores.masked_fill(future[:, None], -math.inf).softmax(-1)
            pattern = visit("pattern", layer, pattern)
            if AH in rules:
                pattern = pattern.detach()
            z = visit("z", layer, torch.einsum("rths,rshd->rthd", pattern, v))
            attn_out = visit("attn_out", layer, self.linear(z.flatten(2), f"{block}.attn.c_proj"))
            stream = visit("resid_mid", layer, stream + (attn_out.detach() if layer == dropped else attn_out))

            pre = self.linear(self.norm(stream, f"{block}.ln_2", rules), f"{block}.mlp.c_fc")
            post = visit("post", layer, self.gelu(pre, rules)[..., None])
            mlp_out = visit("mlp_out", layer, self.linear(post[..., 0], f"{block}.mlp.c_proj"))
            stream = visit("resid_post", layer, stream + (mlp_out.detach() if layer == dropped else mlp_out))

        return Run(self.norm(stream, "ln_f", rules) @ self.weights["wte.weight"].T, at)
