"""How mail programs set out, in free text, whom a mail did not reach: lines in, addresses with their reasons out.

One table for all of them, by what a line looks like and not by who wrote it (qmail, Exim, sendmail, Courier, Notes,
Exchange, GroupWise, those of Japanese carriers and others): programs copy each other, and gateways translate them.
Every pattern is tried on one line of bounded length.
"""

import re
from collections.abc import Iterator
from typing import Final

from eventum.mail.address import is_address, normalise
from eventum.mail.reports.dsn import MAX_RECIPIENTS

MAX_NOTICE: Final = 20_000  # characters in front of what is given back
MAX_LINES: Final = 400
_MAX_LINE: Final = 500
_REASON_LINES: Final = 6
_ZONE_LINES: Final = 60
_LEAST_NOTICE: Final = 80  # characters: above them stands what looks like a header and is none yet

Found = list[tuple[str, str]]
"""Addresses, each with what was said of it."""

_ONE: Final = r"""
    [\[<("'“]{0,3} (?: smtp: | rfc822;[ ]? | mailto: )?
    (?P<address> [^\s<>()\[\]",:;@\\]{1,128} @ [A-Za-z0-9_.-]{1,253} )
    [\]>)"'”]{0,3}
"""


def _layout(pattern: str) -> re.Pattern[str]:
    """A line of this form; ADDRESS in it is the address, and what stands in `rest` begins the reason."""
    return re.compile(pattern.replace("ADDRESS", _ONE), re.VERBOSE | re.IGNORECASE)


_LABELS: Final = (
    *(r"(?:intended|failed|final|original|invalid|unknown|bad)?[ ]?recipients?(?:\(s\))?(?:[ ]address(?:\(?es\)?)?)?",),
    *(r"addressees?", r"(?:target[ ])?e?-?(?:mail[ ])?address(?:es)?(?:[ ]failed)?", r"user", r"mailbox"),
    *(r"delivery[ ](?:to|failed)[^:@]{0,40}", r"(?:could[ ]not|not)[ ]be(?:en)?[ ]delivered[^:@]{0,40}"),
    *(r"destinataires?", r"destinatarios?", r"empfänger"),
    *(r"宛先(?:アドレス)?", r"送信先", r"受信者", r"收件人"),
)
# The strongest first.
LAYOUTS: Final = (
    # qmail, Postfix, sendmail, ezweb, Vade:   <ana@x.example>: reason
    _layout(r"[\s>*-]{0,10} (?=[<\[]) ADDRESS \s{0,4} (?: [:：] | \.{3} | -+ | \( | < | $ ) (?P<rest>.*)"),
    # Exim, Exchange, biglobe:   an address on a line of its own, perhaps twice, with a reason or a time
    _layout(
        r"""[\s>*•-]{0,12} ADDRESS [,.;]? \s{0,8}
            (?: [<(\[] [^<>()]{1,300} [>)\]]? \s{0,8} )?   # once more, or where it was expanded from
            (?: [:：](?:\s|$) | \.{3} | -\s | on\s | $ ) (?P<rest>.*)"""
    ),
    # GroupWise:   name (ana@x.example)
    _layout(r"\s{0,10} [^\s:]{1,100} \s{1,8} (?=[(<]) ADDRESS \s{0,4} (?: [:：] | $ ) (?P<rest>.*)"),
    # Exchange, Notes, MailEnable and many gateways:   Failed recipient: ana@x.example
    _layout(rf"\W{{0,10}} (?: {'|'.join(_LABELS)} ) \s{{0,9}} [:：=] \s{{0,9}} ADDRESS (?P<rest>.*)"),
    # Zoho:   an address and its reason, with nothing between
    _layout(r"\s{0,10} ADDRESS \s{1,4} (?P<rest> (?-i:[A-Z(]) .*)"),
    # The reason before it:   User's mailbox is full: <ana@x.example>
    _layout(r"\s{0,10} (?-i:[A-Z0-9]) [^:@]{3,80} [:：] \s{0,9} ADDRESS \s{0,9} (?P<rest>$)"),
)
# What may name somebody else too.
WEAK: Final = (
    # The reply of a server, or a command it answered
    _layout(r"\W{0,10} (?: RCPT[ ]TO: | [45]\d\d[ -] ) [^@<]{0,100}? (?:\s|:) ADDRESS (?P<rest>.*)"),
    # A sentence
    _layout(
        r"""[^@]{0,200}
            \b (?: to | reach(?:ing)? | recipient | user | address | mailbox | account | for | of )
            :? [ ]{1,3} ADDRESS (?P<rest>.*)"""
    ),
    # The To of what is given back
    _layout(r"\W{0,10} to \s{0,9} : \s{0,9} [^@<]{0,60}? ADDRESS (?P<rest>$)"),
)
# Lines of a header: whom they name is not whom the mail did not reach.
_HEADER: Final = re.compile(
    r"\s{0,10}(?:message-id|from|cc|reply-to|sender|references|in-reply-to|return-path|mail from)\s{0,5}:",
    re.IGNORECASE,
)
# The address that a list or an alias put in place of the one we wrote to.
_EXPANDED: Final = re.compile(r"\s{0,10}\((?:expanded|generated) from:? <?([^\s<>()@]{1,128}@[^\s<>()@]{1,250})>?\)")

