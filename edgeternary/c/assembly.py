"""Lines of inline assembly: instructions, and notes that say what those after them compute."""

from collections.abc import Iterator, Sequence

WIDTH = 90  # characters of a string
STRINGS = 40  # of a statement, which C99 allows 4,095 characters


def note(text: str) -> str:
    """A line that is a comment in C, between the strings of instructions."""
    return f"/* {text} */"


def is_note(line: str) -> bool:
    return line.startswith("/*")


def size(lines: Sequence[str]) -> int:
    """The number of lines with instructions."""
    return sum(not is_note(line) for line in lines)


def joined(lines: Sequence[str]) -> Iterator[str]:
    """Several instructions a string; labels and notes stay alone."""
    text = ""
    for line in lines:
        alone = is_note(line) or line.endswith(":")
        if text and (alone or is_note(text) or text.endswith(":") or len(text) + len(line) >= WIDTH):
            yield text
            text = line
        else:
            text = f"{text}; {line}" if text else line
    if text:
        yield text


def statements(strings: Sequence[str]) -> list[list[str]]:
    """STRINGS of them in each statement, notes apart."""
    found: list[list[str]] = [[]]
    count = 0
    for string in strings:
        if count == STRINGS:
            found.append([])
            count = 0
        found[-1].append(string)
        count += not is_note(string)
    return found
