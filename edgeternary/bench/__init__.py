"""What `edgeternary bench` measures: seeded layers by shape on an emulated core, beside published int8.

`layers` and `make` make graphs, `rows` measures one, int8.toml has what was published.
"""
