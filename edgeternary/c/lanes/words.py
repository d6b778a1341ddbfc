"""The loads of a part, and what is done with each word, in instructions that all cores have."""

from collections.abc import Callable, Iterable, Sequence

from edgeternary.c.lanes.program import Load


def additions(
    part: Sequence[Load],
    words: Sequence[str],
    reach: int,
    add: Callable[[str, int, str], list[str]],
    accumulate: Callable[[Sequence[tuple[int, int]], str], Iterable[str]],
) -> tuple[list[str], int]:
    """Lines, and the number of words that r0 moved.

    words       registers that words are loaded into, the first one for a word alone
    reach       largest distance of such a load in bytes
    add         lines of an addition (register, number, spare register)
    accumulate  lines for (terms of a word, the word)
    """
    lines: list[str] = []
    passed = at = 0  # words that r0 has not moved over yet; words that it has
    for load in part:
        count, gap = len(load.terms), passed + load.skip
        if count == 1 and 4 * gap <= reach:
            lines.append(f"ldr {words[0]}, [r0, #{4 * gap}]")
            passed = gap + 1
        else:
            lines += add("r0", 4 * gap, words[0])
            lines.append(f"ldmia r0!, {{{', '.join(words[:count])}}}")
            at += gap + count
            passed = 0
        for word, terms in zip(words, load.terms, strict=False):
            lines += accumulate(terms, word)
    return lines, at
