"""Fields of GOLD.jsonl that are texts: what was written, quoted and sent on, and a mail as another client prints it.

Only the way of writing is levelled: line breaks, marks of quotes, numbers of lists, links, letter case of addresses.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Any

import msgspec

from eventum.mail.address import Address
from eventum.mail.message import Message, message_of
from tests.mail.gold_case import Case, Held, blanks, same

ALIKE = 0.95  # of the words of two texts stand in both in the same order
_LINK = re.compile(r"\((?:https?:|mailto:|//|#|cid:|ftp:)[^()\s]*\)|<(?:https?:|mailto:|//|#|cid:|ftp:)[^<>\s]*>")
_MARKED_BY_NAME = re.compile(r"^\s*\w{1,12}>\s|^\s*\|\s")  # "Richard> text", "| text"
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}\.[ \t]", re.MULTILINE)
_SIZED = re.compile(r"- (.+), [\d.]+ (?:bytes|KB|MB)")


def trimmed(case: Case, wanted: str) -> Held:
    """What the writer wrote himself: our cut of that, or all that a page shows unfolded."""
    ours = [unmarked(piece.text for piece in case.cut if not piece.folded), unmarked([case.written])]
    if case.row["source"] == "talon":  # its tests say it in words: the reply is "Hello" or stands beside the mail
        return Held(any(text.startswith("Hello") and len(text) <= 30 for text in ours), ours)
    return Held(unmarked([wanted]) in ours, ours)


def elided(case: Case, wanted: str) -> Held:
    return same(unmarked(piece.text for piece in case.cut if piece.folded), unmarked([wanted]))


def unmarked(texts: Iterable[str]) -> str:
    """Texts without marks of quotes, which one project writes anew with the lines, and without blanks and line ends."""
    lines = [line for text in texts for line in text.split("\n")]
    return "".join("".join(_MARKED_BY_NAME.sub("", line).replace(">", "").split()) for line in lines)


def _around(case: Case, first: str) -> tuple[str, str]:
    """The text before the cut in which a line stands, and from that line on."""
    for number, piece in enumerate(case.cut):
        lines = [unmarked([line]) for line in piece.text.split("\n")]
        if first in [line for line in lines if line][:3]:
            after = [*lines[lines.index(first) :], *(each.text for each in case.cut[number + 1 :])]
            return unmarked(each.text for each in case.cut[:number]), unmarked(after)
    return unmarked(each.text for each in case.cut), ""


def _first_line(text: str) -> str:
    return next((unmarked([line]) for line in text.split("\n") if line.strip()), "")


def embedded(case: Case, wanted: str) -> Held:
    return same(_around(case, _first_line(wanted))[1], unmarked([wanted]))


def before(case: Case, wanted: str) -> Held:
    return same(_around(case, _first_line(case.row.get("embedded", "")))[0], unmarked([wanted]))


def rendered(case: Case, wanted: str) -> Held:
    """A mail as another client prints it: a few headers, and the words of its text in their order."""
    head, _, body = wanted.partition("\n\n")
    found = dict(line.partition(": ")[::2] for line in head.split("\n"))
    ours = _printed(case.message)
    wrong = {key: ours[key] for key in found if key in ours and ours[key] != _as_we(key, found[key])}
    lines = body.split("\n")
    names = {match[1] for line in lines if (match := _SIZED.fullmatch(line.strip()))}
    missing = names - {blanks(each.name) for each in case.message.attachments}
    theirs = words("\n".join(line for line in lines if not _SIZED.fullmatch(line.strip())))
    texts = [case.message.text, _rich(case).text]
    share = max(alike(theirs, words(text)) for text in texts)
    return Held(not wrong and not missing and share >= ALIKE, [wrong, missing, round(share, 3)])


def _printed(message: Message) -> dict[str, Any]:
    return {
        "From": ", ".join(shown(each) for each in message.from_[:1]).lower(),
        "To": ", ".join(shown(each) for each in message.to).lower(),
        "Cc": ", ".join(shown(each) for each in message.cc).lower(),
        "Subject": re.sub(r"\A(?:re: ?)+", "", blanks(message.subject), flags=re.IGNORECASE),  # as they print it
        "Date": message.date and message.date.replace(tzinfo=None),
    }


def shown(entry: Address) -> str:
    name = blanks(entry.name)
    return f"{name} <{entry.address}>" if name else entry.address


def _as_we(key: str, text: str) -> Any:
    if key == "Date":
        hours = {"PST": 8, "PDT": 7}[text[-3:]]
        return datetime.strptime(text[:-4], "%B %d, %Y at %I:%M:%S %p") + timedelta(hours=hours)
    if key == "Subject":
        return "" if text == "No Subject" else blanks(text)
    return "" if text == "Undisclosed recipient" else blanks(text).replace("'", "").lower()


def _rich(case: Case) -> Message:
    leaves = tuple(leaf for leaf in case.tree.leaves if leaf.type != "text/plain")
    return message_of(msgspec.structs.replace(case.tree, leaves=leaves))


def words(text: str) -> list[str]:
    """The words of a text in their order, without links and the numbers of lists."""
    return re.findall(r"\w+", _LINK.sub(" ", _NUMBERED.sub("", text)))[:5000]


def alike(one: list[str], other: list[str]) -> float:
    """How much of two texts is the same words in the same order: 0 to 1."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one != other else 1.0


def text(case: Case, wanted: str) -> Held:
    """The same words in the same order, whether the plain text or what the HTML says is meant."""
    share = max(alike(words(wanted), words(text)) for text in (case.message.text, _rich(case).text))
    return Held(share >= ALIKE, round(share, 3))


def text_rule(case: Case, wanted: list[Any]) -> Held:
    """Equal to a text, or holding one so many times."""
    kind, *rest = wanted
    text = case.message.text
    if kind == "MATCH":
        return Held(_lines(text) == _lines(rest[0]), text[:200])
    return Held(text.count(rest[1]) == rest[0], text[:200])


def _lines(text: str) -> list[str]:
    return [line for line in (" ".join(line.split()) for line in text.split("\n")) if line]
