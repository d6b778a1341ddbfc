"""What maintainers run to make published figures again; README.md lists it. Not in the wheel."""
