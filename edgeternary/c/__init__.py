"""C back end: layouts, kernels and their choice, one memory arena, and the text of the generated files.

`select.select` makes a plan from a graph, `render.render` makes the text.
"""
