"""A copy of the whole store and its key, made while everything runs.

Flows in: the layout, the key file, a folder that is not in the store. Flows out: the copy, whole or not there: it is
made under another name and gets its own when all of it is durable. Nothing of the store is changed and no lock is held.

The order leaves as little as can be to be brought together by the first run on the copy (data/README.md, Copies): how
far accounts are fetched first, so that what came later is fetched again; of an issue the record before its history and
its mails, which only grow; the pool; the queue, whose events the records must know; the spool, and at last `kept`,
which has every mail that came before the backup began. A file that is moved on between being seen and being read is
found by looking again.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from eventum.errors import NotFound, Refused
from eventum.store import files
from eventum.store.layout import SPOOLS, Layout, maildir
from eventum.store.maildir import entry_of
from eventum.wording import N_

DATA, KEY = "data", "secret.json"
MARK = "eventum-backup.json"  # Stands in every whole backup: only such a folder is ever replaced.
Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]
LOOKS = 20  # Times a Maildir is looked over until nothing new is seen in it.


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied, and where it lies."""

    path: str
    files: int
    bytes: int
    mails: int
    issues: int


class Copying:
    """One backup."""

    def __init__(self, layout: Layout, key: Path, target: Path, *, cache: Path) -> None:
        self._layout = layout
        self._key = key
        self._target = Path(os.path.realpath(target))
        self._cache = Path(os.path.realpath(cache))
        self._told: Callable[[int], None] = lambda count: None
        self._made: list[Path] = []
        self._files = self._bytes = self._mails = self._issues = 0

    def run(self, progress: Progress) -> Backup:
        """Make it; `progress` is given how many issues there are, and hears how many were copied.

        Raises `Refused` for a place that will not do, `OSError` when the disk does not take it.
        """
        self._check()
        for old in self._beside():
            files.remove_tree(old)
        making = self._target.with_name(f".{self._target.name}.making-{os.getpid()}")
        files.make_folders([making], durable=False)
        try:
            with progress(_issues(self._layout)) as self._told:
                self._copy_all(making)
            done = Backup(
                path=str(self._target),
                files=self._files,
                bytes=self._bytes,
                mails=self._mails,
                issues=self._issues,
            )
            files.write_durable(making / MARK, msgspec.json.format(msgspec.json.encode(done), indent=1) + b"\n")
            for folder in reversed([making, *(making / DATA, *self._made)]):
                files.sync_path(str(folder))
            self._publish(making)
        finally:
            files.remove_tree(making)
        return done

    def _check(self) -> None:
        store = Path(os.path.realpath(self._layout.root))
        if self._target.is_relative_to(store) or store.is_relative_to(self._target):
            raise Refused(
                N_("{path} and the data folder lie in each other; name a place apart from it."), path=str(self._target)
            )
        if self._cache.is_relative_to(self._target) or self._target.is_relative_to(self._cache):
            raise Refused(N_("{path} and the cache lie in each other; name another place."), path=str(self._target))
        if self._target.exists() and not self._target.is_dir():
            raise Refused(N_("{path} is a file; name a folder."), path=str(self._target))
        if self._target.is_dir() and any(self._target.iterdir()) and not (self._target / MARK).is_file():
            raise Refused(
                N_("{path} is not empty and no earlier backup; nothing there is touched. Name another folder."),
                path=str(self._target),
            )

    def _beside(self) -> Iterator[Path]:
        """What backups to this place left that died."""
        for entry in files.listing(self._target.parent):
            for mark in (".making-", ".before-"):
                start, _, process = entry.name.rpartition(mark)
                if start == f".{self._target.name}" and process.isdigit() and not files.is_running(int(process)):
                    before = Path(entry.path)
                    if mark == ".before-" and not self._target.exists():
                        files.move(before, self._target)  # It died between two names: the earlier one is the backup.
                    else:
                        yield before

    def _publish(self, making: Path) -> None:
        before = self._target.with_name(f".{self._target.name}.before-{os.getpid()}")
        if self._target.exists():
            files.move(self._target, before)
        files.move(making, self._target)
        files.sync_path(str(self._target.parent))
        if before.exists():
            files.remove_tree(before)

    # What is copied, in this order

    def _copy_all(self, making: Path) -> None:
        layout, data = self._layout, making / DATA
        with contextlib.suppress(NotFound):
            self._file(self._key, making / KEY)
        self._folder(layout.state, data)
        self._folder(layout.root / "people", data)
        self._folder(layout.settings, data)
        for shard in sorted(files.listing(layout.issues), key=lambda entry: entry.name):
            if shard.name.isdigit():
                for issue in sorted(files.listing(shard.path), key=lambda entry: entry.name):
                    self._issue(Path(issue.path), data)
        for account in sorted(files.listing(layout.pool), key=lambda entry: entry.name):
            self._pool(Path(account.path), data)
        for name in dict.fromkeys(("out", "sent", "failed", "held", "in", "done", "dead", *SPOOLS)):
            self._spool(layout.spool / name, data)
        for entry in files.listing(layout.root):
            if entry.is_file(follow_symlinks=False):
                self._file(Path(entry.path), data / entry.name)
        for folder in layout.folders():  # The empty ones too; locks and journals begin anew.
            self._make(data / folder.relative_to(layout.root))

    def _issue(self, folder: Path, data: Path) -> None:
        target = data / folder.relative_to(self._layout.root)
        if not (folder / "issue.json").is_file():
            return
        self._issues += 1
        self._told(self._issues)
        self._file(folder / "issue.json", target / "issue.json")
        self._folder(folder / "history", data)
        self._maildir(folder / "mail", data)

    def _pool(self, folder: Path, data: Path) -> None:
        for entry in sorted(files.listing(folder), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                self._maildir(Path(entry.path), data)
        self._folder(folder, data, deep=False)

    def _spool(self, root: Path, data: Path) -> None:
        self._maildir(root, data)
        self._folder(root, data, deep=False)
        if root == self._layout.outgoing:
            self._folder(self._layout.out_log, data)

    def _maildir(self, root: Path, data: Path) -> None:
        """Mails by their keys: one that changed its name meanwhile is seen under the new one."""
        target = data / root.relative_to(self._layout.root)
        for part in maildir(target):
            self._make(part)
        seen: set[str] = set()
        for _ in range(LOOKS):
            missed = False
            for part in maildir(root)[1:]:
                for entry in files.listing(part):
                    key = entry_of(entry.path).key
                    if key in seen or entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
                        continue
                    try:
                        self._file(Path(entry.path), target / part.name / entry.name)
                    except NotFound:
                        missed = True  # Moved while it was looked at; it is elsewhere by now.
                        continue
                    seen.add(key)
                    self._mails += 1
            if not missed:
                return

    def _folder(self, folder: Path, data: Path, *, deep: bool = True) -> None:
        """All plain files, and folders but temporary ones."""
        for entry in sorted(files.listing(folder), key=lambda entry: (entry.name != "fetch", entry.name)):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if deep and entry.name not in ("tmp", "intents", "hands"):
                    self._folder(Path(entry.path), data)
            elif entry.is_file(follow_symlinks=False):
                with contextlib.suppress(NotFound):
                    self._file(Path(entry.path), data / Path(entry.path).relative_to(self._layout.root))

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            files.make_folder(folder)
            self._made.append(folder)

    def _file(self, source: Path, target: Path) -> None:
        """Copy one file with its times, 0600, durable. Raises `NotFound` when it is gone."""
        data = files.read(source)
        changed_ns = files.modified_ns(source)
        self._make(target.parent)
        files.write_durable(target, data)
        if changed_ns:  # The order of arrival is the time of the file.
            os.utime(target, ns=(changed_ns, changed_ns))
        self._files += 1
        self._bytes += len(data)


def _issues(layout: Layout) -> int:
    return sum(1 for shard in files.listing(layout.issues) if shard.name.isdigit() for _ in files.listing(shard.path))
