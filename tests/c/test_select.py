"""Selection is optimal within budgets, and says which layer it cannot serve."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks import nets
from edgeternary.bench.modes import SUITE, Mode
from edgeternary.c import memory
from edgeternary.c.choices import Choices, Fetch
from edgeternary.c.kernel import Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.plan import Plan, Step
from edgeternary.c.render import render_plan
from edgeternary.c.search import labels as label_sets
from edgeternary.c.search.labels import Move, State, Table, Work
from edgeternary.c.search.search import Search
from edgeternary.c.select import CLOSE, SLACKS, Budget, NoPlan, choose, select
from edgeternary.cores import CORES, core
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import Add, build
from tests.c.graphs import Net, branches, cnn, mlp
from tests.full import FULL

PLAIN = (
    "conv2d",
    "dense",
    "elementwise",
    "max_pool",
    "reshape",
    "threshold",
)  # together they run any graph here
MOST_PATHS = 150  # of one random graph
NO_LIMIT = Budget()


@dataclass
class Few:
    """Lets through a few of the offers at each op, drawn by a seed, and always those of the plain kernels."""

    seed: int
    share: float

    def __call__(self, match: Match, kernel: Kernel, offer: Offer) -> bool:
        key = (self.seed, match.ops[-1].name, kernel.name, tuple(x.name for x in offer.ins), offer.out.name)
        drawn = np.random.default_rng(list(repr(key).encode())).random()
        return kernel.name in PLAIN or drawn < self.share


class Everything(Search):
    """The search without its cleverness: nothing is forgotten or dropped."""

    def moves(self, index: int, state: State) -> Iterator[Move]:
        needed = self._needed[index + 1]
        for steps, reached in self.ways(index, state):
            kept = frozenset(pair for pair in reached if pair[0].value.name in needed)
            yield Move(Work(steps), kept, 0)

    def paths(self) -> Iterator[tuple[Step, ...]]:
        def onward(index: int, state: State) -> Iterator[tuple[Step, ...]]:
            if index == len(self.graph.ops):
                yield from (move.work.steps for move in self.last_moves(state))
                return
            for move in self.moves(index, state):
                yield from (move.work.steps + rest for rest in onward(index + 1, move.target))

        yield from onward(0, self.start)


def random_graph(seed: int) -> Graph:
    """Up to six ops: convolutions, dense layers, activations, pools, sums of two branches."""
    rng = np.random.default_rng(seed)
    act = rng.choice(["bipolar", "ternary", "uint2", "uniform", "binary"])
    weights = rng.choice(["ternary", "bipolar"])
    size, channels = int(rng.choice([4, 6])), int(rng.choice([3, 8, 16, 33]))
    if rng.random() < 0.3:
        return mlp(
            weights, act, (int(rng.integers(5, 90)), *rng.integers(3, 40, int(rng.integers(1, 4))).tolist())
        )
    net = Net("random", build.value("x", (size, size, int(rng.integers(1, 4))), "uint8"), rng)
    net.conv(channels, weights, "conv").threshold(act, "act")
    if rng.random() < 0.4 and act != "bipolar":
        net.conv(channels, weights, "left").threshold(act, "left_act")
        return net.add(Add(name="sum", inputs=("act", "left_act"))).threshold(act, "sum_act").graph()
    if rng.random() < 0.5:
        net.pool("pool")
    if rng.random() < 0.5:
        return net.conv(4, weights, "conv2").threshold(act, "act2").graph()
    return net.flatten().dense(5, weights, "fc").graph()


def all_plans(graph: Graph, seed: int, target: str) -> tuple[list[Plan], Few]:
    """Every plan for `graph` from so few offers that they can be counted."""
    for share in (0.5, 0.25, 0.1, 0.0):
        few = Few(seed, share)
        paths = list(
            itertools.islice(Everything(Choices(graph, core(target), allow=few)).paths(), MOST_PATHS)
        )
        if len(paths) < MOST_PATHS:
            break
    return [Plan(graph, core(target), steps, *memory.plan_memory(graph, steps)) for steps in paths], few


def best_of(plans: list[Plan], optimize: str, budget: Budget) -> Plan | None:
    """What `select` promises, said plainly."""
    kept = [plan for plan in plans if budget.holds(plan)]
    size = {"flash": lambda p: p.flash_bytes, "ram": lambda p: p.ram_bytes, "cycles": lambda p: 0}[optimize]
    least = min((size(plan) for plan in kept), default=0)
    close = [plan for plan in kept if size(plan) <= least * (1 + SLACKS.get(optimize, 0))]
    first = min(close, key=figures, default=None)
    if first is None or optimize == "cycles":
        return first
    return min((p for p in close if p.cycles <= CLOSE * first.cycles), key=lambda p: (size(p), *figures(p)))


def figures(plan: Plan) -> tuple[float, int, int]:
    return round(plan.cycles, 3), plan.flash_bytes, plan.ram_bytes


@pytest.mark.parametrize("seed", range(60 if FULL else 30))
def test_selection_equals_brute_force(seed: int) -> None:
    graph, rng = random_graph(seed), np.random.default_rng(seed)
    target = str(rng.choice(["cortex-m0plus", "cortex-m4"]))
    plans, few = all_plans(graph, seed, target)
    assert len(graph.ops) <= 6
    some = [plans[i] for i in rng.integers(0, len(plans), 3)]
    budgets = [
        NO_LIMIT,
        Budget(flash=some[0].flash_bytes),
        Budget(ram=some[1].ram_bytes),
        Budget(cycles=some[2].cycles * 1.01),
        Budget(some[0].cycles * 1.01, some[1].flash_bytes, some[2].ram_bytes),
        Budget(flash=some[0].flash_bytes, ram=some[0].ram_bytes),
    ]
    labels = Search(Choices(graph, core(target), allow=few)).labels()
    for optimize, budget in itertools.product(("cycles", "flash", "ram"), budgets):
        expected = best_of(plans, optimize, budget)
        if expected is None:
            with pytest.raises(NoPlan):
                choose(graph, core(target), labels, optimize, budget)
        else:
            assert figures(choose(graph, core(target), labels, optimize, budget)) == figures(expected)
    if seed % 10 == 0:
        assert figures(select(graph, target, allow=few)) == figures(best_of(plans, "cycles", NO_LIMIT))  # type: ignore[arg-type]


def test_the_search_would_not_pass_without_live_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels compared by cycles and flash alone miss a plan that another one needs less RAM for."""

    def blind(table: Table) -> label_sets.Indices:
        order = np.lexsort((table[:, 1], table[:, 0]))
        return order[label_sets.hull(table[order, 0].tolist(), table[order, 1].tolist())]

    monkeypatch.setattr(label_sets, "pareto", blind)

    def misses(seed: int) -> bool:
        plans, few = all_plans(random_graph(seed), seed, "cortex-m4")
        found = select(plans[0].graph, "cortex-m4", "ram", allow=few)
        return found.ram_bytes > min(plan.ram_bytes for plan in plans) * (1 + SLACKS["ram"])

    assert any(misses(seed) for seed in range(40))


