"""Mails as a help desk gets them, the same for the same seed: `python bench/generate.py --count 2000 --out FOLDER`.

Of every hundred mails 60 are plain text of about 2 KB, 25 carry 10-40 KB of HTML beside their text, 12 a file of
50-300 KB and 3 one of 2 MB. Half of all answer an earlier mail, mostly a recent one (exponentially distributed, 60
mails back in the mean); half of the answers are by whoever began. 400 people write, in UTF-8, ISO-8859-1, ISO-2022-JP
and US-ASCII. The first mails of a long mailbox are those of a short one with the same seed.
"""

import argparse
import base64
import quopri
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

PEOPLE = 400
MEAN_DISTANCE = 60
NAMED_BEFORE = 20  # Ids a References header holds at most.
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

SHAPES = ["plain"] * 60 + ["alternative"] * 25 + ["attachment"] * 12 + ["large"] * 3
CHARSETS = {"utf-8": 50, "iso-8859-1": 25, "us-ascii": 15, "iso-2022-jp": 10}

ENGLISH = (
    "hello thanks the a to of and is not please could you have since yesterday our printer invoice login password "
    "server error page order customer delivery update backup screen attached report again nobody answers office "
    "cannot open file when I click on save it says unknown problem with account number before Friday"
).split()
GERMAN = (
    "Grüße für über können möchte Rückfrage Störung Drucker Prüfung nächste Gerät geändert Schlüssel Lösung "
    "Übergabe außerdem heißt größer läuft nicht mehr seit wir haben die der das bitte"
).split()
JAPANESE = (
    "お世話になっております 印刷 できません 請求書 を 送って ください 画面 が 表示 されない 昨日 から 接続 エラー "
    "確認 お願い いたします パスワード 更新 ありがとう ございます 添付 資料"
).split()
SIGNS = "€ … „so“ – ✓ Ελλάδα Łódź 😀".split()
WORDS = {
    "us-ascii": ENGLISH,
    "iso-8859-1": [*ENGLISH[:20], *GERMAN],
    "iso-2022-jp": JAPANESE,
    "utf-8": [*ENGLISH, *GERMAN, *SIGNS],
}
FIRST_NAMES = "Ada Björn Chloé Dmitri Eva Fatma Georg Hanna Ivo Jörg Kazuko Luís Mia Nils Oda Päivi".split()
LAST_NAMES = "Abel Brandt Çelik Dahl Ek Färber Gómez Holm Ito Jung Kovač Lang Møller Nowak Ott Popov".split()
FILES = (("application/pdf", "pdf"), ("image/png", "png"), ("application/zip", "zip"), ("text/csv", "csv"))


class Sent(NamedTuple):
    """What an answer needs to know of the mail it answers."""

    id: str
    before: tuple[str, ...]
    subject: str
    charset: str
    sender: int


class Mailbox:
    """An endless mailbox; `small` holds plain mails only, without `replies` every mail begins something new."""

    def __init__(self, seed: int, *, small: bool = False, replies: bool = True) -> None:
        self._seed = seed
        self._random = random.Random(seed)
        self._small = small
        self._replies = replies
        self._sent: list[Sent] = []

    def mails(self, count: int) -> Iterator[bytes]:
        """The next mails, lines ending in LF as in a Maildir."""
        while count > 0:
            for shape, is_reply in self._block():
                if count == 0:
                    return
                count -= 1
                yield self._mail("plain" if self._small else shape, self._earlier() if is_reply else None)

    def _block(self) -> list[tuple[str, bool]]:
        """A hundred mails of the mix in a random order."""
        shapes, replies = list(SHAPES), [number % 2 == 1 and self._replies for number in range(len(SHAPES))]
        self._random.shuffle(shapes)
        self._random.shuffle(replies)
        return list(zip(shapes, replies, strict=True))

    def _earlier(self) -> Sent | None:
        back = 1 + int(self._random.expovariate(1 / MEAN_DISTANCE))
        return self._sent[-min(back, len(self._sent))] if self._sent else None

    def _mail(self, shape: str, parent: Sent | None) -> bytes:
        rng, number = self._random, len(self._sent)
        charset = rng.choices(list(CHARSETS), list(CHARSETS.values()))[0]
        sender = parent.sender if parent and rng.random() < 0.5 else rng.randrange(PEOPLE)
        sent = Sent(
            id=f"<{rng.getrandbits(64):016x}.{number}@mua{sender % 9}.example.net>",
            before=(*parent.before[-NAMED_BEFORE + 1 :], parent.id) if parent else (),
            subject=parent.subject if parent else f"{_words(rng, charset, rng.randint(3, 7))} {self._seed}-{number}",
            charset=parent.charset if parent else charset,
            sender=sender,
        )
        self._sent.append(sent)
        header = _header(rng, sent, number, is_reply=parent is not None)
        return header.encode("ascii") + _content(rng, shape, charset, quoting=parent is not None)


def _words(rng: random.Random, charset: str, count: int) -> str:
    return ("" if charset == "iso-2022-jp" else " ").join(rng.choices(WORDS[charset], k=count))


def _lines(rng: random.Random, charset: str, size: int) -> str:
    """Text of about `size` bytes, with an empty line now and then."""
    lines: list[str] = []
    length = 0
    while length < size:
        line = _words(rng, charset, rng.randint(6, 11))
        lines.append(line)
        length += len(line.encode(charset)) + 1
        if rng.random() < 0.15:
            lines.append("")
    return "\n".join(lines) + "\n"


