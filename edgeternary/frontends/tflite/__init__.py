"""TFLite: full-integer .tflite files as integer graphs, with the rounding of LiteRT's reference kernels."""

from pathlib import Path

from edgeternary.frontends.imported import Cut, Imported
from edgeternary.frontends.tflite.file import read_model
from edgeternary.frontends.tflite.lower import lower


def read(path: Path, *, name: str, cut: Cut = Cut()) -> Imported:  # noqa: B008 - frozen
    """The graph called `name` of a .tflite file, with what each of its operators became.

    cut  names of operators (of their first outputs) or of tensors at which the graph starts and ends
    EdgeTernaryError (code 1): the file is damaged, or operators cannot be kept exactly; it names all of them.
    """
    return lower(read_model(Path(path)), name, Path(path).name, cut)
