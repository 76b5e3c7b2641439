"""Where a signature stands in some lines that one person wrote: lines in, the spans that are a signature out.

Known are the mark of RFC 3676 section 4.3 ("-- "), what telephones and programs put below a mail, the footers of
mailing lists, and the blocks between rules of signs that are usual in Japan.  Whoever only guesses must be sure: a rule
counts with an address, a telephone number or the like below it, and never with much text.
"""

import re
from collections.abc import Sequence
from typing import Final

from eventum.mail.quotes.programs import is_program, is_sent_from

_LOOKED_AT: Final = 300  # characters of a line
_LAST: Final = 60  # lines at the end in which a signature begins
_MARKED: Final = 30  # lines with something on them that a signature has behind "-- "
_GUESSED: Final = 14  # and behind anything else
_AFTER_PROGRAM: Final = 2
_LONG: Final = 90  # characters of a line that is no address

_MARK: Final = frozenset({"-- ", "--", "- --", "- -- ", "—", "__", "--\xa0", "-- -", "ᐧ"})
_SIGNS: Final = frozenset("-_=*~+#─━—–＿＝＊☆★◆◇■□●○※・…\"'./\\|^:;<>┏┓┗┛┌┐└┘┃│ 　")
_OF_JAPAN: Final = frozenset("─━＿＝＊☆★◆◇■□●○※・┏┓┗┛┌┐└┘")

_SURELY: Final = re.compile(
    r"""
      \b(?: tel | fax | phone | fon | telefon | mobile? | cell | tél | teléfono | direct ) .{0,4} [:：.\s] .{0,6} \d
    | (?: 電話 | 携帯 | 内線 | 电话 | 手机 | 傳真 | 传真 ) .{0,4} [:：.\s] .{0,6} \d
    | \b(?: tel | fax | ph ) \s? [/：:.]
    | \(?\+?\d{1,4}\)? [-\s./(]{1,2} \d{1,4} [-\s./)]{1,2} \d{3,4} (?: [-\s]? \d{2,4} ){0,2} \s* $   # a number alone
    | 〒 \s? \d{3} | mailing\slist | unsubscribe | メールマガジン
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAYBE: Final = re.compile(
    r"""
      [^\s<>@]{1,64} @ [^\s<>@]{3,100} \. \w{2,12} >? \s* $                           # a line that ends in an address
    | ^ \W{0,4} (?: [\w-]{2,8} \s? [:：] \s? )? (?: https?:// | www\. ) \S{4,200} \s* $   # or is one of the web
    | 株式会社 | 有限会社 | 合同会社 | \(株\) | （株） | ㈱ | 有限公司
    | \b(?: gmbh | s\.?a\.?r\.?l | inc | ltd | llc | co\. ) (?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def signatures(lines: Sequence[str], start: int, end: int) -> list[tuple[int, int]]:
    """The spans between `start` and `end`, lines of one writer, that are a signature: at most one at their end, and
    lines of a telephone anywhere in them.
    """
    first = max(start, end - _LAST)
    written = [place for place in range(first, end) if lines[place].strip()]
    for order, place in enumerate(written):
        below = len(written) - order - 1
        line = lines[place][:_LOOKED_AT].rstrip("\r")
        if line in _MARK or line.rstrip() in _MARK:
            others = [lines[other][:_LOOKED_AT] for other in written[order + 1 :]]
            if not line.startswith("-- ") and _is_divider(others):
                continue
            if below <= (_MARKED if line.startswith("-- ") else _GUESSED) and (below or line.startswith("-")):
                return [(place, end)]
        elif is_program(line):
            if below <= _AFTER_PROGRAM or all(is_sent_from(lines[other]) for other in written[order + 1 :]):
                return [(place, end)]
            if _stands_alone(lines, place, end):
                return [(place, place + 1), *signatures(lines, place + 1, end)]
        elif (below <= _GUESSED and _is_rule(line) and _is_contact(line, lines[place + 1 : end])) or (
            not below and is_sent_from(line) and _stands_alone(lines, place, end)
        ):
            return [(place, end)]
    return []


def _is_divider(below: Sequence[str]) -> bool:
    """Whether a mark divides points of a text: words stand below it, and then such a mark again."""
    marks = [order for order, line in enumerate(below) if line.rstrip() in _MARK]
    return bool(marks) and any(sign.isalnum() for line in below[: marks[-1]] for sign in line)


def _stands_alone(lines: Sequence[str], at: int, end: int) -> bool:
    return (at == 0 or not lines[at - 1].strip()) and (at + 1 >= end or not lines[at + 1].strip())


def _is_rule(line: str) -> bool:
    line = line.strip()
    return len(line) >= 4 and _SIGNS.issuperset(line)


def _is_contact(rule: str, below: Sequence[str]) -> bool:
    """Whether what stands below a rule are somebody's addresses, and not the last lines of what he wrote."""
    rule = rule.strip()
    lines = [line[:_LOOKED_AT].strip() for line in below]
    lines = [line for line in lines if line and not _is_rule(line)]
    if not lines:
        return False
    known = [2 if _SURELY.search(line) else 1 if _MAYBE.search(line) else 0 for line in lines]
    if any(len(line) > _LONG and not sure for line, sure in zip(lines, known, strict=True)):
        return False  # somebody goes on writing
    if len(rule) >= 10 and set(rule) == {"_"} and len(lines) <= 5:
        return True  # what mailing lists put below a mail
    enough = 1 if _OF_JAPAN.intersection(rule) or "_/_/" in rule else 2
    return sum(known) >= enough and sum(known) * 4 >= len(lines)
