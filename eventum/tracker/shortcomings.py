"""What of a mail was not read, or is a guess, as sentences; and the badges of a mail that is signed or encrypted.

Flows in: the defects and seals of a message. Flows out: marked sentences with their values. Defects that change
nothing for who reads the mail, a missing date for example, have no sentence.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from eventum.mail import containers, content, headers, parts, reading
from eventum.wording import N_


class Shortcoming(msgspec.Struct, frozen=True):
    """A marked sentence and the values in it."""

    sentence: str
    values: Mapping[str, object] = MappingProxyType({})


def _limit(sentence: str, **values: object) -> Shortcoming:
    return Shortcoming(sentence, MappingProxyType(values))


_SENTENCES: Mapping[str, Shortcoming] = MappingProxyType(
    {
        "limit-parts": _limit(
            N_("Only the first %(count)s parts were read; download the raw mail to see all."),
            count=f"{parts.MAX_PARTS:,}",
        ),
        "limit-attachments": _limit(
            N_("Only the first %(count)s files of a container were read; the container can be saved whole."),
            count=containers.MAX_FILES,
        ),
        "limit-text": _limit(
            N_("Only the first %(count)s characters of its text were read; the raw mail has all of it."),
            count=f"{reading.MAX_TEXT:,}",
        ),
        "limit-depth": _limit(
            N_("Only %(count)s levels of parts and %(mails)s of mails in it were read; the rest is one piece."),
            count=parts.MAX_DEPTH,
            mails=containers.MAX_LEVELS,
        ),
        "limit-headers": _limit(
            N_("Only the first %(count)s headers were read, and %(size)s KB of each; the raw mail has all of them."),
            count=f"{headers.MAX_FIELDS:,}",
            size=headers.MAX_FIELD_BYTES // 1000,
        ),
        "limit-addresses": _limit(N_("Not all of its recipients were read; they stand in the headers as they came.")),
        "limit-events": _limit(N_("It holds more calendar entries than are shown; its calendar file has all of them.")),
        "limit-names": _limit(
            N_("The name of a file is longer than %(count)s characters and is cut."), count=content.MAX_NAME
        ),
        "limit-size": _limit(
            N_("Only the first %(size)s MB of it were read; download the raw mail to see all."),
            size=parts.MAX_SIZE // 1_000_000,
        ),
        "read-simply": _limit(N_("A part of it could not be opened; it is shown without, and the part can be saved.")),
        "unterminated": _limit(N_("Its end is missing: it may have been cut off on its way.")),
        "no-parts": _limit(N_("It says that it has parts but has none; it is shown as it is.")),
        "unknown-charset": _limit(N_("It names an unknown character set, so its letters are a guess.")),
        "unknown-encoding": _limit(N_("A part is encoded in an unknown way; it is shown as it came.")),
        "two-from": _limit(N_("It has more than one From line, so it is not clear who sent it.")),
        "unreadable": _limit(N_("It could not be read; this is how it begins. The raw mail has all of it.")),
    }
)
_SEALS: Mapping[str, str] = MappingProxyType(
    {
        "pgp-signed": N_("Signed (PGP), not checked"),
        "pgp-encrypted": N_("Encrypted (PGP)"),
        "smime-signed": N_("Signed (S/MIME), not checked"),
        "smime-encrypted": N_("Encrypted (S/MIME)"),
    }
)


def shortcomings(defects: Iterable[str]) -> tuple[Shortcoming, ...]:
    """What somebody should know who reads the mail."""
    return tuple(_SENTENCES[name] for name in dict.fromkeys(defects) if name in _SENTENCES)


def seals(found: Iterable[str]) -> tuple[str, ...]:
    """A marked sentence for each seal."""
    return tuple(_SEALS[name] for name in dict.fromkeys(found) if name in _SEALS)
