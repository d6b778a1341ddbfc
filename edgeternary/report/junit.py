"""Comparisons as JUnit XML, which CI services show as tests."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from edgeternary.build.files import write_file
from edgeternary.run.compare import Comparison


def write_junit(path: Path, model: str, comparisons: Sequence[Comparison]) -> None:
    """One test case an executor, named after it; a mismatch is a failure that names the first layer."""
    failed = sum(bool(comparison.mismatches) for comparison in comparisons)
    suite = ET.Element(
        "testsuite",
        name="edgeternary simulate",
        tests=str(len(comparisons)),
        failures=str(failed),
        errors="0",
        skipped="0",
    )
    for comparison in comparisons:
        case = ET.SubElement(suite, "testcase", classname=f"edgeternary.{model}", name=comparison.executor)
        if comparison.mismatches:
            text = f"{comparison.mismatches} of {comparison.samples} samples differ"
            failure = ET.SubElement(case, "failure", type="not bit-exact", message=text)
            failure.text = f"first in {comparison.difference}"
        else:
            ET.SubElement(case, "system-out").text = f"{comparison.samples} samples, every bit equal"
    ET.indent(suite)
    write_file(path, ET.tostring(suite, encoding="utf-8", xml_declaration=True))