def _encoded_words(text: str, charset: str) -> str:
    return text if text.isascii() else Header(text, charset, header_name="Subject").encode()


def _header(rng: random.Random, sent: Sent, number: int, *, is_reply: bool) -> str:
    date = format_datetime(BEGIN + timedelta(seconds=97 * number))
    person = random.Random(sent.sender)  # He has the same name in every mailbox.
    name = f"{person.choice(FIRST_NAMES)} {person.choice(LAST_NAMES)}"
    lines = [
        f"Return-Path: <person{sent.sender}@example.net>",
        f"Received: from mx{number % 5}.example.net (mx{number % 5}.example.net [192.0.2.{number % 250}])",
        f"\tby mail.example.org (Postfix) with ESMTPS id {rng.getrandbits(40):010X}",
        f"\tfor <support@example.org>; {date}",
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=mail;",
        f"\th=from:to:subject:date:message-id; bh={base64.b64encode(rng.randbytes(32)).decode()};",
        f"\tb={base64.b64encode(rng.randbytes(96)).decode()}",
        f"From: {_encoded_words(name, 'utf-8')} <person{sent.sender}@example.net>",
        "To: Support <support@example.org>",
        f"Date: {date}",
        f"Message-ID: {sent.id}",
        f"Subject: {'Re: ' if is_reply else ''}{_encoded_words(sent.subject, sent.charset)}",
        "MIME-Version: 1.0",
        "User-Agent: Mozilla Thunderbird",
    ]
    if is_reply:
        lines += [f"In-Reply-To: {sent.before[-1]}", "References: " + "\n\t".join(sent.before)]
    return "\n".join(lines) + "\n"


def _content(rng: random.Random, shape: str, charset: str, *, quoting: bool) -> bytes:
    """From the Content-Type on."""
    text = _lines(rng, charset, 1000)
    if quoting:
        quoted = "".join(f"> {line}\n" for line in _lines(rng, charset, 400).splitlines())
        text += f"\nOn Monday Support wrote:\n{quoted}"
    first = _part(rng, "text/plain", charset, text)
    if shape == "plain":
        return first
    if shape == "alternative":
        return _multipart(rng, "alternative", first, _part(rng, "text/html", charset, _html(rng, charset)))
    return _multipart(rng, "mixed", first, _file(rng, 2_000_000 if shape == "large" else rng.randint(50_000, 300_000)))


def _part(rng: random.Random, type_: str, charset: str, text: str) -> bytes:
    data, encoding = text.encode(charset), "7bit"
    if charset == "iso-8859-1":
        encoding = "quoted-printable"
    elif charset == "utf-8":
        encoding = rng.choice(("8bit", "quoted-printable", "base64"))
    match encoding:
        case "quoted-printable":
            data = quopri.encodestring(data)
        case "base64":
            data = base64.encodebytes(data)
    head = f'Content-Type: {type_}; charset="{charset}"\nContent-Transfer-Encoding: {encoding}\n\n'
    return head.encode() + data


def _html(rng: random.Random, charset: str) -> str:
    size = rng.randint(10_000, 40_000)
    rows: list[str] = []
    length = 0
    while length < size:
        row = (
            f'<tr><td style="font:11pt Calibri;color:#{rng.getrandbits(24):06x};padding:0 5.4pt" class="MsoNormal">'
            f"<p>{_lines(rng, charset, 200)}</p></td>"
            f'<td><a href="https://shop.example.net/item?id={rng.getrandbits(64):x}">more</a></td></tr>\n'
        )
        rows.append(row)
        length += len(row.encode(charset))
    style = "<style>p.MsoNormal{margin:0cm;font-size:11pt}</style>"
    return f"<html><head>{style}</head><body><table>{''.join(rows)}</table></body></html>\n"


def _file(rng: random.Random, size: int) -> bytes:
    type_, ending = rng.choice(FILES)
    name = rng.choice(
        (f'filename="report.{ending}"', f"filename*=UTF-8''%C3%9Cbersicht.{ending}", f'filename="scan 1.{ending}"')
    )
    head = f"Content-Type: {type_}\nContent-Disposition: attachment; {name}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + base64.encodebytes(rng.randbytes(size))


def _multipart(rng: random.Random, subtype: str, *parts: bytes) -> bytes:
    boundary = f"=_{rng.getrandbits(80):020x}".encode()
    head = b'Content-Type: multipart/%s; boundary="%s"\n\n' % (subtype.encode(), boundary)
    return head + b"".join(b"--%s\n%s\n" % (boundary, part) for part in parts) + b"--%s--\n" % boundary


def write(folder: Path, mails: Iterator[bytes], first: int = 0) -> list[Path]:
    """Put mails into the `cur` of a Maildir, unread; their names tell the server their sizes, as its own would."""
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = []
    for number, mail in enumerate(mails, first):
        size = len(mail)
        name = f"{int(BEGIN.timestamp()) + number}.M{number:06}.bench,S={size},W={size + mail.count(10)}:2,"
        written.append(folder / "cur" / name)
        written[-1].write_bytes(mail)
    return written


def main() -> None:
    """Write a mailbox."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--out", type=Path, required=True, help="a Maildir that is made")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--small", action="store_true", help="plain mails only")
    given = options.parse_args()
    paths = write(given.out, Mailbox(given.seed, small=given.small).mails(given.count))
    print(f"{len(paths)} mails, {sum(path.stat().st_size for path in paths)} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
