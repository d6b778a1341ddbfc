"""A device that lies about itself: the host ends with an error in words, or with sizes it can handle."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.file import save
from edgeternary.link.build import read_build
from edgeternary.link.codec import answer_bytes, check_hello, decode_answer
from edgeternary.link.frames import Hello
from tests.link.builds import write_build
from tests.link.fake import small

NUMBERS = st.one_of(st.integers(-3, 40), st.integers(-(10**30), 10**30))
SHAPES = st.lists(NUMBERS, min_size=0, max_size=5).map(tuple)
TYPES = st.one_of(
    st.sampled_from(["uint8", "int32", "bipolar", "ternary", "int5", "int99"]), st.text(max_size=9)
)
WORDS = st.text(max_size=30)
HELLOS = st.builds(
    Hello, WORDS, TYPES, SHAPES, NUMBERS, TYPES, SHAPES, NUMBERS, NUMBERS, WORDS, WORDS, WORDS
)  # fmt: skip


@given(st.one_of(st.binary(max_size=200), HELLOS.map(Hello.encode)), st.binary(max_size=60))
def test_hellos_and_answers(body: bytes, answer: bytes) -> None:
    try:
        hello = Hello.decode(body)
        check_hello(hello, "a port")
        assert 0 < answer_bytes(hello) <= 4 * 2**28 + 4
        decode_answer(hello, answer)
    except EdgeTernaryError as error:
        assert error.what and error.why and error.remedy


def test_a_manifest_reads_its_own_folder_only(tmp_path: Path) -> None:
    folder = write_build(tmp_path / "b", small(), board="../../microbit")
    manifest = folder / "edgeternary.json"
    manifest.write_text(manifest.read_text().replace('"small.et"', '"../small.et"'))
    save(small("other"), tmp_path / "small.et")
    build = read_build(folder)
    assert build.graph.name == "small" and build.board.name == "microbit"
