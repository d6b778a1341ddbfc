"""The recipe of a language model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LmRecipe:
    """All values that influence the trained model.

    width, layers, hidden   the sizes of the model
    weights                 ternary_absmean; int8 or float for comparison
    characters              the number of characters that are read in all
    batch, steps            an update reads `steps` characters of each of `batch` streams
    rate, warm_up           the peak rate of AdamW, and the share of the training in which the rate rises;
                            a cosine follows
    decay                   weight decay in the first half of the training; it is 0 in the second half
    dtype                   the type of the products in train mode; bfloat16 holds codes of 8 bits exactly
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
