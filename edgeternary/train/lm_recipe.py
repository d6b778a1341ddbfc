"""What decides how a language model is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LmRecipe:
    """Everything that decides what is trained.

    width, layers, hidden   of the model;  weights  ternary_absmean, or, to compare, int8 or float
    characters              read in all, `batch` streams side by side, `steps` of each at a time
    rate, warm_up           AdamW's peak rate, and the share of the training in which it rises; then a cosine
    decay                   weight decay in the first half, 0 after it
    dtype                   of the products in train mode: bfloat16 holds codes of 8 bits exactly
    """

    width: int = 128
    layers: int = 2
    hidden: int = 208
    weights: str = "ternary_absmean"
    characters: int = 8_000_000
    batch: int = 16
    steps: int = 128
    rate: float = 7e-3
    warm_up: float = 0.03
    decay: float = 0.05
    seed: int = 0
    dtype: str = "bfloat16"

    def updates(self) -> int:
        """The number of gradient steps."""
        return self.characters // (self.batch * self.steps)
