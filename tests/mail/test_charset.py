"""Bytes and the charset they declare become text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.charset import codec, decode

KANJI = "障害が発生しました"


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        (b"plain", None, "plain"),
        (b"plain", "us-ascii", "plain"),
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode(), None, "Grüße"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "ISO-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "utf-8", "Gr\ufffd\ufffde"),
        ("Grüße".encode("latin-1"), None, "Grüße"),
        (b"\x93quoted\x94 \x80", "iso-8859-1", "“quoted” €"),
        (b"\xef\xbb\xbfmark\xc3\xbc", "utf-8", "markü"),
        (b"\xef\xbb\xbf", "shift_jis", ""),
        (KANJI.encode("cp932"), "shift_jis", KANJI),
        (KANJI.encode("cp932"), None, KANJI),
        (KANJI.encode("cp932"), "iso-2022-jp", KANJI),
        (KANJI.encode("euc_jp"), "EUC-JP", KANJI),
        (KANJI.encode("euc_jp"), None, KANJI),
        (KANJI.encode("iso2022_jp"), "iso-2022-jp", KANJI),
        (KANJI.encode("iso2022_jp"), None, KANJI),
        ("①㈱髙".encode("cp932"), "Shift_JIS", "①㈱髙"),
        (b"\x1b$B-!-j\x1b(B", "iso-2022-jp", "①㈱"),
        (b"\x1b(IC=D\x1b(B", "iso-2022-jp", "ﾃｽﾄ"),
        (b"\x1b$B>c32\nplain", "iso-2022-jp", "障害\nplain"),
        ("丂".encode("iso2022_jp_1"), "iso-2022-jp-1", "丂"),
        ("你好，世界".encode("gb18030"), "gb2312", "你好，世界"),
        ("안녕하세요 쀍".encode("cp949"), "ks_c_5601-1987", "안녕하세요 쀍"),
        ("繁體中文".encode("big5"), "Big5", "繁體中文"),
        ("Привет, как дела? Всё хорошо.".encode("cp1251"), "windows-1251", "Привет, как дела? Всё хорошо."),
        ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        ("text".encode("utf-16"), "utf-16", "text"),
        (b"no utf-16 at all", "utf-16", "no utf-16 at all"),
        (b"~{<:Ky2;~}", "hz-gb-2312", "己所不"),
        (b"na\xefve", "no-such-charset", "naïve"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (b"+AGE-", "utf-7", "+AGE-"),
        (b"\x1b[31mred\x1b(B", "utf-8", "\x1b[31mred\x1b(B"),
    ],
)
def test_text_is_read_as_declared_or_as_it_looks(data: bytes, declared: str | None, text: str) -> None:
    assert decode(data, declared) == text


@pytest.mark.parametrize(
    "name", ["hex", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-7", "utf\0-8", "x"]
)
def test_a_name_that_is_not_in_the_table_is_no_charset(name: str) -> None:
    assert codec(name) is None


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "iso-2022-jp", "shift_jis", "utf-16", "gb2312", "x"]))
def test_any_bytes_become_text_that_can_be_written_as_utf_8(data: bytes, declared: str | None) -> None:
    assert decode(data, declared).encode("utf-8") is not None


@given(st.text(max_size=200))
def test_utf_8_comes_back_whatever_else_is_declared(text: str) -> None:
    data = text.encode("utf-8", "replace")
    if "\x1b" not in text and "\ufeff" not in text:
        assert decode(data, "utf-8") == data.decode("utf-8")


@given(st.text("障害発生①㈱髙アイウあいう。、 abc", max_size=60))
def test_shift_jis_comes_back(text: str) -> None:
    assert decode(text.encode("cp932"), "shift_jis") == text
