"""Attribution maps of the first example in float64, to check other implementations against.

    python golden.py FOLDER

Writes FOLDER/golden.json. The forward pass is written out here a second time, on the stored
F16 weights widened to float64, and the gradients are autograd's:

- AtP: the plain gradient.
- RelP: each LayerNorm's denominator is a constant (the final one too), and the derivative of
  GELU is the ratio gelu(x) / x = (1 + tanh(...)) / 2.

The direction is denoising: gradients of logit(answer) - logit(foil) at the last position of the
corrupted run; a score is the sum over the width of (clean - corrupted) * gradient.
"""

import json
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from vocabulary import END_OF_TEXT

SITES = ["resid_pre", "attn_out", "mlp_out"]
Activations = dict[str, list[Tensor]]


class Float64Gpt2:
    """GPT-2's forward pass on one prompt, with the LRP rules on or off."""

    def __init__(self, folder: Path):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items()}

    def norm(self, x: Tensor, name: str, rules: bool) -> Tensor:
        """LayerNorm; under the rules its denominator is a constant."""
        centred = x - x.mean(-1, keepdim=True)
        scale = (centred.square().mean(-1, keepdim=True) + self.config["layer_norm_epsilon"]).sqrt()
        normal = centred / (scale.detach() if rules else scale)
        return normal * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A Conv1D."""
        return x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def gelu(self, x: Tensor, rules: bool) -> Tensor:
        """gelu_new; under the rules x times a constant."""
        ratio = 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return x * (ratio.detach() if rules else ratio)

    def attention(self, x: Tensor, name: str) -> Tensor:
        """Causal self-attention with its output projection."""
        length, width = x.shape
        heads = self.config["n_head"]
        split = self.linear(x, f"{name}.c_attn").reshape(length, 3, heads, width // heads)
        q, k, v = split.permute(1, 2, 0, 3)
        scores = q @ k.transpose(1, 2) / math.sqrt(width // heads)
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        pattern = scores.masked_fill(hidden, -torch.inf).softmax(-1)
        return self.linear((pattern @ v).transpose(0, 1).reshape(length, width), f"{name}.c_proj")

    def run(self, ids: list[int], rules: bool) -> tuple[Tensor, Activations]:
        """The logits after the last token, and the activations at each site by layer."""
        seen: Activations = {site: [] for site in SITES}
        x = (self.weights["wte.weight"][ids] + self.weights["wpe.weight"][: len(ids)]).requires_grad_()
        for layer in range(self.config["n_layer"]):
            block = f"h.{layer}"
            seen["resid_pre"].append(x)
            seen["attn_out"].append(self.attention(self.norm(x, f"{block}.ln_1", rules), f"{block}.attn"))
            x = x + seen["attn_out"][-1]
            inner = self.gelu(self.linear(self.norm(x, f"{block}.ln_2", rules), f"{block}.mlp.c_fc"), rules)
            seen["mlp_out"].append(self.linear(inner, f"{block}.mlp.c_proj"))
            x = x + seen["mlp_out"][-1]
        return self.norm(x[-1], "ln_f", rules) @ self.weights["wte.weight"].T, seen


def maps(model: Float64Gpt2, clean: list[int], corrupted: list[int], answer: int, foil: int, rules: bool) -> dict:
    """The score of every layer and position, by site."""
    _, source = model.run(clean, rules)
    logits, base = model.run(corrupted, rules)
    flat = [tensor for site in SITES for tensor in base[site]]
    gradients = iter(torch.autograd.grad(logits[answer] - logits[foil], flat))
    return {
        site: [rounded(((there - here) * next(gradients)).sum(-1)) for there, here in zip(source[site], base[site])]
        for site in SITES
    }


def rounded(values: Tensor) -> list[float]:
    """Nine significant digits."""
    return [float(f"{value:.9g}") for value in values.tolist()]


def main() -> None:
    folder = Path(sys.argv[1])
    example = json.loads((folder / "examples.json").read_text())[0]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    start = tokenizer.token_to_id(END_OF_TEXT)
    clean, corrupted = ([start, *tokenizer.encode(example[side]).ids] for side in ("clean", "corrupted"))
    (answer,), (foil,) = (tokenizer.encode(example[side]).ids for side in ("answer", "foil"))
    model = Float64Gpt2(folder)
    golden = {
        "example": example["id"],
        "clean": clean,
        "corrupted": corrupted,
        "answer": answer,
        "foil": foil,
        "logits": {
            side: dict(zip(("answer", "foil"), rounded(model.run(ids, False)[0][[answer, foil]])))
            for side, ids in (("clean", clean), ("corrupted", corrupted))
        },
        "atp": maps(model, clean, corrupted, answer, foil, rules=False),
        "relp": maps(model, clean, corrupted, answer, foil, rules=True),
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
