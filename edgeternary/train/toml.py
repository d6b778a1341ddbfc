"""Recipes as tables of plain values, which is what a TOML file and a card hold; read strictly."""

from __future__ import annotations

import dataclasses
import inspect
import json
import tomllib
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.nn.cost import CostPenalty
from edgeternary.nn.sparsity import SparsitySchedule
from edgeternary.train.augment import Augment
from edgeternary.train.lookup import path_of, unknown
from edgeternary.train.optimizers import OPTIMIZERS
from edgeternary.train.recipe import Recipe, Stage
from edgeternary.train.sources import Build, Ensemble, Source, Teacher, Twin

Table = dict[str, Any]

HINTS = typing.get_type_hints(Recipe)
TRAIN = (
    "epochs", "batch", "lr", "warmup", "seed", "precision", "smoothing", "optimizer", "weight_decay", "clip",
    "patience", "input_scale", "input_zero",
)  # fmt: skip
STAGE = tuple(key for key in TRAIN if key not in ("seed", "patience", "input_scale", "input_zero"))
CHOICES = {
    "precision": ("float32", "bfloat16"),
    "weights": ("quantized", "float"),
    "optimizer": tuple(OPTIMIZERS),
}
LOWEST = {
    "epochs": 1,
    "batch": 1,
    "lr": 0,
    "warmup": 0,
    "smoothing": 0,
    "clip": 0,
    "patience": 0,
    "weight_decay": 0,
}
TOP = (
    "name", "summary", "data", "shape", "model", "train", "optimizer", "augment", "distill", "sparsity",
    "cost", "anneal", "stages",
)  # fmt: skip
DISTILL = {"teacher": str | list[str], "weight": float, "temperature": float, "shape": tuple[int, ...]}


def read(path: Path) -> tuple[Recipe, Table]:
    """The recipe of a TOML file, or of a card (.json), and its [sweep] table.

    EdgeTernaryError names file, key and the nearest known key.
    """
    kind, parse = ("JSON", json.loads) if path.suffix == ".json" else ("TOML", tomllib.loads)
    try:
        table = parse(path.read_text())
    except OSError as error:
        raise EdgeTernaryError(f"cannot read {path}", str(error), "check the path", code=USAGE) from error
    except ValueError as error:  # also what TOMLDecodeError, JSONDecodeError and UnicodeDecodeError are
        raise EdgeTernaryError(f"{path} is not {kind}", str(error), "mend that line", code=USAGE) from error
    if kind == "JSON":
        table = table.get("recipe", table) if isinstance(table, dict) else {}
    sweep = table.pop("sweep", {})
    return from_table(table, str(path)), sweep


