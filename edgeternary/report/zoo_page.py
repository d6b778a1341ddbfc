"""docs/zoo.md: the cards of the models that ship, a table for each data set."""

from typing import Any

from edgeternary import zoo
from edgeternary.report.zoo import zoo_row
from edgeternary.templating import render


def zoo_page() -> str:
    """The page as Markdown."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name in zoo.names():
        card = zoo.card(name)
        groups.setdefault(card["data"], []).append({**card, **zoo_row(name)})
    noted = [row for rows in groups.values() for row in rows if row.get("note")]
    ordered = sorted(groups.items(), key=lambda group: group[0].lower())
    return render("report/zoo.md.j2", {"groups": ordered, "noted": noted})
