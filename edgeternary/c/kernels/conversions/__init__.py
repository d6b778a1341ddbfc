"""The kernels that move a value from one layout to another."""
