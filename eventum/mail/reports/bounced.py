"""Mail that comes back with its reason in free text: whom it did not reach, and why.

In flow a mail that looks like a bounce, out flow what it says. `layouts` knows how mail programs write such a text;
what it does not know is asked of flufl.bounce, which knows addresses alone, within limits and behind a fence.
"""

import re
from typing import Final

import msgspec

from eventum.mail.address import is_address, normalise, parse_addresses
from eventum.mail.content import decoded
from eventum.mail.headers import split_block
from eventum.mail.message import Message
from eventum.mail.parts import Tree
from eventum.mail.reports.dsn import GIVEN_BACK, MAX_RECIPIENTS, ReportRecipient, is_called_like_one
from eventum.mail.reports.layouts import LAYOUTS, WEAK, Found, by_layout, divided, lines_of, zone_of
from eventum.mail.reports.reasons import status_of
from eventum.mail.words import clean_line

_MAX_TEXT: Final = 60_000
_MAX_RAW: Final = 60_000  # bytes that flufl.bounce is shown
_MAX_RAW_LINE: Final = 1_000
_MAX_RAW_LINES: Final = 1_000
_MAX_DIAGNOSTIC: Final = 500
_MAX_LEAVES: Final = 20

_MESSAGE_ID: Final = re.compile(r"^[>|\s]{0,8}Message-ID:\s{0,9}(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE)
_TO: Final = re.compile(r"^[>|\s]{0,8}To:[ \t]{0,9}([^\n]{3,300})$", re.IGNORECASE | re.MULTILINE)

_WAITS: Final = (
    *("will be retried", "will continue to", "will keep trying", "still being retried", "still trying", "retry for"),
    *("do not need to resend", "no need to resend", "not yet been delivered", "has not yet", "warning message only"),
    *("delayed", "is still in the queue", "will try again", "attempts will continue", "will be attempted", "retries"),
    *("再送を試み", "配信を続け", "遅延"),
)
_GIVEN_UP: Final = (
    *("permanent", "fatal error", "giving up", "given up", "returned to sender", "undeliverable", "expired"),
    *("could not be delivered to any", "was not delivered", "will not be retried"),
)
# What mail programs call themselves.
_PROGRAMS: Final = (
    *("mail delivery", "mail system", "mailer", "mdaemon", "postmaster", "delivery subsystem", "mail admin"),
    *("system administrator", "smtp_gateway", "antivirus", "anti-virus", "admin@"),
)
# flufl.bounce raises on empty mails, and on whatever else nobody showed it. It knows nothing then.
_STUMBLES: Final = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError),
)
_DAEMONS: Final = ("mailer-daemon", "postmaster", "mail-daemon")


class Notice(msgspec.Struct, frozen=True):
    """What the free text of a bounce says: "failed" or "delayed", of whom, and of which mail."""

    kind: str
    recipients: tuple[ReportRecipient, ...]
    original_id: str = ""


def read_notice(tree: Tree, message: Message) -> Notice | None:
    """What a mail that looks like a bounce says in its text; None where it names nobody and gives nothing back."""
    is_named_so = is_called_like_one(message.subject)
    if message.automatic != "bounce" and not is_named_so:
        return None
    said, given_back = divided(message.text[:_MAX_TEXT])
    if not _is_notice(tree, message, lines_of(said), given_back):
        return None
    kind = "delayed" if _is_delay(message.subject, said) else "failed"
    failed = _exim(tree, said) or _listed(LAYOUTS, said, message)
    if not failed:
        temporary, permanent = _asked(tree.raw)
        kind = "delayed" if temporary and not permanent else kind
        failed = [(address, "") for address in permanent or temporary] or _listed(WEAK, said, message)
    if not failed and message.automatic == "bounce":
        failed = _addressed(tree, given_back, message)
    if not failed and not _gives_back(tree, given_back):
        return None
    return Notice(kind, _recipients(failed, kind, said), _quoted_id(given_back))


def is_program(message: Message) -> bool:
    """Whether the name in the From is one that mail programs give themselves."""
    names = " ".join(f"{one.name} {one.address}" for one in message.from_[:3]).lower()
    return any(word in names for word in _PROGRAMS)


def _gives_back(tree: Tree, text: str) -> bool:
    return bool(_quoted_id(text)) or any(leaf.type in GIVEN_BACK for leaf in tree.leaves[1:_MAX_LEAVES])


