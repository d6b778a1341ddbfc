"""LUTs of matrices whose weights synthesis knows, counted without a tool."""
