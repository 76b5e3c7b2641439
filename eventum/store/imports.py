"""Imports of mail from files: what each was about, how far it came, and which mails it brought.

Flows in and out: one record an import under `state/imports/`, and beside it the keys of its mails, a line each. The
keys are durable before the mails are kept, so an import never brought a mail that its list does not have. Which import
a kept mail came by also stands in its trace headers (`source_of`): a key alone does not say who was first.
"""

import os
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.store import files, records
from eventum.store.layout import Layout
from eventum.store.maker import Maker
from eventum.wording import N_

KEYS = ".keys"
LEAST = 4  # Characters of an id that name an import.
_KEY = re.compile(r"[0-9a-f]{64}")
_SOURCE = re.compile(r"import:([0-9a-f]{16})(?:;|$)")


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One import: `position` counts the mails of its files that were looked at, `fingerprint` says of which files."""

    schema: int = 1
    id: str
    account: str
    path: str
    recursive: bool = False
    notify: bool = False
    by: str  # the id of the user who began it
    began: datetime
    ended: datetime | None = None
    mails: int = 0  # in its files
    position: int = 0
    fingerprint: str = ""
    skipped: int = 0  # were here before
    outcomes: dict[str, int] = {}
    unreadable: tuple[str, ...] = ()  # what could not be read, with the reason; the first ones
    undoing: datetime | None = None  # since when it is being undone; nobody goes on with it
    undone: datetime | None = None
    issues_back: int = 0  # that undoing took away
    mails_back: int = 0
    left: tuple[str, ...] = ()  # what undoing left, because people changed it since; the first ones

    @property
    def imported(self) -> int:
        """How many mails it brought, as far as is known."""
        return sum(self.outcomes.values())

    def source(self, place: str) -> str:
        """What the trace headers of its mails say of where they come from."""
        return f"import:{self.id};{place}"


def source_of(source: str) -> str:
    """The id of the import that `Import.source` named, "" for mail that came another way."""
    found = _SOURCE.match(source)
    return found[1] if found else ""


class Imports:
    """The imports of one store."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker

    def new_id(self) -> str:
        """An id for the next import."""
        return secrets.token_hex(8)

    def save(self, one: Import) -> Import:
        """Note how far an import is; durable."""
        path = self._layout.import_of(one.id)
        if not path.parent.exists():  # A store that was made before there were imports.
            files.make_folders([path.parent])
        self._maker().replace(path, records.encode(one))
        return one

    def load(self, ident: str) -> Import:
        """The import with this id or beginning of one. Raises `NotFound`, `Refused` for several, `Damaged`."""
        ident = ident.strip().lower()
        found = [name for name in self._ids() if name == ident or (len(ident) >= LEAST and name.startswith(ident))]
        if len(found) > 1:
            raise Refused(N_("{id} is the beginning of several ids; give more of it."), id=ident)
        if not found:
            raise NotFound(N_("There is no import {id!r}; `flask import-mail --list` shows all."), id=ident)
        return records.load(self._layout.import_of(found[0]), Import).value

    def all(self) -> list[Import]:
        """All imports whose record can be used, the newest first."""
        found = []
        for name in self._ids():
            try:
                found.append(records.load(self._layout.import_of(name), Import).value)
            except (NotFound, Damaged):  # `verify` names it.
                continue
        return sorted(found, key=lambda one: (one.began, one.id), reverse=True)

    def _ids(self) -> list[str]:
        names = [entry.name for entry in files.listing(self._layout.imports)]
        return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))

    def add_keys(self, ident: str, keys: Iterable[str]) -> None:
        """Note which mails an import is about to bring; durable."""
        path = self._layout.import_of(ident).with_suffix(KEYS)
        lines = "".join(f"{key}\n" for key in keys)
        if not files.ends_with(path, b"\n"):
            lines = f"\n{lines}"  # Cut short by a crash: that mail was not kept yet.
        fresh = not files.exists(path)
        files.append(path, lines.encode(), durable=True)
        if fresh:
            files.sync_path(os.fspath(path.parent))

    def keys(self, ident: str) -> list[str]:
        """The keys of the mails an import brought, or was about to, in the order in which it brought them."""
        try:
            data = files.read(self._layout.import_of(ident).with_suffix(KEYS))
        except NotFound:
            return []
        return list(dict.fromkeys(line for line in data.decode("ascii", "replace").split("\n") if _KEY.fullmatch(line)))
