"""Files are written atomically: completely or not at all, also when the power fails."""

import io
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes `content` to a temporary file and renames it to `path`. A failure leaves the old file."""
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
    """The bytes of tensors and plain values in torch's file format."""
    import torch  # not above: data sets are written without it

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()
