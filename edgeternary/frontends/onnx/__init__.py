"""ONNX and QONNX files: quantised networks of Brevitas, QKeras, FINN and ONNX Runtime become integer graphs.

See docs/onnx.md for the operators and what each of them means in integers.
"""

from edgeternary.frontends.onnx.read import read as read