# Below such a line stand those whom it did not reach.
_ZONES: Final = (
    *(r"did not reach", r"delivery of e?-?mail to", r"not (?:be |been )?delivered to", r"did not receive"),
    *(r"(?:following|these|below|listed)[^@\n]{0,30} (?:address|recipient|user|destination|distribution)",),
    *(r"had (?:permanent|transient|delivery)", r"delivery (?:errors|problems)", r"address(?:es|\(es\))? failed"),
    *(r"failed recipients?", r"recipient\(s\)", r"recipients? returned"),
    *(
        r"メールアドレスへの送信に失敗",
        r"以下の(?:宛先|アドレス|メールアドレス)",
        r"次の(?:宛先|受信者)",
        r"送信できません",
    ),
)
_ZONE: Final = re.compile("|".join(_ZONES), re.IGNORECASE)

# Where a notice ends and the mail that it gives back begins.
_RULERS: Final = (
    *(r"this is a copy", r"below this line", r"copy of (?:your|the)", r"enclosed is", r"included is"),
    *(r"(?:your |the )?(?:original|unsent|undelivered|returned) (?:message|mail|header)", r"start of returned"),
    *(r"(?:the )?(?:message )?headers? (?:of the|from|follow)", r"message (?:text|header|contents|body)"),
    *(r"元のメ", r"送信されたメ"),
)
_GIVEN_BACK: Final = re.compile(
    rf"""[ \t]{{0,10}}
        (?: [-=_*+]{{2,}} [ \t]* (?: {"|".join(_RULERS).replace(" ", "[ ]")} )        # a ruler with words in it
          | (?:original|returned|your|unsent|bounced)[ ](?:message|e?-?mail)             # or a line of such words
            (?:[ ]headers?|[ ]text)? (?:[ ]follows)? [ ]?:\s*$
          | a[ ]copy[ ]of[ ](?:your|the)[ ][^\n:]{{0,60}}:\s*$                         # a sentence that ends in a colon
          | the[ ](?:first|beginning|header)[^\n:]{{0,60}}:\s*$
          | (?: received:[ ](?:from|by) | return-path: | x-original-to: | dkim-signature: | mime-version: )  # or itself
        )""",
    re.VERBOSE | re.IGNORECASE,
)


def divided(text: str) -> tuple[str, str]:
    """The notice, and what is given back below it; the whole text twice where nothing parts them."""
    position = 0
    for number, line in enumerate(text[: 2 * MAX_NOTICE].split("\n")):
        if number > 1 and position > _LEAST_NOTICE and _GIVEN_BACK.match(line[:_MAX_LINE]):
            return text[: min(position, MAX_NOTICE)], text[position:]
        position += len(line) + 1
    return text[:MAX_NOTICE], text


def lines_of(said: str) -> list[str]:
    """The first lines of a notice, cut to what a mail program writes into one."""
    return [line[:_MAX_LINE].rstrip() for line in said.split("\n", MAX_LINES)[:MAX_LINES]]


def zone_of(lines: list[str]) -> list[str]:
    """The lines that name those whom it did not reach, as far as a line says that they come; [] for none."""
    at = next((number for number, line in enumerate(lines) if _ZONE.search(line)), None)
    return [] if at is None else lines[at : at + _ZONE_LINES]


def by_layout(layout: re.Pattern[str], lines: list[str]) -> Iterator[tuple[str, str]]:
    """The addresses that stand in lines of this form, with what is said of them there and below."""
    count = 0
    for number, line in enumerate(lines):
        if "@" not in line or _HEADER.match(line):
            continue
        match = layout.match(line)
        address = normalise(match["address"].strip("'`.*")) if match else ""
        if match is None or not is_address(address):
            continue
        below = lines[number + 1 : number + 2 + _REASON_LINES]
        reason = _reason(match["rest"], below)
        yield address, reason
        if below and (origin := _EXPANDED.match(below[0])) and is_address(normalise(origin[1])):
            yield normalise(origin[1]), reason  # It is this one that we wrote to.
        count += 1
        if count >= MAX_RECIPIENTS:
            return


def _reason(rest: str, below: list[str]) -> str:
    """The rest of the line, and the lines below it up to a blank one or the next address."""
    words = [rest.strip()] if rest.strip(" \t.:>)") else []
    for number, line in enumerate(below):
        text = line.strip()
        if (not text and (words or number)) or (text and _begins_another(line)):
            break
        if text:
            words.append(text)
    return " ".join(words[:_REASON_LINES])


def _begins_another(line: str) -> bool:
    return "@" in line and any(layout.match(line) for layout in LAYOUTS[:2])
