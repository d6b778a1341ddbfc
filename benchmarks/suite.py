"""The suite: ten layers and three networks in several modes, two table networks, and the zoo as it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks import nets, published, table_nets
from edgeternary.bench import int8, layers, modes, rows
from edgeternary.bench.modes import Mode
from edgeternary.bench.rows import Row
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
FORM_B = Mode("ternary", "int8", "B")
MODES = (*modes.SUITE, FORM_B, *modes.INTEGERS)  # of layers


@dataclass(frozen=True)
class Case:
    """One thing to measure, and how."""

    name: str
    mode: Mode | str
    graph: Callable[[], Graph]

    def row(self, core: str, options: dict[str, object]) -> Row:
        if isinstance(self.mode, Mode) and self.name in int8.opponent().layers:
            return rows.layer_row(layers.parse(self.name), self.graph(), self.mode, core, options)
        return net_row(self.name, self.graph(), str(self.mode), core, options)


def net_row(name: str, graph: Graph, mode: str, core: str, options: dict[str, object]) -> Row:
    """The row of a whole network beside the published figure, where there is one."""
    known = published.networks().get(name)
    instructions = known.on(core) if known else None
    found = rows.measured(graph, core, options)
    baseline = None if instructions is None else instructions / found["macs"]
    what: Row = {"layer": name, "mode": mode, "core": core}
    return rows.beside({**what, **found}, baseline, name if instructions else "")


def cases(models: dict[str, Graph], only: Sequence[str] = ()) -> list[Case]:
    """The cases whose names contain one of `only` (all without): layers, networks, then `models`.

    Layers come in MODES, the three networks in modes.SUITE; table networks have no mode.
    """
    found: list[Case] = []
    for name in int8.opponent().layers:
        layer = layers.parse(name)
        found += [Case(name, mode, partial(layers.graph, layer, mode)) for mode in MODES]
    for name, net in nets.NETS.items():
        found += [Case(name, mode, partial(net, mode)) for mode in modes.SUITE]
    found += [Case(name, "tables", net) for name, net in table_nets.NETS.items()]
    found += [Case(name, "as trained", partial(_same, graph)) for name, graph in models.items()]
    chosen = [case for case in found if not only or any(part in case.name for part in only)]
    if not chosen:
        names = ", ".join(dict.fromkeys(case.name for case in found))
        raise EdgeTernaryError(
            f"no part of the suite is called {', '.join(only)}", "", f"there are {names}", USAGE
        )
    return chosen


def _same(graph: Graph) -> Graph:
    return graph


def measure(
    chosen: Sequence[Case],
    cores: Sequence[str],
    options: dict[str, object],
    progress: Callable[[str, int, int], None] = lambda text, done, total: None,
    known: Sequence[Row] = (),
) -> Iterator[Row]:
    """A row for each case and core, as soon as it is there; those that are in `known` are not measured."""
    total = len(chosen) * len(cores)
    there = {(row["layer"], row["mode"], row["core"]): row for row in known}
    for number, (case, core) in enumerate((case, core) for case in chosen for core in cores):
        progress(f"{case.name} {case.mode} {core}", number, total)
        yield there.get((case.name, str(case.mode), core)) or case.row(core, options)
