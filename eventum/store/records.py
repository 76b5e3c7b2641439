"""A record and its JSON: typed values, written to be read and diffed, that keep the fields they do not know.

Flows in: `msgspec.Struct` values and the bytes of files. Flows out: the same, or `Damaged` naming the file and the
remedy. Where a record lies, who may change it and how it becomes durable is not known here.

An older program may rewrite what a newer one wrote, so unknown fields must survive. Reading does not pay for that: a
`Stored` keeps the bytes it was read from, and only `encode` compares them with what this program would have written.
They are equal nearly always; when they are not, the difference is carried over, field by field.
"""

import errno
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from eventum.errors import Damaged
from eventum.store import files

Record = TypeVar("Record", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_plain = msgspec.json.Decoder()
LINE_END = b"\n"
MEND = "mend it by hand or put back a copy from a backup"
# Errors of one file, which others do not share: the rest of the store goes on.
ITS_OWN_FAULT = (errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ELOOP)
_BYTE = re.compile(r"\(byte (\d+)\)")


class Stored(NamedTuple, Generic[Record]):
    """A record and the bytes of the file it came from."""

    value: Record
    raw: bytes


_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[msgspec.Struct]] = {}
MAKING = threading.Lock()
"""Held by whoever makes the decoder of a kind of record outside of an import."""


def _decoder(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[msgspec.Struct]:
    decoder = _decoders.get(kind)
    if decoder is None:
        # While one thread makes the first decoder of a kind, msgspec (0.22) lets another use what is half made of it,
        # and the process is gone: two accounts that were fetched at once did that.
        with MAKING:
            decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder


@lru_cache(maxsize=256)
def _schema(kind: type[msgspec.Struct]) -> int | None:
    """The schema number this program writes for such records; None for values without one."""
    for field in msgspec.structs.fields(kind):
        if field.name == "schema":
            return int(field.default)
    return None


def load(path: Path, kind: type[Record]) -> Stored[Record]:
    """The record in this file. Raises `NotFound` without the file, `Damaged` when it cannot be used."""
    try:
        raw = files.read(path)
    except OSError as error:
        if error.errno not in ITS_OWN_FAULT:
            raise
        remedy = "give this user the right to read it, or put back a copy from a backup"
        raise Damaged(f"{path} cannot be read ({error.strerror}): {remedy}.") from error
    return Stored(decode(raw, kind, path), raw)


def decode(raw: bytes, kind: type[Record], path: Path | str) -> Record:
    """The record in these bytes; `path` is for the error. Raises `Damaged` naming the file and what to do."""
    try:
        value: Record = _decoder(kind).decode(raw)  # type: ignore[assignment]  # The cache forgets which kind it was.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(_complaint(raw, kind, path, error)) from error
    known = _schema(kind)
    if known is not None and getattr(value, "schema", known) > known:
        raise Damaged(_too_new(path, getattr(value, "schema", known), known))
    if known is not None and _needs_nothing(kind) and not _is_ours(raw, kind):
        raise Damaged(f"{path} does not hold what it should: none of its fields; {MEND}.")
    return value


@lru_cache(maxsize=256)
def _needs_nothing(kind: type[msgspec.Struct]) -> bool:
    """Whether any object at all would do for such a record: every field has a default."""
    return not any(field.required for field in msgspec.structs.fields(kind))


def _is_ours(raw: bytes, kind: type[msgspec.Struct]) -> bool:
    """Whether an object that would pass for a record of defaults is one: what we write has all its fields."""
    said = _plain.decode(raw)
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    # Of a person who writes such a file by hand one field is enough; an empty object says that nothing was set.
    return not said or bool(names & said.keys() - {"schema", "revision"}) or said.keys() <= names


def encode(value: msgspec.Struct, before: Stored[Record] | None = None) -> bytes:
    """The bytes of a record's file; with `before`, what was read, its unknown fields are carried over."""
    data = _formatted(value)
    if before is None or _formatted(before.value) == before.raw:
        return data
    was, known = _plain.decode(before.raw), _plain.decode(_formatted(before.value))
    return _formatted(_carried(was, known, _plain.decode(data)))


def _formatted(value: object) -> bytes:
    return msgspec.json.format(_encoder.encode(value), indent=1) + b"\n"


def _carried(was: object, known: object, now: object) -> object:
    """`now` with what `was` held beyond `known`: the fields this program did not read."""
    if isinstance(was, dict) and isinstance(known, dict) and isinstance(now, dict):
        unknown = {name: was[name] for name in was if name not in known and name not in now}
        kept = {name: _carried(was.get(name), known.get(name), now[name]) for name in now}
        return {**kept, **unknown}
    if isinstance(was, list) and isinstance(known, list) and isinstance(now, list) and len(was) == len(known):
        # Entries come and go, so an entry is known again by what it says, not by its place.
        richer = {_encoder.encode(short): full for full, short in zip(was, known, strict=True) if full != short}
        return [_again(richer, entry) for entry in now]
    return now


def _again(richer: Mapping[bytes, object], entry: object) -> object:
    full = richer.get(_encoder.encode(entry))
    return entry if full is None else _carried(full, entry, entry)


def _complaint(raw: bytes, kind: type[msgspec.Struct], path: Path | str, error: Exception) -> str:
    remedy = MEND
    try:
        found = _plain.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"{path} is not valid JSON ({_where(raw, str(error))}): {remedy}."
    known = _schema(kind)
    schema = found.get("schema") if isinstance(found, dict) else None
    if known is not None and isinstance(schema, int) and schema > known:
        return _too_new(path, schema, known)
    return f"{path} does not hold what it should: {error}; {remedy}."


def _where(raw: bytes, complaint: str) -> str:
    at = _BYTE.search(complaint)
    if not raw:
        return "it is empty"
    return f"line {raw.count(LINE_END, 0, int(at[1])) + 1}" if at else "it ends too early"


def _too_new(path: Path | str, schema: int, known: int) -> str:
    return f"{path} was written by a newer version (schema {schema}, this one knows {known}): update this program."