def from_table(table: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """The recipe that `table` describes; `where` names it in errors."""
    try:
        return _decode(table)
    except EdgeTernaryError as error:
        raise EdgeTernaryError(f"{where}: {error.what}", error.why, error.remedy, error.code) from error


def to_table(recipe: Recipe) -> Table:
    """What `from_table` reads; defaults are left out, but for the numbers of [train]."""
    table: Table = {"name": recipe.name, "summary": recipe.summary, "data": _source(recipe.data)}
    if recipe.shape:
        table["shape"] = list(recipe.shape)
    table["model"] = _model(recipe.model)
    table["train"] = {key: getattr(recipe, key) for key in TRAIN if getattr(recipe, key) is not None}
    augment = dataclasses.asdict(recipe.augment)
    table["augment"] = {key: value for key, value in augment.items() if value}
    if recipe.teacher:
        table["distill"] = {
            "teacher": _teacher(recipe.teacher),
            "weight": recipe.distill,
            "temperature": recipe.temperature,
        }
        if recipe.teacher_shape:
            table["distill"]["shape"] = list(recipe.teacher_shape)
    table["optimizer"] = dict(recipe.optimizer_options)
    table["sparsity"], table["cost"] = dict(recipe.sparsity), dict(recipe.cost)
    table["anneal"] = {key: list(ends) for key, ends in recipe.anneal.items()}
    table["stages"] = [{**stage.changes, "weights": stage.weights} for stage in recipe.stages]
    return {key: value for key, value in table.items() if value not in ({}, [], "")}


def _model(model: Callable[[], Any]) -> Table:
    if isinstance(model, Twin):
        return {"float_twin_of": _model(model.model)}
    return (
        {"build": model.build, **model.arguments} if isinstance(model, Build) else {"build": path_of(model)}
    )


def _source(data: Callable[[], Any]) -> str:
    return data.text if isinstance(data, Source) else path_of(data)


def _teacher(teacher: Callable[[], Any]) -> str | list[str]:
    if isinstance(teacher, Ensemble):
        return [member.text for member in teacher.members]
    return teacher.text if isinstance(teacher, Teacher) else path_of(teacher)


def _decode(table: Mapping[str, Any]) -> Recipe:
    _check(table, TOP, "key")
    for key in ("name", "data", "model"):
        if key not in table:
            raise EdgeTernaryError(f"the key {key!r} is missing", "a recipe needs it", "add it", code=USAGE)
    model = dict(_section(table, "model"))
    if "build" not in model:
        raise EdgeTernaryError(
            "[model] lacks the key 'build'", "it names the family", 'add build = "cnn"', USAGE
        )
    fields: Table = {
        "name": _value(table["name"], str, "name"),
        "summary": _value(table.get("summary", ""), str, "summary"),
        "shape": _value(table.get("shape", ()), tuple[int, ...], "shape"),
        "data": _loader(_value(table["data"], str, "data")),
        "model": Build(_value(model.pop("build"), str, "model.build"), model),
        "augment": _augment(_section(table, "augment")),
        "optimizer_options": _section(table, "optimizer"),
        "sparsity": _arguments(table, "sparsity", SparsitySchedule),
        "cost": _arguments(table, "cost", CostPenalty, ("example", "input_bits")),
        "anneal": _value(_section(table, "anneal"), dict[str, tuple[float, float]], "anneal"),
        "stages": tuple(_stage(stage) for stage in _value(table.get("stages", []), list[dict], "stages")),
        **_numbers(_section(table, "train"), TRAIN, "train"),
        **_distill(_section(table, "distill")),
    }
    if not fields["name"] or "/" in fields["name"] or fields["name"].startswith("."):
        raise EdgeTernaryError(
            f"name = {fields['name']!r}", "it becomes a file name", "use a plain word", USAGE
        )
    return Recipe(**fields)


def _loader(text: str) -> Source:
    source = Source(text)
    source.loader()  # an unknown name is refused before anything runs
    return source


def _arguments(
    table: Mapping[str, Any], section: str, target: Callable[..., Any], given: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """A section whose keys are the arguments of `target` but for the first, the model, and those `given`
    otherwise.
    """
    found = _section(table, section)
    known = [name for name in list(inspect.signature(target).parameters)[1:] if name not in given]
    _check(found, tuple(known), f"key of [{section}]:")
    for name in known:
        required = inspect.signature(target).parameters[name].default is inspect.Parameter.empty
        if found and required and name not in found:
            raise EdgeTernaryError(f"[{section}] lacks the key {name!r}", remedy="add it", code=USAGE)
    return found


def _augment(table: Mapping[str, Any]) -> Augment:
    hints = typing.get_type_hints(Augment)
    _check(table, tuple(hints), "key of [augment]:")
    return Augment(**{key: _value(value, hints[key], f"augment.{key}") for key, value in table.items()})


def _distill(table: Mapping[str, Any]) -> Table:
    _check(table, tuple(DISTILL), "key of [distill]:")
    if not table:
        return {}
    v = {key: _value(value, DISTILL[key], f"distill.{key}") for key, value in table.items()}
    if not v.get("teacher"):
        raise EdgeTernaryError(
            "[distill] lacks the key 'teacher'", remedy='add teacher = "zoo:NAME"', code=USAGE
        )
    names = {"weight": "distill", "temperature": "temperature", "shape": "teacher_shape"}
    rest = {names[key]: value for key, value in v.items() if key in names}
    named = v["teacher"]
    teacher = Teacher(named) if isinstance(named, str) else Ensemble(tuple(map(Teacher, named)))
    return {"teacher": teacher, "distill": 0.5, **rest}


def _stage(table: Mapping[str, Any]) -> Stage:
    _check(table, (*STAGE, "weights"), "key of [[stages]]:")
    rest = dict(table)
    weights = rest.pop("weights", "quantized")
    _choice("weights", weights)
    return Stage(_numbers(rest, STAGE, "stages"), weights)


def _numbers(table: Mapping[str, Any], known: tuple[str, ...], section: str) -> Table:
    _check(table, known, f"key of [{section}]:")
    found = {key: _value(value, HINTS[key], f"{section}.{key}") for key, value in table.items()}
    for key, value in found.items():
        if key in LOWEST and not value >= LOWEST[key]:
            raise EdgeTernaryError(
                f"{section}.{key} = {value!r}", f"it must be at least {LOWEST[key]}", "raise it", code=USAGE
            )
        if key in CHOICES:
            _choice(key, value)
    return found


def _choice(key: str, value: object) -> None:
    if value not in CHOICES[key]:
        raise unknown(key, value, CHOICES[key])


def _section(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise EdgeTernaryError(f"{key} is a value", "it is a section", f"write [{key}]", code=USAGE)
    return found


def _check(table: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for key in table:
        if key not in known:
            raise unknown(what, key, known)


def _value(value: Any, hint: Any, key: str) -> Any:
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise EdgeTernaryError(
            f"{key} = {value!r}"[:120], str(error), "mend its value", code=USAGE
        ) from error
