"""The fields of a mail that stand in a text, as Outlook puts them above what it quotes: lines in, their values out.

Also what is common to all who look for quotes: the marks of a quote, dates, and how much of a line is looked at.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec

LOOKED_AT: Final = 400
"""Characters of a line, or of an introduction over several lines, that are looked at."""
FIELD_LINES: Final = 16
"""Lines that may belong to one block of fields."""

Field = Literal["from", "date", "to", "cc", "subject", "other"]

ONE_DATE: Final = re.compile(
    r"""
      (?<!\d) (?:19|20)\d\d (?!\d)                     # a year
    | \b\d{1,4} [./-] \d{1,2} [./-] \d{1,4} \b         # 12.05.26
    | \d{1,2} \s? 月 \s? \d{1,2} \s? 日
    | \d{1,2} \s? 월 \s? \d{1,2} \s? 일
    """,
    re.VERBOSE,
)
TIME: Final = re.compile(r"(?<![\d./-])\d{1,2}\s?[:.hH時时点]\s?\d{2}(?![.\d]?\d)")
_FIELD: Final = re.compile(r"[*_\s]{0,3}([^\s*_:：|][^*_:：|]{0,30}?)[*_]{0,2}\s?[:：][*_]{0,2}(?:\s(.*)|([^/\s].*)|)")
_TABLED: Final = re.compile(r"\|\s?([^|:：]{1,30}?)\s?[:：]?\s?\|\s?(.*?)\s?\|?")  # NetEase: "| From | Julia |"

_NAMES: Final[dict[Field, str]] = {
    "from": "from|von|de|da|van|från|fra|od|от|від|kimden|gönderen|feladó|lähettäjä|absender|expéditeur|remitente"
    "|mittente|afzender|odesílatel|nadawca|差出人|送信者|发件人|發件人|寄件者|寄件人|보낸 사람|보낸사람|مِن|من|מאת|từ",
    "date": "sent|date|sent on|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|date d’envoi|enviado|enviado el"
    "|enviado em|enviada|enviada em|fecha|data|inviato|verzonden|skickat|sendt|dato|wysłano|wysłane|отправлено|дата"
    "|надіслано|tarih|gönderildi|gönderme tarihi|elküldve|dátum|lähetetty|päivämäärä|päiväys|odesláno|送信日時|日時"
    "|日付|送信日|发送时间|发送日期|日期|时间|傳送日期|寄件日期|傳送時間|보낸 날짜|날짜|ngày",
    "to": "to|an|à|a|pour|para|aan|till|til|do|кому|kime|címzett|vastaanottaja|empfänger|destinataire|destinatario"
    "|komu|宛先|收件人|收件者|받는 사람|받는사람|אל|إلى|đến",
    "cc": "cc|kopie|copie|copia|kopia|kopi|копия|копія|bilgi|másolat|kopio|ccへ|抄送|副本|참조|bcc|cci|cco",
    "subject": "subject|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|тема|konu|tárgy|aihe"
    "|předmět|thema|件名|表題|题目|主题|主題|主旨|제목|chủ đề|נושא|الموضوع",
    "other": "reply-to|reply to|antwort an|répondre à|responder a|risposta|rispondi a|返信先|importance|priority"
    "|wichtigkeit|priorität|attachments|anlagen|pièces jointes|importancia|重要度|添付ファイル|附件"
    "|organization|on behalf of",
}
_NOTES_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4} \d{1,2}[:.]\d{2}(?: ?[AP]M)?(?: ?[A-Z]{2,5})?")
_KINDS: Final[dict[str, Field]] = {name: kind for kind, names in _NAMES.items() for name in names.split("|")}


class Fields(msgspec.Struct, frozen=True):
    """The fields of a mail that stand in a text: their values by kind, and the line after them."""

    values: dict[Field, str]
    end: int

    @property
    def is_head(self) -> bool:
        """Whether these are a mail's head, and not lines of a text that happen to begin like it."""
        values = self.values
        dated = ONE_DATE.search(values.get("date", "")) or TIME.search(values.get("date", ""))
        return "from" in values and len(values) >= 3 and ("subject" in values or bool(dated))


def fields_at(lines: Sequence[str], at: int, *, marked: bool = False) -> Fields | None:
    """The fields that begin on this line, None where there is none; `marked`: a quote's marks stand before them.

    A field may go on on the next line, and a blank line may stand between two, as when a client spreads its lines.
    """
    if _field(lines[at], marked) is None:
        return None
    values: dict[Field, str] = {}
    end, last = at, None
    for place in range(at, min(at + FIELD_LINES, len(lines))):
        found = _field(lines[place], marked)
        if found is not None:
            if found[0] in values and found[0] in ("from", "subject"):
                break  # the next head, of a mail that is quoted in this one
            last = found[0]
            values.setdefault(*found)
            end = place + 1
        elif not _bare(lines[place], marked):
            if place > end:  # two blank lines
                break
        elif place != end or not _goes_on(lines, place, marked):
            break
        else:
            end = place + 1
            if last is not None:
                values[last] = f"{values[last]} {_bare(lines[place], marked)}"[:LOOKED_AT]
    return Fields(values, end)


def _goes_on(lines: Sequence[str], at: int, marked: bool) -> bool:
    """Whether this line belongs to the field before it: another field follows at once, or nearly so."""
    for place in range(at + 1, min(at + 4, len(lines))):
        if not _bare(lines[place], marked):
            return False
        if _field(lines[place], marked) is not None:
            return True
    return False


def _bare(line: str, marked: bool) -> str:
    return unmarked(line[:LOOKED_AT]).strip() if marked else line[:LOOKED_AT].strip()


def _field(line: str, marked: bool) -> tuple[Field, str] | None:
    return _field_in(_bare(line, marked))


@lru_cache(maxsize=1_000)  # Each line is asked for again from the lines around it.
def _field_in(line: str) -> tuple[Field, str] | None:
    found = _FIELD.fullmatch(line)
    if found is None:
        found = _TABLED.fullmatch(line) if line.startswith("|") else None
        if found is None:
            return None
    kind = _KINDS.get(found[1].strip().casefold())
    return None if kind is None else (kind, next((value for value in found.groups()[1:] if value), "").strip(" \t*"))


def is_of_notes(lines: Sequence[str], at: int) -> bool:
    """Whether the head that Lotus Notes writes begins here: a name, a date, and names of fields on their own lines."""
    if at + 1 >= len(lines) or _NOTES_DATE.fullmatch(lines[at + 1][:LOOKED_AT].strip()) is None:
        return False
    following = [line[:40].strip().casefold() for line in lines[at + 2 : at + 2 + FIELD_LINES]]
    named = [_KINDS[line] for line in following if line in _KINDS]
    return "to" in named and "subject" in named


def unmarked(line: str) -> str:
    """The line without the marks of a quote."""
    return line.lstrip(" >＞")


def is_quoted(line: str) -> bool:
    """Whether the line bears the mark of a quote (RFC 3676 section 4.5), as some clients indent or widen it."""
    return line.startswith((">", " >", "＞"))
