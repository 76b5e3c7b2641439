"""Makes what a batch wrote durable: contents by a few threads at once, folders once each after.

Flows in: files to write and folders whose names must last. Flows out: the certainty that they do. The disk joins the
journal commits of fsyncs that come together, so a batch costs little more than one mail.
"""

import contextlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from eventum.store import files

# More threads only queue up behind the same journal commit.
FLUSH_THREADS = 6

_pool: ThreadPoolExecutor | None = None


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(FLUSH_THREADS, thread_name_prefix="flush")
    return _pool


class Flush:
    """What a batch wrote and has to be durable before the next step: first all contents, then all folders.

    Used as a context manager it flushes at the end of the block, unless the block raised.
    """

    def __init__(self) -> None:
        self._pending: list[Future[None]] = []
        self._unnamed: list[tuple[str, str]] = []  # (temporary name, name) of what is to be named when it is durable
        self._folders: dict[str, None] = {}

    def write(self, path: Path | str, data: bytes, mtime_ns: int | None = None) -> None:
        """Create the file `path`, which must not exist, and start making its content durable."""
        fd = files.open_new(path, data)
        if mtime_ns is not None:
            os.utime(fd, ns=(mtime_ns, mtime_ns))
        self._pending.append(_threads().submit(files.sync_and_close, fd))

    def write_whole(self, temporary: Path | str, path: Path | str, data: bytes) -> None:
        """Write a file that has its name only when its content is durable, at the end of the flush; it may be there.

        What shows at once under its last name is empty or half after a power cut.
        """
        self.write(temporary, data)
        self._unnamed.append((str(temporary), str(path)))

    def folder(self, path: Path | str) -> None:
        """Let the names in this folder be durable when the flush ends."""
        self._folders[str(path)] = None

    def contents(self) -> None:
        """Wait until all contents written so far are durable. Raises `OSError` of the first that failed."""
        pending, self._pending = self._pending, []
        failed: BaseException | None = None
        for future in pending:
            failed = failed or future.exception()
        if failed is not None:
            raise failed

    def finish(self) -> None:
        """Wait until contents and folders are durable. Raises `OSError` of the first that failed."""
        self.contents()
        unnamed, self._unnamed = self._unnamed, []
        for temporary, path in unnamed:
            files.move(temporary, path)
        folders, self._folders = list(self._folders), {}
        if len(folders) == 1:
            files.sync_path(folders[0])
            return
        self._pending = [_threads().submit(files.sync_path, folder) for folder in folders]
        self.contents()

    def __enter__(self) -> "Flush":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            with contextlib.suppress(OSError):  # The block's own error is the one to be told.
                self.contents()
            for temporary, _ in self._unnamed:
                with contextlib.suppress(OSError):
                    files.remove(temporary)
