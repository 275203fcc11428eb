"""GPT-2, in the Hugging Face parameter names and layouts, small enough to read."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Config:
    """The sizes of a GPT-2."""

    vocab_size: int
    n_positions: int = 64
    n_embd: int = 128
    n_layer: int = 6
    n_head: int = 8
    layer_norm_epsilon: float = 1e-5

    @staticmethod
    def read(folder: Path) -> "Config":
        """The sizes in a Hugging Face config.json."""
        found = json.loads((folder / "config.json").read_text())
        return Config(**{name: found[name] for name in Config.__dataclass_fields__})


class Conv1D(nn.Module):
    """A linear layer whose weight is stored [in, out], as GPT-2 does."""

    def __init__(self, width_in: int, width_out: int, gain: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width_in, width_out) * gain / math.sqrt(width_in))
        self.bias = nn.Parameter(torch.zeros(width_out))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight).reshape(*x.shape[:-1], -1)


class Attention(nn.Module):
    """Causal self-attention over several heads."""

    def __init__(self, config: Config):
        super().__init__()
        self.heads = config.n_head
        self.c_attn = Conv1D(config.n_embd, 3 * config.n_embd)
        self.c_proj = Conv1D(config.n_embd, config.n_embd, 1 / math.sqrt(2 * config.n_layer))

    def forward(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        q, k, v = (
            part.reshape(rows, length, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, dim=2)
        )
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(z.transpose(1, 2).reshape(rows, length, width))


class Mlp(nn.Module):
    """Two linear layers around gelu_new."""

    def __init__(self, config: Config):
        super().__init__()
        self.c_fc = Conv1D(config.n_embd, 4 * config.n_embd)
        self.c_proj = Conv1D(4 * config.n_embd, config.n_embd, 1 / math.sqrt(2 * config.n_layer))

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """Pre-LayerNorm attention and MLP, each added to the residual stream."""

    def __init__(self, config: Config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt2(nn.Module):
    """GPT-2 with a tied unembedding."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        nn.init.normal_(self.wte.weight, std=0.05)
        nn.init.normal_(self.wpe.weight, std=0.05)

    def hidden(self, ids: Tensor) -> Tensor:
        """The final, normalised residual stream, [rows, length, width]."""
        x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
        for block in self.h:
            x = block(x)
        return self.ln_f(x)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits, [rows, length, vocabulary]."""
        return self.hidden(ids) @ self.wte.weight.T


def load(folder: Path) -> Gpt2:
    """The stored model, its F16 weights widened to f32."""
    model = Gpt2(Config.read(folder))
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()})
    return model.eval()
