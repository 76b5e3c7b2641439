"""Why a mail did not arrive: what servers say in codes and in words, as one enhanced status code (RFC 3463).

Flows in: a code as a report gives it, and the far end's words. Flows out: a code, "" when nothing tells one. Servers
write "5.0.0" and mean a full mailbox; their words are believed where the code says nothing.
"""

import re
from typing import Final

MAX_WORDS: Final = 4_000  # characters that are looked at

# Behind a reply code, in brackets with a hash (qmail), or at the beginning of a Status field.
_ENHANCED: Final = re.compile(r"(?<![\w.])([245])\.(\d{1,2})\.(\d{1,3})(?![\w.]|-\d)", re.ASCII)
_REPLY: Final = re.compile(r"(?<![\w.:-])([45])\d\d(?=[ -]\S)", re.ASCII)
_SAYS_NOTHING: Final = ("", "0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0")

# What servers write, in lower case, and the subject and detail of RFC 3463 section 3 that it means; the first wins.
WORDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "2.2",
        (
            *("mailbox full", "mailbox is full", "user is full", "mail box full", "mail box is full"),
            *("over quota", "overquota", "quota exceed", "exceeded quota", "exceeded its quota", "exceeded storage"),
            *("quota violation", "disk quota", "out of storage", "insufficient disk", "not enough storage"),
            *("exceeds the quota", "exceeding quota", "quota is full", "exceeded the local limit", "storage limit"),
            *("exceeded the space limit", "exceeded their quota", "is full", "mailfolder is full", "quota full"),
            *(
                "no space left",
                "exceeds allowed size",
                "user full",
                "boîte pleine",
                "postfach ist voll",
                "buzón lleno",
                "casella piena",
            ),
            *(
                "メールボックスが一杯",
                "メールボックスがいっぱい",
                "容量オーバー",
                "容量を超え",
                "容量がいっぱい",
                "邮箱已满",
            ),
        ),
    ),
    (
        "3.4",
        (
            *("message too large", "message too big", "message size exceeds", "size exceeds", "exceeds size limit"),
            *("message file too big", "exceeded maximum message size", "message is too large", "maximum size"),
            *(
                "size limit exceeded",
                "larger than the current system limit",
                "message exceeds",
                "exceeds maximum",
                "too large",
            ),
            *("サイズが大き", "サイズの上限", "超过大小"),
        ),
    ),
    (
        "2.1",
        (
            *("mailbox disabled", "account disabled", "account has been disabled", "account is disabled"),
            *("account inactive", "account is inactive", "user is inactive", "mailbox is inactive", "inactive user"),
            *("account has been suspended", "account suspended", "mailbox unavailable or access denied"),
            *(
                "disabled or discontinued",
                "account is locked",
                "user account is blocked",
                "account closed",
                "deactivated",
            ),
            *("account expired", "account has expired", "not active", "停止され", "受信を停止"),
        ),
    ),
    (
        "1.1",
        (
            *(
                "user unknown",
                "unknown user",
                "no such user",
                "user not found",
                "no such recipient",
                "unknown recipient",
            ),
            *("recipient unknown", "user does not exist", "user doesn't exist", "does not exist", "doesn't exist"),
            *("unknown or illegal", "invalid recipient", "recipient not found", "address unknown", "unknown address"),
            *("no mailbox here by that name", "no such mailbox", "mailbox not found", "mailbox unknown"),
            *("unknown mailbox", "no such account", "no account by that name", "not a known user", "not listed in"),
            *(
                "invalid address",
                "no matches to nameserver query",
                "no such address",
                "recipient address rejected",
                "address rejected",
                "addressee unknown",
                "invalid user",
            ),
            *(
                "not our customer",
                "no local mailbox",
                "unknown local part",
                "unrouteable address",
                "mailbox unavailable",
            ),
            *("no user", "invalid mailbox", "bad destination mailbox", "unknown account", "isn't known", "not known"),
            *("user not known", "doesn't have a", "does not have an account", "badly formed or does not exist"),
            *(
                "couldn't be found",
                "could not be found",
                "can't be found",
                "no valid recipient",
                "unbekannter empfänger",
            ),
            *("empfänger unbekannt", "utilisateur inconnu", "destinataire inconnu", "usuario desconocido"),
            *("utente sconosciuto", "宛先不明", "宛先がありません", "存在しません", "見つかりません", "ユーザーが不明"),
            *("該当するアドレス", "不存在", "没有此用户"),
        ),
    ),
    (
        "1.2",
        (
            *("host unknown", "unknown host", "host not found", "domain not found", "no such domain", "unknown domain"),
            *(
                "could not find a gateway",
                "domain does not exist",
                "name service error",
                "couldn't find any host",
                "unable to find host",
            ),
            *(
                "no such host",
                "host or domain name not found",
                "domain name not found",
                "could not resolve",
                "nxdomain",
            ),
            *("no mx", "unrouteable mail domain", "couldn't find a mail exchanger", "bad domain", "invalid domain"),
        ),
    ),
    (
        "7.1",
        (
            *("spam", "blacklist", "black list", "blocklist", "block list", "blocked using", "listed at", "junk mail"),
            *("poor reputation", "bad reputation", "unsolicited", "迷惑メール", "垃圾邮件"),
            *("access denied", "relaying denied", "relay access denied", "relay not permitted", "not permitted"),
            *("rejected by policy", "policy violation", "policy reason", "administratively", "not authorized"),
            *("rejected by the domain filter", "domain filter", "refused by recipient", "受信拒否"),
        ),
    ),
    ("6.0", ("content rejected", "virus", "malware", "prohibited attachment", "attachment type", "ウイルス")),
    ("4.6", ("too many hops", "hop count", "mail loop", "loops back", "loop detected", "routing loop")),
    (
        "4.7",
        (
            *("too long in queue", "been in the queue too long", "retry timeout exceeded", "retry time not reached"),
            *(
                "retry timeout",
                "could not be delivered for the last",
                "delivery time expired",
                "unable to deliver after",
            ),
            *("message expired", "not deliver it after", "maximum retry", "giving up on", "delivery expired"),
        ),
    ),
    (
        "4.1",
        (
            *("connection timed out", "operation timed out", "connection refused", "no route to host", "timed out"),
            *("could not connect", "couldn't connect", "unable to connect", "not responding", "host is unreachable"),
            *("did not respond", "network is unreachable", "unable to establish an smtp connection", "timeout"),
            *("lost connection", "no answer from host", "temporarily unreachable"),
        ),
    ),
)
_SPAM: Final = ("spam", "junk mail", "unsolicited", "迷惑メール", "垃圾邮件")