@pytest.mark.parametrize("code", [0, 5])
def test_pareto_keeps_what_nothing_beats(code: int) -> None:
    rng = np.random.default_rng(code)
    table = np.column_stack([rng.integers(0, 12, (400, 3)), rng.integers(0, code + 1, 400)]).astype(float)
    kept = label_sets.pareto(table)
    for index, row in enumerate(table):
        better = (table <= row).all(axis=1)
        strictly = better & (table < row).any(axis=1)
        assert (table[kept] <= row).all(axis=1).any()
        assert index not in kept or not strictly.any()
    assert len(np.unique(table[kept], axis=0)) == len(kept)
    assert (np.diff(table[kept, 0]) >= 0).all()


def test_thinned_labels_keep_the_ends_and_the_hull() -> None:
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.integers(0, 1000, (4000, 3)), np.zeros(4000)]).astype(float)
    table = table[label_sets.pareto(table)]
    chosen = label_sets.thin(table, 12)
    few = table[chosen]
    assert len(few) < len(table) and chosen[0] == 0
    assert few[:, 1].min() == table[:, 1].min()
    assert few[:, 2].min() == table[:, 2].min()
    for price in (0.0, 0.1, 1.0, 10.0, 1000.0):
        cost = [(group[:, 0] + price * group[:, 1]).min() for group in (few, table)]
        assert cost[0] == cost[1]


