"""The words by which clients mark somebody else's mail: one line, or a few, in; what they are out.

Known are the lines before a quote and the dividers of answers and of what is sent on, as clients write them in some
twenty languages.  Every pattern is anchored, and none looks at more than `LOOKED_AT` characters of a line.
"""

import re
from collections.abc import Sequence
from typing import Final

from eventum.mail.quotes.fields import LOOKED_AT, ONE_DATE, TIME, is_quoted

_INTRODUCTION_LINES: Final = 6
_BLANKS_BEFORE: Final = 2

_WROTE: Final = re.compile(
    r"""
      \b(?: wrote | writes | schrieb(?:en)? | geschrieben | a\sécrit | a\secrit | ha\sescrito | escribi[óo]
          | ha\sscritto | escreveu | schreef | geschreven | skrev | skrifaði | kirjoitti | napisał(?:\(a\)|a)?
          | napsala?(?:\(a\))? | napísala? | írta | a\sscris | yazdı | menulis | đã\sviết | έγραψε )(?!\w)
    | \b(?: wrote | sent | said | posted ) (?= \s? [:：] $ )              # and nothing between it and the colon
    | (?: написала? | писала? | пишет | написав | написа | пише ) (?!\w)         # Russian, Ukrainian, Bulgarian
    | 写道 | 寫道 | 写到 | 写于 | 撰写 | 書きました | 書かれました | 書いた   # Chinese, Japanese
    | のメール | のメッセージ | からのメール | 作成 (?=\s?[:：]) | 작성 | 썼습니다   # Apple Mail in Japanese; Korean
    | \bכתב | \bكتب
    """,
    re.VERBOSE,
)
_ADDRESS: Final = re.compile(r"[^\s<>@]{1,100}@[^\s<>@]{1,150}")
_OPENER: Final = re.compile(
    r"""
      (?: On | At | In | Am | Le | El | En | Il | Op | Den | Em | Dnia | W\sdniu | Dne | Dňa | På | Pe | Pada | Vào | Ha
        | No\sdia | В | На | У | Στις | בתאריך | في ) \b
    | [在于於] \s? \d                                 # Apple Mail and Foxmail in Chinese
    | \d                                             # a date, or a time
    | \w{2,14} \.? ,? \s \d                          # a day of the week before the date
    | [^\s<>@][^<>@]{0,80} < [^\s<>@]{1,100} @ [^\s<>@]{1,150} > ,? \s?
      (?: \(?\d | schrieb\sam | wrote\son | 于 | 於 | さんは | ezt\sírta )   # who, and then when, as Gmail in German
    | [^\s<>@]{1,100} @ [^\s<>@]{1,150} \s (?: schrieb\sam | 于 | 於 )
    | < [^\s<>@]{1,100} @                            # the same, its name on the line before
    | ["“„«] [^"”“»]{1,80} ["”“»] \s? <              # a name in quotes
    """,
    re.VERBOSE,
)
_CLOSES: Final = re.compile(r"\s?>[\w\s]{0,20}[:：]")  # an introduction that was folded inside an address
_NAMED: Final = re.compile(
    r"""
    \s{0,3} (?: Quoting | Zitat\svon | Citando(?:\sa)? | Quota | Citaat\svan | En\sréponse\sà | 引用 ) \b .{1,300} [:：]
    """,
    re.VERBOSE,
)  # Horde and others
_STROKES: Final = ("-", "=", "_", "~", "—", "–", "─", "━", "*", "#")
_LOTUS: Final = ("Inactive hide", "Details", "Inaktiv")
_OF_LOTUS: Final = re.compile(
    r"""
    (?: Inactive\shide\sdetails\sfor | Details\sverbergen\sfür | Inaktiv:\sDetails ) \b .{1,300}
    """,
    re.VERBOSE,
)
_ZOHO: Final = re.compile(r"-{2,}\s?.{6,300}\s-{2,}")
_YAHOO: Final = re.compile(r"-{2,4}\s?On\b.{6,250}\bwrote:")  # of about 2010: a date without a time
_WORDS_OF_ANSWERS: Final = r"""
      original[ ](?: message | e?-?mail | appointment ) | replied[ ]message
    | urspr(?:ü|ue)ngliche[ ](?:nachricht|e-?mail) | original-?nachricht | originalnachricht | originalmail
    | message[ ](?: d['’]origine | original | initial | origine ) | courriel[ ]original
    | mensaje[ ]original | correo[ ]original | mensagem[ ]original | messaggio[ ]originale
    | oorspronkelijk[ ]bericht | originalmeddelande | ursprungligt[ ]meddelande | opprinnelig[ ]melding
    | oprindelig[ ]meddelelse | alkuperäinen[ ]viesti
    | (?:oryginalna[ ]wiadomość|wiadomość[ ]oryginalna) | původní[ ]zpráva | eredeti[ ]üzenet | orijinal[ ]mesaj
    | (?:исходное|оригинальное)[ ]сообщение | оригінальне[ ]повідомлення
    | original (?=\s?-) | 元のメッセージ | オリジナルメッセージ | 元のメール
    | 原始邮件 | 原始郵件 | 原始信息 | 原始訊息 | 原始信件 | 原邮件 | 邮件原件 | 回复的原邮件
    | 回复的邮件 | 원본[ ]메시지
"""
_WORDS_OF_FORWARDS: Final = r"""
      forwarded[ ](?: message | e?-?mail | letter ) (?: [ ]from[ ].{1,200} )? | forwarded[ ]by[ ].{1,200}
    | weitergeleitete[ ](?:nachricht|e-?mail|mail) | weitergeleitet[ ]von[ ].{1,200}
    | message[ ](?:transféré|réexpédié) | transféré[ ]par[ ].{1,200}
    | mensaje[ ]reenviado | reenviado[ ]por[ ].{1,200} | mensagem[ ](?:encaminhada|reencaminhada)
    | messaggio[ ]inoltrato | inoltrato[ ]da[ ].{1,200} | doorgestuurd[ ]bericht | vidarebefordrat[ ]meddelande
    | videresendt[ ](?:melding|meddelelse) | przekazana[ ]wiadomość | wiadomość[ ]przekazana | přeposlaná[ ]zpráva
    | пересылаемое[ ]сообщение | пересланное[ ]сообщение | переслане[ ]повідомлення | välitetty[ ]viesti
    | 転送メッセージ | 転送されたメッセージ | 転送メール | 転送された(?:メール|メッセージ)
    | 转发的邮件 | 转发邮件(?:信息)? | 转发的原邮件 | 转发的消息 | 轉寄郵件 | 轉寄的郵件 | 轉寄信件
    | 被转发邮件 | 전달된[ ]메시지
"""
_RULER_BEFORE: Final = r"[*\s]{0,3} [-=_~—–─━]{2,} [*\s]{0,3}"
_DIVIDER: Final = re.compile(
    f"{_RULER_BEFORE} (?: &nbsp; )? (?: {_WORDS_OF_ANSWERS} ) (?: &nbsp; )?"  # QQ sends its entities as text
    " \\s? [:：]? [*\\s]{0,3} [-=_~—–─━]* [*\\s]*",
    re.VERBOSE | re.IGNORECASE,
)
_SENT_ON: Final = re.compile(
    f"{_RULER_BEFORE} (?: {_WORDS_OF_FORWARDS} ) \\s? [:：]? [*\\s]{{0,3}} [-=_~—–─━]* [*\\s]*",
    re.VERBOSE | re.IGNORECASE,
)
_BEGIN_SENT_ON: Final = re.compile(
    r"""
    (?: begin[ ]forwarded[ ]message                                          # Apple Mail
      | anfang[ ]der[ ]weitergeleiteten[ ](?:nachricht|e-?mail)
      | d[ée]but[ ]du[ ]message[ ](?:r[ée]exp[ée]di[ée]|transf[ée]r[ée])
      | inicio[ ]del[ ]mensaje[ ]reenviado | in[ií]cio[ ]da[ ]mensagem[ ](?:re)?encaminhada
      | inizio[ ](?:del[ ])?messaggio[ ]inoltrato | begin[ ]doorgestuurd[ ]bericht
      | vidarebefordrat[ ]brev | videresendt[ ](?:besked|melding) | początek[ ]przekazanej[ ]wiadomości
      | начало[ ]переадресованного[ ]сообщения
      | 転送されたメッセージ | 以下は転送されたメッセージです | 下面是被转发的邮件
      | 以下是轉寄的郵件 | 開始轉寄郵件 | 开始转发的邮件
      | 전달된[ ]메시지 ) \s? [:：]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ABOVE: Final = re.compile(
    r"""
    [-#=*_~\s]{0,10} (?: please[ ] | bitte[ ] )? (?: \w+[ ]){0,4}
    (?: (?:reply|replies|type|write|respond|answer)[ ] .{0,40} above[ ]this[ ]line
      | oberhalb[ ]dieser[ ]zeile .{0,30} | au-dessus[ ]de[ ]cette[ ]ligne .{0,30}
      | (?:por[ ])?encima[ ]de[ ]esta[ ]l[ií]nea .{0,30} ) [-#=*_~\s.:]*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RULER: Final = re.compile(r"[*\s]{0,3}[-_=—]{3,}[*\s]{0,3}")
_DIRECTIONS: Final = dict.fromkeys((0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def is_ruler(line: str) -> bool:
    """Whether the line is a rule of dashes or the like, as stands above a mail's fields."""
    return _RULER.fullmatch(line[:LOOKED_AT]) is not None


def divides(line: str) -> bool:
    """Whether all below this line is a mail that is answered: "-----Original Message-----", "Reply above this line"."""
    line = line[:LOOKED_AT].strip()
    if not line.startswith(_STROKES):
        return line.startswith(_LOTUS) and _OF_LOTUS.fullmatch(line) is not None
    if (_DIVIDER.fullmatch(line) or _ABOVE.fullmatch(line) or _YAHOO.fullmatch(line)) is not None:
        return True
    return line.endswith("--") and _ZOHO.fullmatch(line) is not None and _is_introduction(line.strip(" -"))


def sends_on(line: str) -> bool:
    """Whether all below this line is a mail that was sent on: "---------- Forwarded message ---------"."""
    line = line[:LOOKED_AT].strip()
    if line.startswith(_STROKES):
        return _SENT_ON.fullmatch(line) is not None
    return line.endswith((":", "：")) and _BEGIN_SENT_ON.fullmatch(line) is not None


def introductions(lines: Sequence[str]) -> dict[int, tuple[int, bool]]:
    """The lines that introduce a quote: by their first line the line after them, and whether no mark need follow.

    Clients fold such a line, and where is not known beforehand; so it is found from its end, the colon.
    """
    found: dict[int, tuple[int, bool]] = {}
    for last, line in enumerate(lines):
        line = _plain(line)
        if line[:1].isdigit() and line.endswith(">") and ONE_DATE.search(line) and _ADDRESS.search(line):
            found[last] = (last + 1, False)  # Gmail of about 2010, which ends without a colon
            continue
        if not line.endswith((":", "：")) or (is_quoted(line) and _CLOSES.fullmatch(line) is None):
            continue
        first = _first_line(lines, last)
        if first is not None:
            found[first] = (last + 1, True)
        elif (
            not is_quoted(line)
            and (_WROTE.search(line) or _ADDRESS.search(line) or _NAMED.fullmatch(line))
            and not line.startswith("http")
        ):
            found[last] = (last + 1, False)
    return found


def _plain(line: str) -> str:
    """The line without the signs of direction that clients put around names."""
    line = line[:LOOKED_AT]
    return (line if line.isascii() else line.translate(_DIRECTIONS)).rstrip()


def _first_line(lines: Sequence[str], last: int) -> int | None:
    """Where the introduction that ends on this line begins; None when none ends here."""
    whole, blanks = "", 0
    for first in range(last, max(last - _INTRODUCTION_LINES, -1), -1):
        line = _plain(lines[first]).lstrip()
        if not line:
            blanks += 1
            if blanks > _BLANKS_BEFORE or _OPENER.match(whole):
                return None
            continue
        whole = f"{line} {whole}".rstrip()
        if (
            len(whole) > LOOKED_AT
            or (first < last and is_quoted(line))
            or (first < last and line.endswith((":", "：")))
        ):
            return None
        if _is_introduction(whole):
            # A name that stands on a line of its own before its address.
            before = lines[first - 1].strip() if first and line.startswith("<") else ""
            return first - 1 if before and len(before) <= 60 and before[-1] not in ".!?:。" else first
    return None


def _is_introduction(whole: str) -> bool:
    return bool(
        _OPENER.match(whole)
        and (_WROTE.search(whole) or _ADDRESS.search(whole))
        and ONE_DATE.search(whole)
        and TIME.search(whole)
    )
