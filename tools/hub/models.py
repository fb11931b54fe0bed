"""What the hub has: tiny models, made on the spot, the same at every start. Pure."""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass

# What opens gated models; as worthless as the Secret that has it (manifests/services/local/secrets.yaml).
TOKEN = "stand-in-not-a-token"
# Large enough that a download may stop in the middle of it.
_WEIGHTS = 256 * 1024


@dataclass(frozen=True)
class Model:
    """A repository.

    Attributes:
        name: owner and name.
        gated: whether files are given only to a token.
        files: path to content.
    """

    name: str
    gated: bool
    files: Mapping[str, bytes]

    @property
    def commit(self) -> str:
        """The revision that `main` is: 40 hexadecimal digits that change with the content."""
        digest = hashlib.sha1(usedforsecurity=False)
        for path, content in sorted(self.files.items()):
            digest.update(path.encode() + content)
        return digest.hexdigest()


def etag(content: bytes) -> str:
    """The identity of a file's content."""
    return hashlib.sha256(content).hexdigest()


def catalogue() -> dict[str, Model]:
    """All repositories by name: those of the services in manifests/services, gated as on the real hub."""
    gated = {"google/gemma-2b-it": True, "Qwen/Qwen2.5-3B-Instruct": False}
    return {name: Model(name, closed, _files(name)) for name, closed in gated.items()}


def _files(name: str) -> dict[str, bytes]:
    config = {"architectures": ["StandInForCausalLM"], "model_type": "stand-in", "_name_or_path": name}
    vocabulary = {"<bos>": 0, "<eos>": 1, "a": 2}
    tokenizer = {"version": "1.0", "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "a"}}
    return {
        "config.json": _json(config),
        "generation_config.json": _json({"bos_token_id": 0, "eos_token_id": 1}),
        "special_tokens_map.json": _json({"bos_token": "<bos>", "eos_token": "<eos>"}),
        "tokenizer.json": _json(tokenizer),
        "tokenizer_config.json": _json({"tokenizer_class": "PreTrainedTokenizerFast"}),
        "model.safetensors": _safetensors(_WEIGHTS),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def _safetensors(size: int) -> bytes:
    """A valid file of one tensor: length of the header, header, data."""
    tensor = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
    header = json.dumps({"weight": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)
