"""Random weights of each model's exact shapes, for the peers in the browser: as safetensors and as ONNX.

In each model's folder: `model.safetensors` with the names of checkpoints, `last.onnx` with the logits of the last
position alone, and `all/` with those of all positions, laid out as transformers.js wants a model.

    export.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from eager import MODELS, Config, Gpt2
from safetensors.torch import save_file
from torch import Tensor, nn


class Exported(nn.Module):
    def __init__(self, model: Gpt2, last: bool):
        super().__init__()
        self.heads, self.last = model.config.heads, last

        def fixed(x: Tensor) -> nn.Parameter:
            return nn.Parameter(x.contiguous(), requires_grad=False)

        self.tokens, self.positions = fixed(model.tokens), fixed(model.positions)
        self.blocks = nn.ModuleList(
            nn.ParameterDict({f"{name}_{i}": fixed(x) for name, both in block.items() for i, x in enumerate(both)})
            for block in model.blocks
        )
        self.norm = nn.ParameterList([fixed(x) for x in model.ln_f])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        rows, length = input_ids.shape
        # Nothing is padded here; the mask is read so that it stays an input.
        x = F.embedding(input_ids, self.tokens) + self.positions[:length] + 0.0 * attention_mask[..., None]
        d = x.shape[-1]
        for block in self.blocks:
            normed = F.layer_norm(x, (d,), block["ln_1_0"], block["ln_1_1"], 1e-5)
            joint = normed @ block["qkv_0"] + block["qkv_1"]
            q, k, v = (part.view(rows, length, self.heads, -1).transpose(1, 2) for part in joint.chunk(3, -1))
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(rows, length, d)
            x = x + (z @ block["proj_0"] + block["proj_1"])
            normed = F.layer_norm(x, (d,), block["ln_2_0"], block["ln_2_1"], 1e-5)
            post = F.gelu(normed @ block["fc_0"] + block["fc_1"], approximate="tanh")
            x = x + (post @ block["out_0"] + block["out_1"])
        if self.last:
            x = x[:, -1]
        return F.layer_norm(x, (d,), *self.norm, 1e-5) @ self.tokens.T


def tensors(model: Gpt2) -> dict[str, Tensor]:
    """By the names of checkpoints."""
    named = {"wte.weight": model.tokens, "wpe.weight": model.positions}
    names = {"ln_1": "ln_1", "qkv": "attn.c_attn", "proj": "attn.c_proj", "ln_2": "ln_2", "fc": "mlp.c_fc", "out": "mlp.c_proj"}
    parts = {f"h.{i}.{names[name]}": both for i, block in enumerate(model.blocks) for name, both in block.items()}
    for name, (weight, bias) in {**parts, "ln_f": model.ln_f}.items():
        named |= {f"{name}.weight": weight, f"{name}.bias": bias}
    return {name: tensor.contiguous() for name, tensor in named.items()}


def description(config: Config) -> dict[str, object]:
    return {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new",
        "n_layer": config.layers, "n_head": config.heads, "n_embd": config.width, "n_positions": config.context,
        "vocab_size": config.vocabulary, "layer_norm_epsilon": 1e-5,
    }


def export(model: Gpt2, last: bool, path: Path) -> None:
    ids = torch.arange(2 * 16).view(2, 16)
    batch, tokens = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("tokens", min=2, max=model.config.context)
    shape = {0: batch, 1: tokens}
    torch.onnx.export(
        Exported(model, last).eval(), (ids, torch.ones_like(ids)), path, dynamo=True, external_data=False,
        opset_version=20, input_names=["input_ids", "attention_mask"], output_names=["logits"],
        dynamic_shapes={"input_ids": shape, "attention_mask": shape}, verbose=False,
    )


def main() -> None:
    root = Path(sys.argv[1])
    for config in MODELS:
        folder = root / config.name
        (folder / "all/onnx").mkdir(parents=True, exist_ok=True)
        model = Gpt2(config)
        save_file(tensors(model), folder / "model.safetensors")
        export(model, True, folder / "last.onnx")
        export(model, False, folder / "all/onnx/model.onnx")
        (folder / "all/config.json").write_text(json.dumps(description(config)))
        (folder / "all/generation_config.json").write_text("{}")


main()
