"""Benchmarks: seeded layers and networks, what they take on an emulated core, and the published int8 figures.

`layers` and `nets` make graphs, `rows` measures one, `suite` lists what is measured, `document` writes
docs/benchmarks.md.
"""
