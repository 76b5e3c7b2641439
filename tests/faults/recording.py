"""What a process does to a disk and says to others, in the order in which it did, over all its threads.

In flow the folder that is watched, out flows a list of operations with the bytes that were written. The calls are
wrapped where Python makes them, as `shim` does; `test_power.py` asks strace whether a call went past this. Every
changing call is made under one lock, so that the order of the list is the order of the disk. What other processes see
(a mailbox, the log of a server) is looked at before each operation.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

KEPT = 4000  # Bytes of what goes over a connection at once that are remembered: the ends of it.

SKIPPED = object()  # What the fsync of a broken copy says that does nothing.


class Op(NamedTuple):
    """One operation that was done, by what it does; `path` and `other` are below the watched folder.

    `outside` and `cache` say which of the states of the world outside, and of the cache, were there just before it.
    """

    kind: str  # open write truncate sync utime rename link unlink mkdir rmdir said
    path: str = ""
    other: str = ""
    handle: int = 0
    at: int = 0  # where a write begins, how long a truncated file is, a time
    data: bytes = b""
    outside: int = 0
    cache: int = 0


class Recorder:
    """Watches the calls of this process below a folder; there is no way back, it is made in a fork."""

    def __init__(self, root: Path, outside: Callable[[], Any] = lambda: None, cache: Path | None = None) -> None:
        self._root = str(root) + "/"
        self._outside, self._cache = outside, cache
        self._guard = threading.RLock()
        self._handles: dict[int, tuple[int, str, int]] = {}  # descriptor -> (handle, path, flags)
        self._count = 0
        self._stamp: object = None
        self.ops: list[Op] = []
        self.outsides: list[Any] = []
        self.caches: list[dict[str, bytes]] = [{}]

    def install(self) -> None:
        """Wrap the calls."""
        self._opening()
        for name in ("write", "pwrite", "fsync", "fdatasync", "ftruncate"):
            self._on_descriptor(name, getattr(os, name))
        for name in ("rename", "replace", "link"):
            self._on_two(name, getattr(os, name))
        for name, kind in (("unlink", "unlink"), ("remove", "unlink"), ("mkdir", "mkdir"), ("rmdir", "rmdir")):
            self._on_path(name, kind, getattr(os, name))
        self._timing()
        self._saying()

    def said(self, what: str) -> None:
        """Note what was told to somebody: an answer, an exit code."""
        with self._guard:
            self._note(Op("said", what))

    def _below(self, path: Any) -> str | None:
        text = f"{os.path.abspath(os.fsdecode(os.fspath(path)))}/" if not isinstance(path, int) else ""
        return text.removeprefix(self._root).removesuffix("/") if text.startswith(self._root) else None

    def _note(self, op: Op) -> None:
        self.ops.append(op._replace(outside=self._now, cache=self._cached))

    def _look(self) -> None:
        """Before an operation: how is it outside, and what does the cache hold?"""
        state = self._outside()
        if not self.outsides or self.outsides[-1] != state:
            self.outsides.append(state)
        if self._cache is None or threading.current_thread() is not threading.main_thread():
            return  # A cache that is written just now would be read half; a cut one is a trial of its own.
        stamp = {str(path): (about.st_mtime_ns, about.st_size) for path, about in _files(self._cache)}
        if stamp != self._stamp:
            self._stamp = stamp
            self.caches.append(snapshot(self._cache))

    @property
    def _now(self) -> int:
        return len(self.outsides) - 1

    @property
    def _cached(self) -> int:
        return len(self.caches) - 1

    @contextmanager
    def _doing(self) -> Iterator[None]:
        with self._guard:
            self._look()
            yield

    def _opening(self) -> None:
        real_open, real_close = os.open, os.close

        def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            below = self._below(path)
            if below is None:
                return real_open(path, flags, *rest, **more)
            with self._doing():
                fd = real_open(path, flags, *rest, **more)
                self._count += 1
                self._handles[fd] = (self._count, below, flags)
                kept = flags & (os.O_CREAT | os.O_TRUNC)
                self._note(Op("open", below, handle=self._count, at=kept))
                return fd

        def closed(fd: int) -> None:
            self._handles.pop(fd, None)
            real_close(fd)

        os.open, os.close = opened, closed

    def _on_descriptor(self, name: str, real: Callable[..., Any]) -> None:
        def call(fd: int, *rest: Any) -> Any:
            if fd not in self._handles:
                return real(fd, *rest)
            with self._doing():
                handle, path, flags = self._handles[fd]
                if name in ("fsync", "fdatasync"):
                    done = real(fd)
                    if done is not SKIPPED:
                        self._note(Op("sync", path, handle=handle))
                elif name == "ftruncate":
                    done = real(fd, *rest)
                    self._note(Op("truncate", path, handle=handle, at=rest[0]))
                else:
                    end = os.fstat(fd).st_size if flags & os.O_APPEND else os.lseek(fd, 0, os.SEEK_CUR)
                    at = rest[1] if name == "pwrite" else end
                    done = real(fd, *rest)
                    self._note(Op("write", path, handle=handle, at=at, data=bytes(rest[0])[:done]))
                return done

        setattr(os, name, call)

    def _on_two(self, name: str, real: Callable[..., Any]) -> None:
        def call(source: Any, target: Any, **more: Any) -> Any:
            before, after = self._below(source), self._below(target)
            if before is None or after is None:
                return real(source, target, **more)
            with self._doing():
                done = real(source, target, **more)
                self._note(Op("link" if name == "link" else "rename", before, after))
                return done

        setattr(os, name, call)

    def _on_path(self, name: str, kind: str, real: Callable[..., Any]) -> None:
        def call(path: Any, *rest: Any, **more: Any) -> Any:
            below = self._below(path)
            if below is None:
                return real(path, *rest, **more)
            with self._doing():
                done = real(path, *rest, **more)
                self._note(Op(kind, below))
                return done

        setattr(os, name, call)

    def _timing(self) -> None:
        real = os.utime

        def call(path: Any, times: Any = None, *, ns: Any = None, **more: Any) -> None:
            with self._doing():
                if ns is None:
                    real(path, times, **more)
                    return
                real(path, ns=ns, **more)
                if path in self._handles:
                    handle, below, _ = self._handles[path]
                    self._note(Op("utime", below, handle=handle, at=ns[1]))

        os.utime = call

    def _saying(self) -> None:
        for name in ("send", "sendall"):
            real = getattr(socket.socket, name)

            def call(own: socket.socket, data: Any, *rest: Any, real: Any = real) -> Any:
                if own.family != socket.AF_INET:
                    return real(own, data, *rest)
                with self._doing():
                    done = real(own, data, *rest)
                    said = bytes(data)
                    self._note(Op("said", "net", data=said if len(said) < KEPT else said[:200] + said[-200:]))
                    return done

            setattr(socket.socket, name, call)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                yield Path(path, name), os.stat(os.path.join(path, name))
            except FileNotFoundError:  # The reader's child renames what it wrote.
                continue


def snapshot(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by their paths in it."""
    found = {}
    for path, _ in _files(folder):
        try:
            with open(path, "rb") as file:
                found[str(path.relative_to(folder))] = file.read()
        except FileNotFoundError:
            continue
    return found
