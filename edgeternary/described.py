"""Classes that say all about what can be chosen: what one leaves out is an error at its import."""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any


class Described:
    """Base of kernels, of HDL parts, and of what follows a sum.

    A subclass defines every method that is marked abstract, and every `ClassVar` that has no value. One that
    is a base again says so: `class Conversion(Kernel, abstract=True)`.
    """

    def __init_subclass__(cls, abstract: bool = False, **rest: object) -> None:
        """TypeError, which names the class and all that it lacks."""
        super().__init_subclass__(**rest)
        missing = {name for name in dir(cls) if getattr(getattr(cls, name), "__isabstractmethod__", False)}
        notes = [note for base in cls.__mro__ for note in inspect.get_annotations(base).items()]
        missing |= {name for name, note in notes if "ClassVar" in str(note) and not hasattr(cls, name)}
        if missing and not abstract:
            raise TypeError(f"{cls.__module__}.{cls.__qualname__} lacks {', '.join(sorted(missing))}")


def found(package: ModuleType, *bases: type[Described]) -> tuple[Any, ...]:
    """An instance of the class in each module below a package, in alphabetical order of the modules.

    bases  what it may be derived from
    """
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.") if not m.ispkg]
    modules = [importlib.import_module(name) for name in sorted(names, key=lambda name: name.split(".")[-1])]
    kinds = [
        k for m in modules for _, k in inspect.getmembers(m, inspect.isclass) if k.__module__ == m.__name__
    ]
    return tuple(kind() for kind in kinds if issubclass(kind, bases))
