"""The tables of a recipe file, a struct for each. An absent key takes the default of Recipe."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.augment import Augment
from edgeternary.train.lookup import unknown
from edgeternary.train.optimizers import OPTIMIZERS

CHOICES = {
    "precision": ("float32", "bfloat16"),
    "weights": ("quantized", "float"),
    "optimizer": tuple(OPTIMIZERS),
}
FILE_NAME = re.compile(r'[^/\\:*?"<>|.][^/\\:*?"<>|]{0,99}')
Count = Annotated[int, Meta(ge=1)] | UnsetType
Positive = Annotated[float, Meta(ge=0)] | UnsetType


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a recipe file. A key of CHOICES takes one of the words that CHOICES lists for it."""

    def __post_init__(self) -> None:
        for key, words in CHOICES.items():
            value = getattr(self, key, UNSET)
            if isinstance(value, str) and value not in words:
                raise unknown(key, value, words)

    def given(self) -> dict[str, Any]:
        """The keys that the file gives, and their values."""
        values = {key: getattr(self, key) for key in self.__struct_fields__}
        return {key: value for key, value in values.items() if value is not UNSET}


class Numbers(Table, frozen=True):
    """The keys of [train] that a stage may change."""

    epochs: Count = UNSET
    batch: Count = UNSET
    lr: Positive = UNSET
    warmup: Positive = UNSET
    precision: str | UnsetType = UNSET
    smoothing: Positive = UNSET
    optimizer: str | UnsetType = UNSET
    weight_decay: Positive = UNSET
    clip: Positive = UNSET


class StageTable(Numbers, frozen=True):
    """[[stages]]: the numbers of one stage, and whether its weights are quantised."""

    weights: str = "quantized"


class TrainTable(Numbers, frozen=True):
    """[train]: the numbers of the training."""

    seed: int | UnsetType = UNSET
    patience: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    input_scale: float | UnsetType | None = UNSET
    input_zero: int | UnsetType | None = UNSET


class DistillTable(Table, frozen=True):
    """[distill]: the teachers, the weight of their answers in the loss, and their temperature.

    original: whether they see the samples before the augmentation.
    """

    teacher: str | list[str]
    weight: float = 0.5
    temperature: float | UnsetType = UNSET
    shape: tuple[int, ...] | UnsetType = UNSET
    original: bool | UnsetType = UNSET


class SparsityTable(Table, frozen=True):
    """[sparsity]: the arguments of nn.SparsitySchedule."""

    target: float
    start: float | UnsetType = UNSET
    end: float | UnsetType = UNSET
    layers: list[str] | UnsetType = UNSET
    scope: str | UnsetType = UNSET


class CostTable(Table, frozen=True):
    """[cost]: the arguments of nn.CostPenalty."""

    price: str | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    layers: list[str] | UnsetType = UNSET


class RecipeTable(Table, frozen=True, kw_only=True):
    """A complete recipe file.

    model holds "build" and the arguments of the function that it names; data, where it is a table, "name" and
    those of the function that loads the data set.
    """

    name: str
    summary: str = ""
    data: str | dict[str, Any]
    shape: tuple[int, ...] = ()
    start: str = ""
    model: dict[str, Any]
    train: TrainTable = TrainTable()
    optimizer: dict[str, Any] = {}
    augment: Augment = Augment()
    distill: DistillTable | UnsetType = UNSET
    sparsity: SparsityTable | UnsetType = UNSET
    cost: CostTable | UnsetType = UNSET
    anneal: dict[str, tuple[float, float]] = {}
    stages: tuple[StageTable, ...] = ()

    def __post_init__(self) -> None:
        if not FILE_NAME.fullmatch(self.name) or not self.name.isprintable():
            raise EdgeTernaryError(
                f"name = {self.name[:60]!r}", "it becomes a file name", "use a plain word", USAGE
            )
