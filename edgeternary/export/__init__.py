"""Export formats, one file each: Graph to the bytes or texts of another tool's files."""
