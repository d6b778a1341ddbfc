"""JUnit XML, which CI services show as tests."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from edgeternary.build.files import write_file
from edgeternary.run.compare import Comparison


@dataclass(frozen=True)
class Case:
    """One test: `failure` is its type, such as "not bit-exact", "" where it passed.

    message  what failed, in short;  text  more of that, or what passed
    """

    group: str
    name: str
    failure: str = ""
    message: str = ""
    text: str = ""


def _xml(text: str) -> str:
    """The text with what XML cannot hold, such as control characters, replaced."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def write_suite(path: Path, name: str, cases: Sequence[Case]) -> None:
    """Write the cases of one suite."""
    failed = sum(bool(case.failure) for case in cases)
    cases = [Case(*map(_xml, astuple(case))) for case in cases]
    suite = ET.Element(
        "testsuite", name=_xml(name), tests=str(len(cases)), failures=str(failed), errors="0", skipped="0"
    )
    for case in cases:
        element = ET.SubElement(suite, "testcase", classname=case.group, name=case.name)
        if case.failure:
            failure = ET.SubElement(element, "failure", type=case.failure, message=case.message)
            failure.text = case.text
        else:
            ET.SubElement(element, "system-out").text = case.text
    ET.indent(suite)
    write_file(path, ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def write_junit(path: Path, model: str, comparisons: Sequence[Comparison]) -> None:
    """One test case an executor, named after it; a mismatch is a failure that names the first layer."""
    write_suite(path, "edgeternary simulate", [_case(f"edgeternary.{model}", found) for found in comparisons])


def _case(group: str, found: Comparison) -> Case:
    if not found.mismatches:
        return Case(group, found.executor, text=f"{found.samples} samples, every bit equal")
    message = f"{found.mismatches} of {found.samples} samples differ"
    return Case(group, found.executor, "not bit-exact", message, f"first in {found.difference}")
