"""A command a file; each defines `command`."""
