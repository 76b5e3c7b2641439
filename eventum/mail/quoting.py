"""What somebody wrote, what he quoted, and his signature: the readable text of a mail, cut into pieces.

In flow: the text of a mail. Out flow: its pieces in order; joined by newlines they are the text again, so nothing is
ever lost by a wrong guess: a screen folds pieces, it removes none. Linear in the length of the text: each line is
looked at once, with at most a few that follow it.

Known are the quotes of RFC 3676 (">"), the lines that clients put before a quote in English, German, French, Spanish
and Japanese, the header blocks of Outlook, and the signature of RFC 3676 section 4.3 ("-- ").
"""

import re
from functools import lru_cache
from typing import Final, Literal

import msgspec

Kind = Literal["text", "quote", "signature"]

_LOOKED_AT: Final = 400  # Characters of a line, or of an introduction over several lines.
_FOLLOWING: Final = 6  # Lines that may belong to one introduction or header block.
_REMEMBERED: Final = 10_000  # Characters of a text whose pieces are remembered: a page that is opened again asks again.
_SHORT: Final = 3  # Lines of a quote that is shown where an answer to it follows.

_INTRODUCTION: Final = re.compile(
    r"""
      On\b .{6,300} \bwrote \s? :                                   # Gmail, Apple Mail, Thunderbird
    | Am\b .{6,300} \bschrieb\b .{0,150} :                          # the same in German
    | Le\b .{6,300} \ba \s [ée]crit \s? :                           # French, with a blank before the colon
    | El\b .{6,300} \bescribi[óo] \s? :                             # Spanish
    | \d{4}年 \s? \d{1,2}月 \s? \d{1,2}日 .{0,300} [:：]              # Gmail in Japanese
    | \d{4}[-/]\d{1,2}[-/]\d{1,2} .{1,250} <[^<>\s]{3,200}> \s? [:：]  # Gmail with a date of digits only
    """,
    re.VERBOSE,
)
_WEAK_INTRODUCTION: Final = re.compile(
    r"""
      .{1,300} (?: \bwrote | \bschrieb | \ba\s[ée]crit | \bescribi[óo] ) \s? [:：]  # "Julia <julia@x.example> wrote:"
    | .{1,300} (?: 書きました | のメッセージ | wrote ) 。? \s? [:：]                 # Becky!, Thunderbird in Japanese
    """,
    re.VERBOSE,
)
_BEGINS: Final = ("On ", "Am ", "Le ", "El ")
_DIVIDER: Final = re.compile(
    r"""
    \s? -{3,} \s?
    (?: original[ ]message | urspr(?:ü|ue)ngliche[ ]nachricht | original-nachricht  # Outlook, Thunderbird, German
      | message[ ]d['’]origine | message[ ]original | mensaje[ ]original            # French, Spanish
      | 元のメッセージ | original[ ]appointment                                       # Japanese; an invitation
      | forwarded[ ]message | weitergeleitete[ ]nachricht | message[ ]transféré     # what was sent on
      | mensaje[ ]reenviado | 転送メッセージ | 転送されたメッセージ )
    \s? :? \s? -{3,} \s?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENT_ON: Final = re.compile(
    r"""
      begin[ ]forwarded[ ]message \s? :                    # Apple Mail
    | anfang[ ]der[ ]weitergeleiteten[ ]nachricht \s? :
    | d[ée]but[ ]du[ ]message[ ]r[ée]exp[ée]di[ée] \s? :
    | inicio[ ]del[ ]mensaje[ ]reenviado \s? :
    | 転送されたメッセージ \s? [:：]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FROM: Final = re.compile(r"\*?(?:From|Von|De|差出人|送信者)\s?[:：]")
_OTHER_FIELD: Final = re.compile(
    r"""
    \*?(?: Sent | Date | To | Cc | Subject | Gesendet | Datum | An | Betreff      # English, German
         | Envoy[ée] | À | A | Objet | Enviado | Fecha | Para | CC | Asunto       # French, Spanish
         | 送信日時 | 日時 | 日付 | 宛先 | 件名 )                                    # Japanese
    (?:[ ]\(?[a-zà-ÿ]{2,8}\)?)? \*? \s? [:：]                                      # "Envoyé le :", "Enviado el:"
    """,
    re.VERBOSE,
)


class Piece(msgspec.Struct, frozen=True):
    """Some lines of a text. `folded`: whoever reads the mail does not need them at first."""

    kind: Kind
    text: str
    folded: bool = False

    @property
    def lines(self) -> int:
        """How many lines have something on them."""
        return sum(1 for line in self.text.split("\n") if line.strip())


def pieces(text: str) -> tuple[Piece, ...]:
    """The text in its pieces, in order; a text without quotes and signature is one piece."""
    return _pieces(text) if len(text) <= _REMEMBERED else _pieces.__wrapped__(text)


@lru_cache(maxsize=512)
def _pieces(text: str) -> tuple[Piece, ...]:
    lines = text.split("\n")
    kinds = _kinds(lines)
    found: list[Piece] = []
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or kinds[end] != kinds[start]:
            found.append(Piece(kinds[start], "\n".join(lines[start:end])))
            start = end
    return _folded(_without_blanks(found))


def _kinds(lines: list[str]) -> list[Kind]:
    """What each line is; blank lines between two lines of a quote belong to it."""
    kinds: list[Kind] = ["text"] * len(lines)
    at, current = 0, "text"
    while at < len(lines):
        line = lines[at][:_LOOKED_AT]
        if _is_quoted(line):
            end = _end_of_quote(lines, at)
            kinds[at:end] = ["quote"] * (end - at)
            at, current = end, "text"
        elif introduced := _introduction(lines, at):
            kinds[at:introduced] = ["quote"] * (introduced - at)
            at, current = introduced, "text"
        elif _begins_rest(lines, at):
            kinds[at:] = ["quote"] * (len(lines) - at)
            break
        else:
            if line.rstrip("\r") in ("-- ", "--"):
                current = "signature"
            kinds[at] = "signature" if current == "signature" else "text"
            at += 1
    return kinds


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >", "＞"))


def _end_of_quote(lines: list[str], at: int) -> int:
    """The line after a block of quoted lines; blank ones at its end are not part of it."""
    end = at
    while at < len(lines) and (_is_quoted(lines[at]) or not lines[at].strip()):
        if lines[at].strip():
            end = at + 1
        at += 1
    return end


def _introduction(lines: list[str], at: int) -> int:
    """The first line of the quote that the lines from here introduce; 0 when they introduce none."""
    first = lines[at].strip()
    if not first:
        return 0
    if not first.startswith(_BEGINS):
        after = _next_written(lines, at + 1)
        plain = _WEAK_INTRODUCTION.fullmatch(first[:_LOOKED_AT]) or _INTRODUCTION.fullmatch(first[:_LOOKED_AT])
        return after if plain and after < len(lines) and _is_quoted(lines[after]) else 0
    # Such a line is long, and often folded by the client that wrote it.
    last = _last_of_introduction(lines, at)
    after = _next_written(lines, last + 1) if last is not None else len(lines)
    return after if after < len(lines) and _is_quoted(lines[after]) else 0


def _last_of_introduction(lines: list[str], at: int) -> int | None:
    whole = ""
    for last in range(at, min(at + 3, len(lines))):
        whole = f"{whole} {lines[last].strip()[:_LOOKED_AT]}".strip()
        if len(whole) > _LOOKED_AT or _is_quoted(lines[last]):
            return None
        if whole.endswith((":", "：")):
            return last if _INTRODUCTION.fullmatch(whole) else None
    return None


def _next_written(lines: list[str], at: int) -> int:
    """The next line with something on it, at most a few further on; the number of lines when there is none."""
    for place in range(at, min(at + _FOLLOWING, len(lines))):
        if lines[place].strip():
            return place
    return len(lines)


def _begins_rest(lines: list[str], at: int) -> bool:
    """Whether all from this line on is somebody else's mail, without a mark on its lines."""
    line = lines[at].strip()[:_LOOKED_AT]
    if not line:
        return False
    if _DIVIDER.fullmatch(line) or _SENT_ON.fullmatch(line):
        return True
    if set(line) == {"_"} and len(line) > 9:  # Outlook's ruler
        after = _next_written(lines, at + 1)
        return after < len(lines) and _is_header_block(lines, after)
    if _FROM.match(line):
        return _is_header_block(lines, at)
    if line.startswith(_BEGINS):
        return _last_of_introduction(lines, at) is not None
    return _INTRODUCTION.fullmatch(line) is not None


def _is_header_block(lines: list[str], at: int) -> bool:
    """Whether a mail's fields stand here as text, as Outlook puts them above what it quotes."""
    if not _FROM.match(lines[at].strip()[:_LOOKED_AT]):
        return False
    following = (line.strip()[:_LOOKED_AT] for line in lines[at + 1 : at + 1 + _FOLLOWING])
    return sum(1 for line in following if _OTHER_FIELD.match(line)) >= 2


def _without_blanks(found: list[Piece]) -> list[Piece]:
    """The same pieces, with those that have nothing but blank lines added to the one before."""
    kept: list[tuple[Kind, list[str]]] = []
    for piece in found:
        if kept and (not piece.text.strip() or kept[-1][0] == piece.kind):
            kept[-1][1].append(piece.text)
        else:
            kept.append((piece.kind, [piece.text]))
    return [Piece(kind, "\n".join(texts)) for kind, texts in kept]


def _folded(found: list[Piece]) -> tuple[Piece, ...]:
    """Which of them are folded: not what stands alone, and no short quote that is answered below it."""
    written = [place for place, piece in enumerate(found) if piece.kind == "text" and piece.text.strip()]
    if not written:
        return tuple(found)
    last = written[-1]
    return tuple(
        msgspec.structs.replace(piece, folded=piece.kind != "text" and (place > last or piece.lines > _SHORT))
        for place, piece in enumerate(found)
    )
