"""What people are typing in their browsers: web drafts, and who writes to which issue now.

Flows in and out: one small record a user and form under `state/drafts/`, and one an issue under `state/writing/`.
Losing one loses what was typed since, or that somebody is typing; nothing else depends on them. A draft that colleagues
see is a message of its issue, and is not kept here.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import files, records
from eventum.store.layout import Layout, checked
from eventum.store.maker import Maker

MOST = 20  # Drafts of one user that are kept.


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that somebody chose and did not send; `key` names its bytes beside the draft."""

    key: str
    name: str
    type: str
    size: int


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed into one form, by the names of its fields, and when it was saved."""

    schema: int = 1
    saved: datetime
    fields: dict[str, str] = {}
    left_out: tuple[str, ...] = ()
    files: tuple[KeptFile, ...] = ()


class Writers(msgspec.Struct, frozen=True, kw_only=True):
    """Who is writing to an issue: until when that is believed, by user id."""

    schema: int = 1
    until: dict[str, datetime] = {}


class DraftStore:
    """The web drafts of one store."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker

    def typed(self, user: str, form: str) -> Typed | None:
        """What a user typed into a form and did not send; None for nothing, or nothing that can be read."""
        try:
            return records.load(self._layout.draft_of(user, form), Typed).value
        except (NotFound, Damaged):
            return None

    def keep(self, user: str, form: str, typed: Typed) -> None:
        """Note what a user typed. Not durable: a minute of typing is what a power cut may cost."""
        path = self._layout.draft_of(user, form)
        if not path.exists():
            self._make_room(user)
        self._write(path, records.encode(typed))
        wanted = {one.key for one in typed.files}
        for entry in files.listing(self._layout.draft_files(user, form)):
            if entry.name not in wanted:
                files.remove(entry.path)

    def _make_room(self, user: str) -> None:
        """Let the oldest drafts of a user go, so that nobody can fill the disk with what he never sends."""
        names = [entry for entry in files.listing(self._layout.drafts) if entry.name.startswith(f"{user}-")]
        mine = sorted(
            (entry for entry in names if entry.name.endswith(".json")), key=lambda one: one.stat().st_mtime_ns
        )
        for entry in mine[: max(0, len(mine) - MOST + 1)]:
            self.discard(user, entry.name.removeprefix(f"{user}-").removesuffix(".json"))

    def keep_file(self, user: str, form: str, data: bytes) -> str:
        """Keep the bytes of a file beside the draft, until the draft is kept without it; its key."""
        key, folder = hashlib.sha256(data).hexdigest(), self._layout.draft_files(user, form)
        self._write(folder / key, data)
        return key

    def file(self, user: str, form: str, key: str) -> bytes:
        """The bytes of a file. Raises `NotFound`."""
        return files.read(self._layout.draft_files(user, form) / checked(key))

    def discard(self, user: str, form: str) -> None:
        """It was sent, or is not wanted any more; again: no change."""
        files.remove(self._layout.draft_of(user, form))
        folder = self._layout.draft_files(user, form)
        if folder.is_dir():
            files.remove_tree(folder)

    def writers(self, number: int) -> Writers:
        """Who is writing to an issue."""
        try:
            return records.load(self._layout.writing_of(number), Writers).value
        except (NotFound, Damaged):
            return Writers()

    def set_writers(self, number: int, writers: Writers) -> None:
        """Note who is writing to an issue. Two at once may lose one, who says so again in half a minute."""
        if writers.until:
            self._write(self._layout.writing_of(number), records.encode(writers))
        else:
            files.remove(self._layout.writing_of(number))

    def _write(self, path: Path, data: bytes) -> None:
        if not path.parent.is_dir():  # A store of an older program, or restored without its empty folders.
            files.make_folders([path.parent], durable=False)
        self._maker().replace(path, data, durable=False)
