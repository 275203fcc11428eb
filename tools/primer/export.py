"""Write a trained model as Hugging Face GPT-2 files with F16 weights.

    python export.py WEIGHTS.pt TOKENIZER FOLDER
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from model import Config, Gpt2
from vocabulary import END_OF_TEXT


def config_json(config: Config, end_of_text: int) -> dict:
    """The content of config.json."""
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "activation_function": "gelu_new",
        "vocab_size": config.vocab_size,
        "n_positions": config.n_positions,
        "n_ctx": config.n_positions,
        "n_embd": config.n_embd,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "n_inner": None,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "reorder_and_upcast_attn": False,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "initializer_range": 0.02,
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
    }


def main() -> None:
    weights, tokenizer_file, folder = map(Path, sys.argv[1:4])
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    config = Config(tokenizer.get_vocab_size())
    model = Gpt2(config)
    model.load_state_dict(torch.load(weights))
    folder.mkdir(parents=True, exist_ok=True)

    fresh = folder / "model.safetensors.new"
    tensors = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, fresh, metadata={"format": "pt"})
    text = json.dumps(config_json(config, tokenizer.token_to_id(END_OF_TEXT)), indent=2)
    shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    (folder / "config.json").write_text(text + "\n")
    fresh.chmod(0o644)
    fresh.rename(folder / "model.safetensors")


if __name__ == "__main__":
    main()
