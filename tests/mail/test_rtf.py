"""RTF out of winmail.dat: unpacked, and read as the HTML it was made of or as text; never an error."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.formats import rtf
from tests.mail import winmail as w


def test_the_example_of_the_specification_is_unpacked() -> None:
    # MS-OXRTFCP section 4.1.1.
    packed = "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    assert rtf.unpacked(bytes.fromhex(packed)) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 300])
def test_what_is_packed_either_way_comes_back(length: int) -> None:
    data = (b"{\\rtf1 " + b"x" * 300)[:length]
    assert rtf.unpacked(w.packed_rtf(data)) == data
    assert rtf.unpacked(w.compressed_rtf(data)) == data


def test_what_is_not_packed_rtf_is_nothing() -> None:
    assert rtf.unpacked(b"") == rtf.unpacked(bytes(40)) == b""


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1 Hello\par World}", "Hello\nWorld"),
        (rb"{\rtf1 {\fonttbl{\f0 Arial;}}{\colortbl;\red1;}{\*\generator x;}{\info{\title no}}yes}", "yes"),
        (rb"{\rtf1\ansicpg1251 \'cf\'f0}", "Пр"),
        (rb"{\rtf1{\fonttbl{\f0\fcharset128 x;}}\f0\'8f\'e1\'8aQ}", "障害"),
        (rb"{\rtf1\uc1\u8364?10 \uc0\u233 x}", "€10 éx"),
        (rb"{\rtf1\u-10179?\u-8704?}", "😀"),
        (rb"{\rtf1 a\{b\}\\c\~d\tab e}", "a{b}\\c\u00a0d\te"),
        (rb"{\rtf1 {\pict 0123}{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}", "link"),
        (rb"{\rtf1 open {\b group", "open group"),
        (rb"}}}{\rtf1 closed", "closed"),
    ],
)
def test_rtf_is_read_as_text(source: bytes, text: str) -> None:
    assert rtf.read(source) == ("text", text)


def test_html_that_was_packed_as_rtf_comes_out_as_it_was() -> None:
    source = (
        rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf \par\htmlrtf0 a {\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 b"
    )
    source += rb"{\*\htmltag84 \par <i>}\htmlrtf {\i \htmlrtf0 c\htmlrtf }\htmlrtf0{\*\htmltag92 </i>}{\*\mhtmltag no}}"
    assert rtf.read(source) == ("html", "<p>a &lt;b\n<i>c</i>")


@given(
    st.lists(st.sampled_from([rb"{", rb"}", rb"\par", rb"\u5", rb"\'e4", rb"\*", rb"\htmltag1", rb"\f1", b"x", b"\\"]))
)
def test_any_tokens_are_read_without_an_error(tokens: list[bytes]) -> None:
    rtf.read(b"".join(tokens))
    rtf.read(b"{\\rtf1\\fromhtml1" + b"".join(tokens))


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1))
def test_any_packed_bytes_are_unpacked_without_an_error(data: bytes, size: int) -> None:
    assert len(rtf.unpacked(bytes(4) + size.to_bytes(4, "little") + b"LZFu" + bytes(4) + data)) <= 17 * len(data)


@pytest.mark.parametrize("piece", [b"{", b"}", b"\\par", b"\\'e4", b"\\u9", b"{\\*\\htmltag1 ", b"\\f1 x"])
def test_hostile_rtf_is_read_in_time_that_grows_with_its_size(piece: bytes) -> None:
    start = time.process_time()
    rtf.read(b"{\\rtf1 " + piece * (300_000 // len(piece)))
    assert time.process_time() - start < 3
