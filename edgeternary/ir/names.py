"""Names of layers and values: what is allowed, and how they become identifiers of C and Verilog."""

import re
from collections.abc import Container

from edgeternary.errors import EdgeTernaryError

MAX_LENGTH = 200

# Words that C, C++, Verilog or SystemVerilog keep for themselves and that a layer may well be called.
KEYWORDS = frozenset(
    """alignas alignof always and and_eq asm assign assert auto automatic begin bitand bitor bool break buf
    case casex casez catch cell char char8_t checker class clocking cmos compl concept config const
    const_cast constexpr constraint context continue cover cross deassign decltype default defparam
    delete design disable dist do double dynamic_cast edge else end endcase endclass endfunction
    endmodule endtask enum event explicit export extends extern false final first_match float for
    force forever fork friend function generate genvar global goto if iff ifnone import include initial
    inline inout input inside instance int integer interface intersect join large liblist library local
    localparam logic long macromodule main matches medium modport module mutable namespace nand negedge
    new nmos noexcept nor not notif null nullptr operator or or_eq output package packed parameter pmos
    posedge primitive priority private program property protected pull0 pull1 pulldown pullup pure rand
    randc rcmos real realtime ref reg register release repeat requires restrict return rnmos rpmos rtran
    scalared sequence short signed sizeof small solve specify specparam static static_assert strong
    struct super supply0 supply1 switch table tagged task template this thread_local throw time timeprecision
    timeunit tran tri tri0 tri1 triand trior trireg true try type typedef typeid typename union unique
    unsigned use using uwire var vectored virtual void volatile wait wand weak while wildcard wire with
    within wor xnor xor xor_eq""".split()
)


def check_name(name: str, role: str) -> None:
    """Refuse a name that is empty, too long, or holds control characters.

    Any other text is a legal layer name; back ends never see it, they see `identifier(name)`.
    """
    if not name or len(name) > MAX_LENGTH or not name.isprintable():
        raise EdgeTernaryError(
            f"bad {role} name {name[:60]!r}",
            f"a name has 1 to {MAX_LENGTH} printable characters",
            f"rename the {role}",
        )


def identifier(name: str, taken: Container[str] = ()) -> str:
    """A lower-case identifier of C and Verilog for `name` that is no keyword and not in `taken`.

    Characters other than ASCII letters and digits become underscores; a clash gets a number. The
    result has neither leading nor double underscores (reserved in C, C++ and CXXRTL) and at most 40
    characters before that number.
    """
    base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40].strip("_") or "x"
    if base[0].isdigit() or base in KEYWORDS:
        base = f"n_{base}"
    candidate, number = base, 2
    while candidate in taken:
        candidate, number = f"{base}_{number}", number + 1
    return candidate


def plain(text: str) -> str:
    """A name as text that is neither code nor markup in any language that files are written in."""
    return "".join(letter if letter.isalnum() or letter in " .,()+-_" else "_" for letter in text)
