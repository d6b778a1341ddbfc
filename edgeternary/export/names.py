"""Names of the formats that export.folders knows, without loading it: for the command line."""

from edgeternary.data import templates_dir

DESCRIPTION = "format.toml"


def names() -> list[str]:
    """Folders below templates/export that hold a description, sorted."""
    return sorted(path.parent.name for path in (templates_dir() / "export").glob(f"*/{DESCRIPTION}"))
