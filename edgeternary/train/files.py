"""Files that appear whole or not at all, also when the power fails."""

import io
import os
from pathlib import Path
from typing import Any

import torch


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes `content` beside `path` and renames it; a failure leaves the old file and nothing else."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def tensors_to_bytes(content: dict[str, Any]) -> bytes:
    """Tensors and plain values in torch's file format."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()
