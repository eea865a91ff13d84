"""Creates the file of a SQLite store for its owner only, and checks before a write is confirmed that it is in place.

A write is never confirmed if the file was removed, moved or replaced while it was open: SQLite would go on writing into
the old file, and all of that is lost when the process ends.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from tmf_sales.storage.protocol import StorageUnavailable


class OpenedFile:
    """The file and its write-ahead log (which holds the newest writes), as they were when the store was opened."""

    def __init__(self, path: Path) -> None:
        """The log must exist, as it does once something was written. Raises OSError."""
        # SQLite puts the log beside the file itself, not beside a link to it.
        self._names = (path.absolute(), Path(f"{path.resolve()}-wal"))
        self._opened = [name.stat() for name in self._names]

    def reject_if_gone(self) -> None:
        """Raise StorageUnavailable when a name no longer refers to the opened file. Takes 3 us."""
        for name, opened in zip(self._names, self._opened, strict=True):
            try:
                is_the_same = os.path.samestat(name.stat(), opened)
            except OSError:
                is_the_same = False
            if not is_the_same:
                raise StorageUnavailable("the store's file was removed, moved or replaced while it was open")


def make_for_owner(path: Path) -> None:
    """Create an empty file, readable by its owner only, if there is none: it will hold the subscriptions' secrets.

    An existing file is not opened: closing it again would drop the locks that this process has on it. Raises OSError.
    """
    target = path.resolve()
    if target.exists():
        if not target.is_file():
            raise FileExistsError(errno.EEXIST, f"it is {'a directory' if target.is_dir() else 'no file'}")
    elif not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no directory {target.parent}")
    else:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:  # another process was quicker
            return
