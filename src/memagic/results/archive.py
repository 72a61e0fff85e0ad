"""A file of plain values and arrays: a zip archive that ends in the checksum of all that is before it.

It has `metadata.json` and the arrays in NumPy's own format, none of which can carry code, and it is
never unpacked to a folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError

__all__ = ["read_archive", "write_archive"]

_FORMAT = "memagic estimates"
_VERSION = 1
_METADATA = "metadata.json"
_DIGEST = 64  # characters of the checksum, which is the comment of the archive
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # files with the same content are the same
_SYNTAX_HINT = "estimates are saved by estimates save, or by fit.save()"


def write_archive(path: Path, value: Any, arrays: list[NDArray[Any]], *, replace: bool) -> None:
    """Write a file, which is there in full or not at all.

    Parameters
    ----------
    path : Path
    value : object
        As JSON has it.
    arrays : list of ndarray
        None of objects.
    replace : bool
        Whether a file that exists gives way.

    Raises
    ------
    CommandError
        ``file x already exists``, r(602); the folder is not there or may not be written to, r(603).
    """
    if path.exists() and not replace:
        hint = "option replace saves over it; from Python: replace=True"
        raise CommandError(602, f"file {path} already exists", hint=hint)
    content = _content(
        {"format": _FORMAT, "version": _VERSION, "arrays": len(arrays), "value": value}, arrays
    )
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            # It is gone where an interrupt came right after it was renamed.
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise CommandError(603, f"file {path} could not be opened", hint=reason) from None


def _content(metadata: dict[str, Any], arrays: list[NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_member(_METADATA), json.dumps(metadata, allow_nan=False))
        for number, array in enumerate(arrays):
            one = io.BytesIO()
            np.lib.format.write_array(one, array, allow_pickle=False)
            archive.writestr(_member(_name(number)), one.getvalue())
        archive.comment = b"0" * _DIGEST
    content = buffer.getvalue()[:-_DIGEST]
    return content + _digest(content)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _name(number: int) -> str:
    return f"arrays/{number}.npy"


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def read_archive(path: Path) -> tuple[Any, list[NDArray[Any]]]:
    """What `write_archive` was given.

    Raises
    ------
    CommandError
        ``file x not found``, r(601); it cannot be read, r(603); it has no estimates, is damaged, or is of
        a newer version, r(610).
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CommandError(601, f"file {path} not found") from None
    except OSError as error:
        raise CommandError(603, f"file {path} could not be opened", hint=error.strerror) from None
    if not content.startswith(b"PK\x03\x04"):
        raise CommandError(610, f"file {path} does not have estimates", hint=_SYNTAX_HINT)
    if _digest(content[:-_DIGEST]) != content[-_DIGEST:]:
        hint = "it is damaged, or not of memagic; " + _SYNTAX_HINT
        raise CommandError(610, f"file {path} is corrupt", hint=hint)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive, path)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as error:
        raise CommandError(610, f"file {path} is corrupt", hint=_SYNTAX_HINT) from error
    except (RuntimeError, MemoryError, RecursionError, OverflowError) as error:
        raise CommandError(610, f"file {path} is corrupt", hint=_SYNTAX_HINT) from error


def _read(archive: zipfile.ZipFile, path: Path) -> tuple[Any, list[NDArray[Any]]]:
    metadata = json.loads(archive.read(_METADATA))
    if metadata["format"] != _FORMAT:
        raise ValueError("another format")
    if metadata["version"] > _VERSION:
        hint = "install a newer memagic to use it"
        raise CommandError(610, f"file {path} is from a more recent version of memagic", hint=hint)
    found = archive.namelist()
    expected = [_METADATA, *(_name(number) for number in range(len(found) - 1))]
    if found != expected or metadata["arrays"] != len(found) - 1:
        raise ValueError("other members than those that are listed")
    arrays = [
        np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False) for name in expected[1:]
    ]
    return metadata["value"], arrays
