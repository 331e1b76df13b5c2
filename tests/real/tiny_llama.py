"""Writes a tiny random Llama, without weights, for a server that makes them up: `python tiny_llama.py FOLDER`.

A token is a byte. Runs in the server's environment, which has `tokenizers`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

_SPECIAL = ["<unk>", "<s>", "</s>"]
END = 2  # the number of </s>
_SIZE = 320
_TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
_LENGTH = 2048


def main() -> None:
    """Its configuration, tokenizer and chat template."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    known = [*_SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    known += [f"<extra_{number}>" for number in range(len(known), _SIZE)]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(known)}, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(_SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    ends = {"bos_token_id": 1, "eos_token_id": END}
    written = {
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "unk_token": "<unk>",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "model_max_length": _LENGTH,
            "clean_up_tokenization_spaces": False,
            "chat_template": _TEMPLATE,
        },
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": _SIZE,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "max_position_embeddings": _LENGTH,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "hidden_act": "silu",
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            **ends,
        },
        "generation_config.json": ends,
    }
    for name, content in written.items():
        (folder / name).write_text(json.dumps(content), "utf-8")


if __name__ == "__main__":
    main()