def _is_notice(tree: Tree, message: Message, lines: list[str], given_back: str) -> bool:
    """Whether it is one indeed: somebody may write of a delivery that failed, and of parcels, and the null sender may
    be that of who is away.
    """
    if _gives_back(tree, given_back):
        return True
    signs = (bool(zone_of(lines)), is_program(message), is_called_like_one(message.subject))
    return any(signs) if message.automatic not in ("", "list") else all(signs)


def _is_delay(subject: str, said: str) -> bool:
    low = said[:4_000].lower()
    if any(words in low for words in _GIVEN_UP):
        return False
    return any(words in f"{subject.lower()}\n{low}" for words in _WAITS)


def _quoted_id(text: str) -> str:
    found = _MESSAGE_ID.search(text)
    return found[1] if found and found[1].isascii() else ""


def _recipients(failed: Found, kind: str, said: str) -> tuple[ReportRecipient, ...]:
    found: dict[str, ReportRecipient] = {}
    # Where it is of one alone, all that is said may tell why.
    whole = said if len({address for address, _ in failed}) == 1 else ""
    for address, words in failed:
        before = found.get(address)
        if len(found) < MAX_RECIPIENTS and (before is None or not before.diagnostic):
            status = status_of("", words, failed=kind == "failed") or status_of("", whole, failed=kind == "failed")
            found[address] = ReportRecipient(address, kind, status, clean_line(words, _MAX_DIAGNOSTIC))
    return tuple(found.values())


def _exim(tree: Tree, said: str) -> Found:
    """Exim names them in its header, whatever language its text is set to."""
    texts = tree.block.headers.texts("x-failed-recipients")[:MAX_RECIPIENTS]
    named = {normalise(one) for text in texts for one in text[:10_000].split(",")}
    addresses = sorted(one for one in named if is_address(one))[:MAX_RECIPIENTS]
    if not addresses:
        return []
    lines = lines_of(said)
    reasons = {address: words for layout in LAYOUTS[:2] for address, words in by_layout(layout, lines)}
    return [(one, reasons.get(one, "")) for one in addresses]


def _listed(layouts: tuple[re.Pattern[str], ...], said: str, message: Message) -> Found:
    """Addresses and their reasons by the strongest layout that names somebody other than who gets the notice."""
    lines = lines_of(said)
    zone = zone_of(lines)
    senders = {one.address for one in message.from_}
    not_these = {one.address for one in message.to} | set(message.delivered_to)
    spare: Found = []
    for part in (zone, lines) if zone else (lines,):
        for layout in layouts:
            found = [one for one in by_layout(layout, part) if one[0] not in senders]
            others = [one for one in found if one[0] not in not_these and one[0].partition("@")[0] not in _DAEMONS]
            if others:
                return others
            spare = spare or found
    return spare


def _addressed(tree: Tree, text: str, message: Message) -> Found:
    """To whom the mail went that is given back, when that is one: the notice names nobody."""
    given_back = (decoded(leaf)[:_MAX_RAW] for leaf in tree.leaves[1:_MAX_LEAVES] if leaf.type in GIVEN_BACK)
    texts = [split_block(data).headers.first("to") or "" for data in given_back]
    if not any(texts) and (found := _TO.search(text)):
        texts = [found[1]]
    addresses = {one.address for each in texts for one in parse_addresses(each[:2_000], 3) if one.address}
    addresses -= {one.address for one in (*message.from_, *message.to)}
    return [(one, "") for one in addresses] if len(addresses) == 1 else []


def _asked(raw: bytes) -> tuple[list[str], list[str]]:
    """What flufl.bounce finds: addresses that failed for now, and for good."""
    # Imported for the few mails that need it: it takes longer than reading a hundred mails.
    from email import message_from_string

    try:
        from flufl.bounce import _scan

        _scan.log.disabled = True  # It would log, whole, what it stumbles over and raises as well.
        # As ASCII: of other bytes the standard library makes headers that are no text, which it cannot read.
        temporary, permanent = _scan.all_failures(message_from_string(_shortened(raw).decode("ascii", "replace")))
    except _STUMBLES:
        return [], []
    return _usable(temporary), _usable(permanent)


def _shortened(raw: bytes) -> bytes:
    return b"\n".join([line[:_MAX_RAW_LINE] for line in raw[:_MAX_RAW].split(b"\n", _MAX_RAW_LINES)])


def _usable(found: frozenset[bytes]) -> list[str]:
    texts = [one.decode("ascii", "replace") if isinstance(one, bytes) else str(one) for one in found]
    return sorted({address for text in texts if is_address(address := normalise(text))})[:MAX_RECIPIENTS]
