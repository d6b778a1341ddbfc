"""A cache of builds. The key of a build is the digest of all its inputs."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from edgeternary.errors import EdgeTernaryError

KEEP_DAYS = 30
_apart: Path | None = None  # in use in place of the user's cache


def directory() -> Path:
    """The folder of the builds: the user's cache or, in a block of `apart`, an empty one."""
    return _apart or _users()


@contextmanager
def apart() -> Iterator[None]:
    """In the block, builds are made in an empty cache. Libraries of zig's own sources stay in the user's."""
    global _apart
    outer = _apart
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        _apart = Path(name)
        try:
            yield
        finally:
            _apart = outer


def zig_environment() -> dict[str, str]:
    """Environment variables that place zig's caches in this one."""
    folders = {"GLOBAL": _users(), "LOCAL": directory()}
    return {f"ZIG_{kind}_CACHE_DIR": str(path / "zig" / kind.lower()) for kind, path in folders.items()}


def _users() -> Path:
    """$XDG_CACHE_HOME/edgeternary or ~/.cache/edgeternary. It is made if it does not exist."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except RuntimeError as error:  # of pathlib
        raise EdgeTernaryError(
            "there is no place for the cache",
            "this user has no home, and HOME is not set",
            "set XDG_CACHE_HOME to a writable folder",
        ) from error
    path = Path(base).absolute() / "edgeternary"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EdgeTernaryError(
            f"the cache {path} cannot be made", str(error), "set XDG_CACHE_HOME to a writable folder"
        ) from error
    return path


def digest(*parts: str | bytes) -> str:
    """SHA-256 of the parts. Each is preceded by its length, so different lists have different digests."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "little") + data)
    return sha.hexdigest()


def has(key: str, folder: str = "builds") -> bool:
    """Whether the cache has the build `key`."""
    return (directory() / folder / key).is_dir()


def build(key: str, fill: Callable[[Path], None], folder: str = "builds") -> Path:
    """The directory of the build `key`. On the first call `fill` writes it.

    `fill` works in a temporary directory, which is renamed when it succeeds. So a build exists completely or
    not at all, also if two processes build the same key. Builds that were not used for 30 days are removed.
    """
    final = directory() / folder / key
    if final.is_dir():
        os.utime(final)
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    _prune(final.parent)
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=final.parent))
    try:
        fill(work)
        try:
            work.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final


@cache
def _prune(folder: Path) -> None:
    """Removes builds that were not used for `KEEP_DAYS`, once in each process."""
    limit = time.time() - KEEP_DAYS * 86400
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < limit:
                shutil.rmtree(path, ignore_errors=True)
        except FileNotFoundError:
            pass  # another process removed it
