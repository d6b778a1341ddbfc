"""The report of a model for one target: plain data first (`document`), then one HTML page of it (`page`).

Every number of the page stands in the document, which `edgeternary report --json` prints.
"""
