"""Output files and folders that appear whole or not at all."""

import ctypes
import errno
import glob
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from edgeternary.errors import EdgeTernaryError

MARKER = "edgeternary.json"  # a folder that holds it was written by us and may be replaced
MOVED = (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY)  # another process was faster
ATTEMPTS = 20
DAY = 86400.0  # seconds


def write_file(path: Path, content: bytes | str) -> None:
    """Write `content` to `path` by way of a temporary file beside it."""
    data = content.encode() if isinstance(content, str) else content
    check_writable(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_folder(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write `files` {relative name: content} as `folder`, replacing one that was written the same way.

    EdgeTernaryError when the folder holds anything that is not ours, or a name leads out of it.
    """
    folder = folder.resolve()
    check_folder(folder)
    _forget(folder)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, content in files.items():
            path = work / name
            if not path.resolve().is_relative_to(work):
                raise EdgeTernaryError(f"{name!r} is no file in {folder.name}", "it leads out of the folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        work.chmod(0o777 & ~_umask())
        _place(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _place(work: Path, folder: Path) -> None:
    """Let `work` be `folder`; what was that before is `work` then, or gone.

    Another process may do the same at the same time: the last one stays.
    """
    for attempt in range(ATTEMPTS):
        try:
            if not folder.exists():
                work.rename(folder)
            elif not _exchange(work, folder):
                _replace(work, folder)
            return
        except OSError as error:
            if error.errno not in MOVED or attempt == ATTEMPTS - 1:
                raise


def _replace(work: Path, folder: Path) -> None:
    """Let `work` be `folder` in two steps; the old folder returns when the second one fails."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    old = aside / folder.name
    try:
        folder.rename(old)
        try:
            work.rename(folder)
        except OSError:
            if not folder.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that there is one at every moment; False where that is unknown."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2  # of Linux
    except (AttributeError, OSError, TypeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _forget(folder: Path) -> None:
    """Remove what builds of this folder left that were killed a day ago or earlier."""
    for path in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        try:
            if path.stat().st_mtime < time.time() - DAY:
                shutil.rmtree(path)
        except OSError:
            pass  # it is another's, or gone


def check_folder(folder: Path) -> None:
    """Refuse a folder that `write_folder` would not write, before work is done for it."""
    # Another process may replace the folder between two looks; what is not ours stays so.
    if not any(not folder.exists() or _is_ours(folder) for _ in range(ATTEMPTS)):
        raise EdgeTernaryError(
            f"{folder} exists and was not written by edgeternary",
            f"it holds no {MARKER}, so its content is not replaced",
            "choose another folder with -o",
        )
    _check_parent(folder)


def _is_ours(folder: Path) -> bool:
    """Whether a folder is empty or has the marker."""
    try:
        return folder.is_dir() and ((folder / MARKER).is_file() or not any(folder.iterdir()))
    except FileNotFoundError:
        return False


def check_writable(path: Path) -> None:
    """Refuse a path that no file can be written to, before work is done for it."""
    _check_parent(path)
    if path.is_dir():
        raise EdgeTernaryError(f"cannot write {path}", "it is a folder", "give the name of a file")


def _check_parent(path: Path) -> None:
    parent = path.absolute().parent
    if not parent.is_dir():
        raise EdgeTernaryError(f"cannot write {path}", f"there is no folder {parent}", f"mkdir -p {parent}")
    if not os.access(parent, os.W_OK):
        raise EdgeTernaryError(
            f"cannot write {path}", f"the folder {parent} is read-only", "choose another place"
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
