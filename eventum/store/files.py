"""The calls that change a disk, each done once and fully: write, fsync, rename, link, unlink, mkdir.

Flows in: paths and bytes. Flows out: bytes, or the certainty that they are durable. Nothing here knows what a file
means. No other module of the program calls `os.replace`, `os.link` or `os.fsync`; a test says so.

A file is durable when its content and the name in its folder both are; `flush` does that for whole batches.
"""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from eventum.errors import NotFound

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def open_new(path: str | os.PathLike[str], data: bytes) -> int:
    """Create `path`, which must not exist, and write it; its descriptor, still open. Raises `OSError`."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    with contextlib.ExitStack() as undo:
        undo.callback(_abandon, fd, path)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        undo.pop_all()
    return fd


def _abandon(fd: int, path: str | os.PathLike[str]) -> None:
    """A half file must not keep its name: it would be taken for a dead maker's leftover."""
    os.close(fd)
    with contextlib.suppress(OSError):
        os.unlink(path)


def sync_and_close(fd: int) -> None:
    """Make what was written through this descriptor durable, and close it."""
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync(fd: int) -> None:
    """Make what was written through this descriptor durable."""
    os.fsync(fd)


def sync_path(path: str) -> None:
    """Make the names in a folder, or the content of a file, durable."""
    sync_and_close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def write_durable(path: Path | str, data: bytes) -> None:
    """Create `path`, which must not exist; its content is durable when this returns, its name not yet."""
    sync_and_close(open_new(path, data))


def atomic_write(
    path: Path, data: bytes, durable: bool = True, tmp: Path | None = None, *, whole: bool = False
) -> None:
    """Replace the content of `path` all at once; readers see the old file or the new one, never a half.

    `tmp` is the name used meanwhile (default: beside `path`, hidden, with this thread's number); on the same file
    system. With `durable` the content and the name are on disk when this returns. With `whole` alone the content is,
    so that a power cut leaves the old file or the new one; without both it may leave an empty one.
    """
    temporary = tmp or path.with_name(f".{path.name}.{threading.get_native_id()}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    fd = open_new(temporary, data)
    try:
        if durable or whole:
            os.fsync(fd)
    finally:
        os.close(fd)
    move(temporary, path)
    if durable:
        sync_path(str(path.parent))


def append(path: Path, data: bytes, durable: bool = False) -> None:
    """Add `data` to the end of `path` in one write, making the file when it is missing.

    Raises `OSError` when the disk took only a part, which then stands there.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    try:
        written = os.write(fd, data)
        if written < len(data):
            # The rest would raise the very same; another writer may have appended in between.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


# Of a name of ours that is no file: to follow a link may lead out of the store, to open a pipe may last for ever.
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def _opened(path: Path | str) -> int:
    """A file, opened to be read. Raises `NotFound`, and `OSError` for a link, a pipe or a folder."""
    try:
        try:
            fd = os.open(path, _READING)
        except OSError as error:
            # A cluster file system says ESTALE for "replaced meanwhile": the new file is behind the same name.
            if error.errno != errno.ESTALE:
                raise
            fd = os.open(path, _READING)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed", str(path)) from error
        raise
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        what = "it is a folder" if stat.S_ISDIR(mode) else "it is no file but a pipe or a device"
        raise OSError(errno.EISDIR, what, str(path))
    return fd


def read(path: Path | str) -> bytes:
    """The whole content of `path`. Raises `NotFound` when there is no such file, `OSError` when it is no plain file."""
    fd = _opened(path)
    try:
        size = os.fstat(fd).st_size
        data = os.read(fd, size + 1)
        if len(data) == size:
            return data
        pieces = [data]
        while piece := os.read(fd, 1 << 20):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(fd)


def ends_with(path: Path | str, end: bytes) -> bool:
    """Whether the file's last bytes are these; True for an empty file and for none, which have nothing to end."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(end)))
            return not size or file.read() == end
    except FileNotFoundError:
        return True


def read_head(path: Path | str, size: int) -> bytes:
    """The first `size` bytes of `path`. Raises as `read`."""
    fd = _opened(path)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)


def rename(source: Path | str, target: Path | str) -> bool:
    """Move a file or folder to a new name. False when the source is gone: somebody else moved it elsewhere first."""
    try:
        os.rename(source, target)
    except FileNotFoundError:
        if os.path.lexists(source):  # It is the target's folder that is missing.
            raise
        # A network file system that asks twice says so of what it has done.
        return os.path.lexists(target)
    _let_go(source, target)
    return True


def move(source: Path | str, target: Path | str) -> None:
    """Give a file of our own making its final name. Raises `OSError`, also when the source is gone: it was ours."""
    try:
        os.rename(source, target)
    except FileNotFoundError:
        if os.path.lexists(source) or not os.path.lexists(target):  # Else it is done, see `rename`.
            raise
    _let_go(source, target)


def _let_go(source: Path | str, target: Path | str) -> None:
    """After a power cut, or in a copy made meanwhile, a file may have its old name and its new one; renaming the one
    to the other does nothing then (POSIX), and the old one would stay for ever. A name that is both is not let go.
    """
    if os.path.abspath(source) == os.path.abspath(target):
        return
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.lstat(source), os.lstat(target)):
            os.unlink(source)


def publish(source: Path | str, target: Path | str) -> bool:
    """Give a finished folder its final name. False when that name is taken by a folder that is not empty."""
    try:
        os.rename(source, target)
    except OSError as error:
        is_done = not os.path.lexists(source) and os.path.lexists(target)  # See `rename`.
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return is_done
        if error.errno != errno.ENOENT or not is_done:
            raise
    return True


def link(source: Path | str, target: Path | str) -> bool:
    """Give a file a second name. False when that name is there already, which for our names means: done before."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return False
    return True


def remove(path: Path | str) -> bool:
    """Take a name away. False when it was gone already."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def remove_tree(path: Path) -> None:
    """Remove a folder of ours with all that is in it; symbolic links are removed, never followed."""
    for entry in listing(path):
        if entry.is_dir(follow_symlinks=False):
            remove_tree(Path(entry.path))
        else:
            remove(entry.path)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(path)


def make_folder(path: Path | str) -> bool:
    """Make one folder, whose parent exists. False when it was there."""
    try:
        os.mkdir(path, FOLDER_MODE)
    except FileExistsError:
        return False
    return True


def make_folders(paths: Iterable[Path], durable: bool = True) -> None:
    """Make folders with their parents; those that exist stay as they are."""
    made: dict[str, None] = {}
    for path in paths:
        missing: list[Path] = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            if make_folder(folder):
                made[str(folder.parent)] = None
    for parent in made if durable else ():
        sync_path(parent)


def listing(path: Path | str) -> Iterator["os.DirEntry[str]"]:
    """The entries of a folder in no order; nothing when there is no such folder."""
    try:
        scan = os.scandir(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    with scan:
        yield from scan


def exists(path: Path | str) -> bool:
    """Whether there is a file or folder of that name."""
    return os.path.lexists(path)


def identity(path: Path | str) -> tuple[int, int] | None:
    """What tells the file behind a name from every other one there is; None when there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def is_plain(path: Path | str) -> bool:
    """Whether there is a file of that name, which is no link, pipe or folder."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def modified_ns(path: Path | str) -> int:
    """When the file or folder was changed last, in nanoseconds since 1970; 0 when there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def is_running(process: int) -> bool:
    """Whether there is a process of that number on this host: of a name that carries one, whether its maker lives."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0
