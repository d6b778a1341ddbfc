"""Recipes as tables of plain values, as TOML files and cards hold them. Unknown keys are refused."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from torch import nn

from edgeternary.data import zoo_dir
from edgeternary.errors import USAGE, EdgeTernaryError, nearest
from edgeternary.nn.checkpoint import load_codes
from edgeternary.train import tables
from edgeternary.train.augment import Augment
from edgeternary.train.lookup import function, path_of, unknown
from edgeternary.train.recipe import Recipe, Stage
from edgeternary.train.sources import Build, FloatReference, Source, Teachers

Table = dict[str, Any]

ZOO = "zoo:"
TRAIN = tables.TrainTable.__struct_fields__
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "": tables.RecipeTable,
    "train": tables.TrainTable,
    "augment": Augment,
    "distill": tables.DistillTable,
    "sparsity": tables.SparsityTable,
    "cost": tables.CostTable,
    "stages": tables.StageTable,
}
EXAMPLES = {
    "distill.teacher": 'teacher = "zoo:NAME"',
    "model.build": 'build = "cnn"',
    "data.name": 'name = "sounds"',
}


@dataclass(frozen=True)
class Teacher:
    """A trained network, to teach or to start from: "zoo:NAME", "module:function", or a run's .safetensors.

    The card of the run lies in the same folder and holds the recipe.
    """

    text: str

    def __call__(self) -> nn.Module:
        if self.text.startswith(ZOO):
            weights = zoo_dir() / "nets" / f"{self.text.removeprefix(ZOO)}.safetensors"
            return load_codes(read(zoo_recipe(self.text))[0].model(), weights)
        if not self.text.endswith(".safetensors"):
            made: nn.Module = function(self.text, "teacher")()
            return made
        card = Path(self.text).with_suffix(".json")
        try:
            table = json.loads(card.read_text())["recipe"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EdgeTernaryError(
                f"the network {self.text!r} has no card",
                f"its recipe should be in {card}: {error}",
                "train it with: edgeternary train, which writes both files; or use zoo:NAME",
            ) from error
        return load_codes(from_table(table, str(card)).model(), self.text)


@dataclass(frozen=True)
class Ensemble:
    """Several teachers."""

    members: tuple[Teacher, ...]

    def __call__(self) -> Teachers:
        return Teachers([member() for member in self.members])


def zoo_recipes() -> list[str]:
    """The names that zoo: accepts, sorted."""
    return sorted(path.stem for path in (zoo_dir() / "recipes").glob("*.toml"))


def zoo_recipe(text: str) -> Path:
    """The file of the recipe "zoo:NAME"; EdgeTernaryError for an unknown name."""
    name = text.removeprefix(ZOO)
    if name not in zoo_recipes():
        raise EdgeTernaryError(
            f"there is no recipe {text!r}",
            f"the zoo has recipes for {', '.join(zoo_recipes())}",
            nearest(name, zoo_recipes()),
            code=USAGE,
        )
    return zoo_dir() / "recipes" / f"{name}.toml"


def read(path: Path) -> tuple[Recipe, Table]:
    """The recipe of a TOML file, or of a card (.json), and its [sweep] table.

    An EdgeTernaryError names the file, the key and the nearest known key.
    """
    kind, parse = ("JSON", json.loads) if path.suffix == ".json" else ("TOML", tomllib.loads)
    try:
        table = parse(path.read_text())
    except OSError as error:
        why = error.strerror or str(error)
        raise EdgeTernaryError(f"cannot read {path}", why, "check the path") from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # also what TOMLDecodeError, JSONDecodeError and UnicodeDecodeError are
        raise EdgeTernaryError(f"{path} is not {kind}", str(error), "correct it", code=USAGE) from error
    if kind == "JSON":
        table = table.get("recipe", table) if isinstance(table, dict) else {}
    sweep = table.pop("sweep", {})
    return from_table(table, str(path)), sweep


def from_table(table: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """The recipe that `table` describes. `where` names the table in errors."""
    try:
        return _recipe(msgspec.convert(table, tables.RecipeTable))
    except msgspec.ValidationError as refused:
        error = _explained(str(refused), table)
        raise EdgeTernaryError(f"{where}: {error.what}", error.why, error.remedy, error.code) from refused
    except EdgeTernaryError as error:
        raise EdgeTernaryError(f"{where}: {error.what}", error.why, error.remedy, error.code) from error


def to_table(recipe: Recipe) -> Table:
    """The table from which `from_table` makes this recipe. Only [train] holds its default values."""
    data = recipe.data.table() if isinstance(recipe.data, Source) else path_of(recipe.data)
    table: Table = {"name": recipe.name, "summary": recipe.summary, "data": data}
    if recipe.shape:
        table["shape"] = list(recipe.shape)
    table["start"] = _teacher(recipe.start) if recipe.start else ""
    table["model"] = _model(recipe.model)
    table["train"] = {key: getattr(recipe, key) for key in TRAIN if getattr(recipe, key) is not None}
    augment = msgspec.structs.asdict(recipe.augment)
    table["augment"] = {key: value for key, value in augment.items() if value}
    if recipe.teacher:
        table["distill"] = {
            "teacher": _teacher(recipe.teacher),
            "weight": recipe.distill,
            "temperature": recipe.temperature,
        }
        if recipe.teacher_shape:
            table["distill"]["shape"] = list(recipe.teacher_shape)
        if recipe.teach_original:
            table["distill"]["original"] = True
    table["optimizer"] = dict(recipe.optimizer_options)
    table["sparsity"], table["cost"] = dict(recipe.sparsity), dict(recipe.cost)
    table["anneal"] = {key: list(ends) for key, ends in recipe.anneal.items()}
    table["stages"] = [{**stage.changes, "weights": stage.weights} for stage in recipe.stages]
    return {key: value for key, value in table.items() if value not in ({}, [], "")}


def _model(model: Callable[[], Any]) -> Table:
    if isinstance(model, FloatReference):
        return {"float_reference_of": _model(model.model)}
    return (
        {"build": model.build, **model.arguments} if isinstance(model, Build) else {"build": path_of(model)}
    )


def _teacher(teacher: Callable[[], Any]) -> str | list[str]:
    if isinstance(teacher, Ensemble):
        return [member.text for member in teacher.members]
    return teacher.text if isinstance(teacher, Teacher) else path_of(teacher)


def _recipe(table: tables.RecipeTable) -> Recipe:
    arguments = dict(table.model)
    build = arguments.pop("build", None)
    if not isinstance(build, str):
        raise (
            _missing("build", "model")
            if build is None
            else _refused("model.build", build, "it must be a text")
        )
    return Recipe(
        name=table.name,
        summary=table.summary,
        shape=table.shape,
        start=Teacher(table.start) if table.start else None,
        data=source(table.data),
        model=Build(build, arguments),
        augment=table.augment,
        optimizer_options=table.optimizer,
        sparsity=table.sparsity.given() if table.sparsity else {},
        cost=table.cost.given() if table.cost else {},
        anneal=table.anneal,
        stages=tuple(_stage(stage) for stage in table.stages),
        **table.train.given(),
        **(_distill(table.distill) if table.distill else {}),
    )


def source(data: str | Table) -> Source:
    """The data set of a recipe's value `data`, a name or a table.

    EdgeTernaryError (code 2) for an unknown name, or an argument that the loader does not have.
    """
    if isinstance(data, str):
        return Source(data)
    arguments = dict(data)
    name = arguments.pop("name", None)
    if not isinstance(name, str):
        raise _missing("name", "data") if name is None else _refused("data.name", name, "it must be a text")
    return Source(name, arguments)


def _stage(table: tables.StageTable) -> Stage:
    changes = table.given()
    return Stage(changes, changes.pop("weights"))


def _distill(table: tables.DistillTable) -> Table:
    if not table.teacher:
        raise _missing("teacher", "distill")
    names = {
        "weight": "distill", "temperature": "temperature", "shape": "teacher_shape",
        "original": "teach_original",
    }  # fmt: skip
    rest = {names[key]: value for key, value in table.given().items() if key in names}
    named = table.teacher
    teacher = Teacher(named) if isinstance(named, str) else Ensemble(tuple(map(Teacher, named)))
    return {"teacher": teacher, **rest}


def _explained(said: str, table: Mapping[str, Any]) -> EdgeTernaryError:
    """The error for what msgspec says of a table: it names the key, its value and the nearest known key."""
    what, _, place = said.partition(" - at `$")
    place = place.strip(".`")
    section = place.partition("[")[0]
    header = f"[[{section}]]" if section == "stages" else f"[{section}]"
    if match := re.match("Object contains unknown field `(.*)`", what):
        known = SECTIONS[section].__struct_fields__
        return unknown(f"key of {header}:" if section else "key", match[1], known)
    if match := re.match("Object missing required field `(.*)`", what):
        return _missing(match[1], section)
    value: Any = table
    for key in re.findall(r"[\w-]+", place):
        value = value[int(key)] if isinstance(value, list) else value[key]
    if what.startswith("Expected `object`"):
        return EdgeTernaryError(f"{place} is a value", "it must be a section", f"write {header}", code=USAGE)
    why = re.sub(r"Expected `\w+` >= ([\d.]+?)(\.0)?$", r"it must be at least \1", what)
    return _refused(place, value, why)


def _missing(key: str, section: str) -> EdgeTernaryError:
    what = f"[{section}] has no key {key!r}" if section else f"the key {key!r} is missing"
    remedy = f"add {EXAMPLES[path]}" if (path := f"{section}.{key}") in EXAMPLES else "add it"
    return EdgeTernaryError(what, f"{'the section' if section else 'a recipe'} needs it", remedy, code=USAGE)


def _refused(key: str, value: object, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(f"{key} = {value!r}"[:120], why, "correct its value", code=USAGE)
