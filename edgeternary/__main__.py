"""python -m edgeternary."""

from edgeternary.cli import main

main()
