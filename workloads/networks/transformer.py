"""The Transformer (Vaswani et al., NeurIPS 2017) with three encoder and three decoder layers, for Multi30k."""

from functools import cache
from typing import TYPE_CHECKING

from workloads.networks.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

_WIDTH = 256
_HEADS = 8
_INNER = 512
_LAYERS = 3
_DROPOUT = 0.1
_POSITIONS = 100
# Words that occur twice in the training part of Multi30k, and four signs.
_ENGLISH = 5893
_GERMAN = 7853
# Tokens of a sentence, padding and signs included.
_LENGTH = 32


@cache
def _module() -> "type[nn.Module]":
    """Define the module; torch is needed only when it is made."""
    import torch
    from torch import nn

    class Embedded(nn.Module):
        def __init__(self, words: int) -> None:
            super().__init__()
            self.words, self.positions = nn.Embedding(words, _WIDTH), nn.Embedding(_POSITIONS, _WIDTH)
            self.dropout = nn.Dropout(_DROPOUT)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            places = torch.arange(tokens.shape[1], device=tokens.device)
            x: torch.Tensor = self.dropout(self.words(tokens) * _WIDTH**0.5 + self.positions(places))
            return x

    class Translator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source, self.target = Embedded(_ENGLISH), Embedded(_GERMAN)
            self.transformer = nn.Transformer(
                _WIDTH, _HEADS, _LAYERS, _LAYERS, _INNER, dropout=_DROPOUT, batch_first=True
            )
            self.out = nn.Linear(_WIDTH, _GERMAN)

        def forward(self, english: torch.Tensor, german: torch.Tensor) -> torch.Tensor:
            mask = nn.Transformer.generate_square_subsequent_mask(german.shape[1], device=german.device)
            x = self.transformer(self.source(english), self.target(german), tgt_mask=mask)
            logits: torch.Tensor = self.out(x)
            return logits

    return Translator


def build() -> "nn.Module":
    """Return PyTorch's nn.Transformer between learned embeddings and a linear layer over the German words."""
    return _module()()


RECIPES = (
    Recipe(
        name="transformer-multi30k",
        network="Transformer",
        dataset="Multi30k",
        training_samples=29_000,
        input_shapes=((_LENGTH,), (_LENGTH,)),
        input_dtypes=("int64", "int64"),
        batch_size=128,
        build=build,
        notes=(
            "Three encoder and three decoder layers (the paper); width 256, 8 heads, 512 in feed-forward layers, "
            "batch 128 and vocabularies of words that occur twice (English 5,893, German 7,853) as in B. Trevett's "
            "tutorial on this data set.",
            "Every sentence has 32 tokens, padding included: our choice, about the longest of a shuffled batch.",
            "Embeddings, layer norms and biases are not predicted.",
        ),
    ),
)