def code_in(text: str) -> str:
    """The first enhanced code in words of a server, "" without one."""
    found = _ENHANCED.search(text[:MAX_WORDS])
    return f"{found[1]}.{int(found[2])}.{int(found[3])}" if found else ""


def status_of(said: str, words: str, *, failed: bool) -> str:
    """The code a report means: the one it gives (`said`), where that says nothing one in the words, or their sense.

    `failed`: the mail was given up, which makes a permanent failure of what the words leave open.
    """
    own, other = code_in(said), _most_telling(words)
    for code in (own, other):
        if code and not code.startswith("2") and code[2:] not in _SAYS_NOTHING:
            return code
    if own.startswith("2"):
        return own
    kind = own[:1] or other[:1] or _class_of(words) or ("5" if failed else "4")
    sense = meant(words)
    return f"{kind}.{sense}" if sense else own or other


def meant(words: str) -> str:
    """Subject and detail that a server's words mean ("2.2"), "" when they are not known."""
    low = words[:MAX_WORDS].lower()
    return next((sense for sense, phrases in WORDS if any(phrase in low for phrase in phrases)), "")


def calls_it_spam(words: str) -> bool:
    """Whether a server says that it takes the mail for spam, for which there is no code."""
    low = words[:MAX_WORDS].lower()
    return any(phrase in low for phrase in _SPAM)


def _most_telling(words: str) -> str:
    codes = [f"{kind}.{int(a)}.{int(b)}" for kind, a, b in _ENHANCED.findall(words[:MAX_WORDS])]
    codes = [code for code in codes if not code.startswith("2")]
    return next((code for code in codes if code[2:] not in _SAYS_NOTHING), codes[0] if codes else "")


def _class_of(words: str) -> str:
    found = _REPLY.search(words[:MAX_WORDS])
    return found[1] if found else ""
