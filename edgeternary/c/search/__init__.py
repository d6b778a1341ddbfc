"""The search for plans of a graph: its states, the moves between them, and the labels worth keeping."""
