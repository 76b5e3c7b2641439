"""The mails of tests/corpus and what is expected of each: `python tests/mail/corpus_mails.py` lists them.

A mail is two files, `<name>.eml` and `<name>.json`; tests/corpus/README.md says what the second one may hold.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eventum.mail import message  # noqa: E402
from eventum.mail.quotes.quoting import is_answer, pieces  # noqa: E402

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
MAILS = sorted(path.stem for path in CORPUS.glob("*.eml"))


def raw_of(name: str) -> bytes:
    """The mail as it came."""
    return (CORPUS / f"{name}.eml").read_bytes()


def expected_of(name: str) -> dict[str, Any]:
    """What was written down beside the mail; `what` says in a line what is odd about it."""
    expected: dict[str, Any] = json.loads((CORPUS / f"{name}.json").read_text())
    return expected


def misses(raw: bytes, expected: dict[str, Any]) -> list[str]:
    """A line for each thing that is expected of the mail and is not so."""
    read = message.parse(raw)
    value = msgspec.to_builtins(read)
    found: list[str] = []
    for field, wanted in expected.items():
        if field == "what":
            continue
        if field in _SPECIAL:
            found += _SPECIAL[field](raw, read, wanted)
        elif field not in value:
            found.append(f"{field}: a mail has no such field")
        elif not matches(value[field], wanted):
            found.append(f"{field}: {value[field]!r}, expected {wanted!r}")
    return found


def matches(value: Any, wanted: Any) -> bool:
    """Whether a value is what was written down; of an object only the fields that are named there count."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            field in value and matches(value[field], each) for field, each in wanted.items()
        )
    if isinstance(wanted, list):
        pairs = zip(value, wanted, strict=False) if isinstance(value, list | tuple) else ()
        return len(value or ()) == len(wanted) and all(matches(*pair) for pair in pairs)
    return bool(value == wanted)


def _lines(raw: bytes, read: message.Message, wanted: list[str]) -> list[str]:
    return [f"the text has no {line!r}: {read.text[:2000]!r}" for line in wanted if line not in read.text]


def _without(raw: bytes, read: message.Message, wanted: list[str]) -> list[str]:
    return [f"the text has {line!r}: {read.text[:2000]!r}" for line in wanted if line in read.text]


def _pieces(raw: bytes, read: message.Message, wanted: list[dict[str, Any]]) -> list[str]:
    answers = is_answer(read.subject, bool(read.in_reply_to or read.references))
    cut = pieces(read.text, answers)
    got = [{"kind": each.kind, "folded": each.folded, "text": each.text.strip()} for each in cut]
    shown = [{**each, "begins": each["text"][: len(one.get("begins", ""))]} for each, one in zip(got, wanted)]  # noqa: B905
    return [] if len(got) == len(wanted) and matches(shown, wanted) else [f"pieces: {got!r}, expected {wanted!r}"]


def _parts(raw: bytes, read: message.Message, wanted: dict[str, str]) -> list[str]:
    found = {part: message.part_bytes(raw, part).decode("utf-8", "backslashreplace") for part in wanted}
    return [f"part {part}: {found[part]!r}, expected {text!r}" for part, text in wanted.items() if found[part] != text]


def _embedded(raw: bytes, read: message.Message, wanted: dict[str, dict[str, Any]]) -> list[str]:
    opened = getattr(message, "embedded", message.part_bytes)
    return [f"in part {part}: {each}" for part, inner in wanted.items() for each in misses(opened(raw, part), inner)]


_SPECIAL: dict[str, Callable[[bytes, message.Message, Any], list[str]]] = {
    "lines": _lines,
    "without": _without,
    "pieces": _pieces,
    "parts": _parts,
    "embedded": _embedded,
}


if __name__ == "__main__":
    for mail in MAILS:
        print(f"{mail:40} {expected_of(mail)['what']}")
    print(f"{len(MAILS)} mails")