def test_the_hull_is_the_lower_one() -> None:
    """All points of a convex curve are on it, and of a concave one the ends."""
    cycles = [0, 100, 200, 300, 400]
    assert label_sets.hull(cycles, (1000, 400, 150, 50, 0)) == [0, 1, 2, 3, 4]
    assert label_sets.hull(cycles, (1000, 950, 850, 600, 0)) == [0, 4]


def test_smaller_flash_and_smaller_ram() -> None:
    graph = cnn("ternary", "uint2", 8, (16, 16))
    fast, small, lean = (select(graph, optimize=what) for what in ("cycles", "flash", "ram"))
    assert fast.cycles <= min(small.cycles, lean.cycles)
    assert small.flash_bytes < fast.flash_bytes
    assert lean.ram_bytes <= min(fast.ram_bytes, small.ram_bytes) * (1 + SLACKS["ram"])


def test_slow_flash_moves_code_to_ram() -> None:
    """A kernel that streams its code waits for flash; from RAM it does not, but takes RAM."""
    graph = mlp("ternary", "bipolar", (40, 20, 5))
    offer = Offer((NATURAL,), NATURAL, Cost(1000, 1000, fetched=1000))
    kernel = select(graph).calls[0].kernel
    quick, slow = (Choices(graph, core("cortex-m0plus"), fetch) for fetch in (Fetch(), Fetch(0.01)))
    assert len(list(quick._places(kernel, offer))) == 1
    from_flash, from_ram = slow._places(kernel, offer)
    assert from_flash.cost.cycles == pytest.approx(100_000) and from_ram.cost.cycles < 10_000
    assert from_ram.from_ram and not from_flash.from_ram


@pytest.mark.parametrize("name", sorted(CORES))
def test_the_int32_map_is_never_stored(name: str) -> None:
    plan = select(cnn("ternary", "uint2", 12, (16, 32)), name)
    assert all(step.out.value.type.name != "int32" for step in plan.calls[:-1])


def test_taps_name_values_and_layouts_in_order() -> None:
    plan = select(cnn("ternary", "uint2", 8, (16, 32)))
    assert [tap.value.name for tap in plan.taps][-1] == "fc"
    assert [tap.layout.name for tap in plan.taps][-1] == "natural"
    rows = plan.summary()
    assert [row["name"] for row in rows if row["ops"] != "convert"] == [
        "conv0",
        "pool0",
        "conv1",
        "pool1",
        "fc",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("mode", [SUITE[1]], ids=str)
def test_resnet_8_is_compiled_in_seconds(mode: Mode) -> None:
    """Fifteen layers with branches, from the graph to C, for each objective; in CPU time."""
    graph = nets.resnet_8(mode)
    for optimize in ("cycles", "flash", "ram"):
        start = time.process_time()
        assert render_plan(select(graph, "cortex-m4", optimize))
        assert time.process_time() - start < 20


@pytest.mark.parametrize("type", ["uniform", "uint4"])
def test_a_product_in_place_of_fifteen_comparisons(type: str) -> None:
    """Where the thresholds are those of a uniform quantiser; others stay what they are."""
    net = Net("codes", build.value("x", (8, 8, 3), "int8"), np.random.default_rng(3))
    graph = net.conv(9, "ternary", "conv").threshold(type, "act").graph()
    for optimize in ("cycles", "flash"):
        (follow,) = [
            op for step in select(graph, "cortex-m4", optimize).calls for op in step.ops if op.name == "act"
        ]
        assert follow.kind == ("requantize" if type == "uniform" else "threshold")


def test_the_same_plan_again() -> None:
    first, second = (select(branches("uint2")) for _ in range(2))
    assert [(s.kernel.name, s.out.layout.name) for s in first.steps] == [
        (s.kernel.name, s.out.layout.name) for s in second.steps
    ]
    assert list(first.places.values()) == list(second.places.values())


def test_errors() -> None:
    graph = Net("m", build.value("x", (4,), "int8"), np.random.default_rng(0)).dense(3, "int4", "fc")
    with pytest.raises(EdgeTernaryError, match="unknown core 'z80'") as caught:
        select(graph.graph(), "z80")
    assert caught.value.code == USAGE
    with pytest.raises(EdgeTernaryError, match="'fc'"):
        select(graph.graph(), allow=lambda *_: False)
    with pytest.raises(EdgeTernaryError, match="cannot optimize"):
        select(graph.graph(), optimize="beauty")
