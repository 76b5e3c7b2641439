"""What is thrown at the parsers: pieces of mail that were trouble to somebody, run together with noise.

A strategy for each type a parser takes; a value that is itself read (a header block, a tree) is read from such bytes,
so that it is one that can occur.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from eventum.mail.address import Address, parse_addresses
from eventum.mail.content import Content, Leaf, content_of
from eventum.mail.headers import Block, Headers, split_block
from eventum.mail.message import Message, parse
from eventum.mail.parts import Tree, prepared, read_tree

# Written with a blank between; a blank inside a piece is written as "_", "=" stands for itself.
_WORDS = r"""
=?utf-8?B? =?iso-2022-jp?B?GyRC ?= =?utf-8?Q?= =?x?q?=41?= =?utf-8*en?q?a?= < > <a@b.example> @ , ; : ( ) \ " ' '' %
%E3%81 filename*0*= filename*1= filename= name= charset=iso-2022-jp charset=utf-7 boundary=b boundary="" --b --b-- -
Content-Type: Content-Type:multipart/mixed;boundary=b Content-Type:message/rfc822 Content-Type:text/html
Content-Type:application/ms-tnef Content-Type:application/pkcs7-mime Content-Type:text/calendar Content-Type:text/plain
Content-Type:multipart/report;report-type=delivery-status;boundary=b Content-Type:message/delivery-status
Content-Type:multipart/signed;boundary=b Content-Type:multipart/alternative;boundary=b format=flowed;delsp=yes
Content-Transfer-Encoding:base64 Content-Transfer-Encoding:quoted-printable Content-Transfer-Encoding:x-uuencode
Content-Disposition:attachment Content-ID:<c> Subject: From: To: Received: Message-ID: References: In-Reply-To: Date:
Mon,_1_Jan_2024 99:99:99 +9999 -0000 1e9 2024-13-45T25:61:61Z Final-Recipient:rfc822; Action:failed Status:5.1.1
Diagnostic-Code:smtp; Original-Recipient: 550 421 5.2.2 begin_644_a.txt end BEGIN:VCALENDAR BEGIN:VEVENT END:VEVENT
END:VCALENDAR DTSTART;TZID= DTSTART:20240101T000000Z RRULE:FREQ= ATTENDEE;CN= SUMMARY: = =3D =0A <a <a_href= <div>
</div> <!-- --> <![CDATA[ <! <style> </style> <script> <table> <td> <li> <ul> <br> <blockquote> <p> & &#x0;
&#99999999999; &amp &nbsp; <img_src=cid:c <svg> javascript: data: url( expression( @import /* */ { } http://a.example/
mailto: xn--a > >> >From_ On_ _wrote: Am_ _schrieb_ Le_ a_écrit_: -----Original_Message----- Von: Gesendet: An:
Betreff: 差出人: 件名: 送信日時: --_ __ Sent_from_my_iPhone -----BEGIN_PGP_MESSAGE----- -----END_PGP_MESSAGE-----
-----BEGIN_PGP_SIGNATURE----- -----BEGIN_PGP_SIGNED_MESSAGE----- eventum. issue-1 +1 0 00 a ü 障 :ー ‮ İ
"""
PIECES: tuple[bytes, ...] = (
    *(word.replace("_", " ").encode() for word in _WORDS.split()),
    *(b"\n", b"\r\n", b"\r", b"\n\n", b"\n ", b"\t", b" ", b"\0", b"\xff", b"\x80", b"\xa4", b"\x82\xa0", b"\xe3\x81"),
    *(b"\x1b$B", b"\x1b(B", b"\x1b$(D", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"From a@b Mon\n", b">From "),
    *(
        b"\x78\x9f\x3e\x22",
        b"\x02" * 9,
        b"{\\rtf1\\ansi ",
        b"LZFu",
        b"ZnJvbQ==",
        b"M" + b"_" * 60,
    ),  # TNEF, RTF, uuencode
    *(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", b"\x24\x80\x04\x82\xff\xff"),  # CMS
)
HEAD = b"From: a@b.example\nSubject: s\n"


@st.composite
def bytes_(draw: st.DrawFn) -> bytes:
    """A few pieces and some noise, each of them perhaps many times."""
    found = []
    for _ in range(draw(st.integers(0, 12))):
        piece = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)))
        found.append(piece * draw(st.sampled_from((1, 1, 1, 2, 3, 40))))
    return b"".join(found)


def texts() -> st.SearchStrategy[str]:
    """The same as text; what is no UTF-8 is read as Latin-1, so that odd characters occur."""
    return st.one_of(bytes_().map(lambda data: data.decode("utf-8", "ignore")), bytes_().map(lambda d: d.decode("l1")))


def mails() -> st.SearchStrategy[bytes]:
    """Bytes that begin as a mail does, and bytes that do not."""
    return st.one_of(bytes_(), st.builds(lambda head, body: HEAD + head + b"\n\n" + body, bytes_(), bytes_()))


def _leaves() -> st.SearchStrategy[Leaf]:
    return mails().map(lambda raw: read_tree(raw).leaves).flatmap(lambda found: st.sampled_from(found or (_EMPTY,)))


_EMPTY = Leaf("1", Headers({}), "text/plain", {}, b"")

STRATEGIES: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
    str: texts,
    bytes: bytes_,
    int: lambda: st.integers(0, 1000),
    bool: st.booleans,
    str | None: lambda: st.none() | texts(),
    Sequence[str]: lambda: texts().map(lambda text: text.split("\n")),
    Iterable[str]: lambda: texts().map(str.split),
    tuple[str, ...]: lambda: texts().map(lambda text: tuple(text.split())),
    tuple[Address, ...]: lambda: texts().map(parse_addresses),
    Address: lambda: texts().map(lambda text: (*parse_addresses(text), Address(text, ""))[0]),
    Headers: lambda: mails().map(lambda raw: split_block(raw).headers),
    Block: lambda: mails().map(lambda raw: prepared(raw)[1]),
    Content: lambda: mails().map(lambda raw: content_of(split_block(raw).headers)),
    Mapping[str, tuple[str, ...]]: lambda: mails().map(lambda raw: split_block(raw).headers),
    Message: lambda: mails().map(parse),
    Tree: lambda: mails().map(read_tree),
    Leaf: _leaves,
}
