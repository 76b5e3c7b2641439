"""Bytes and the charset they declare become text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.charsets.charset import codec, decode

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
        ("Grüße".encode("latin-1"), "utf-8", "Grüße"),
        ("Grüße é".encode() + b"\xff", "utf-8", "Grüße é\ufffd"),
        ("Grüße\n".encode() + "> Grüße\n".encode("latin-1") + "é".encode(), "utf-8", "Grüße\n> Grüße\né"),
        ("障害".encode() + "障".encode()[:2], "utf-8", "障害\ufffd"),
        ("障害".encode()[1:], None, "\ufffd\ufffd害"),
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
        (b"\x0eC=D\x0f x", "iso-2022-jp", "ﾃｽﾄ x"),
        (b"\x1b&@\x1b$B>c32\x1b(B", "iso-2022-jp", "障害"),
        (b"\x1b$(B>c32\x1b(H.", "iso-2022-jp", "障害."),
        (b"\x1b$AJ2\x1b$(C>H\x1b(B", "iso-2022-jp-2", "什안"),
        (b"\x1b$(O-!\x1b(B", "iso-2022-jp-2004", "①"),
        (b"C:\\x ~taro\x1b(JC:\\x ~taro\x1b(B", "iso-2022-jp", "C:\\x ~taroC:\\x ~taro"),
        (b"$B>c32$,H/@8$7$^$7$?(B $100", "iso-2022-jp", "障害が発生しました $100"),
        (b"$BASH_VERSI(Bx)", "iso-2022-jp", "$BASH_VERSI(Bx)"),
        (b"\xad\xa1\xad\xea\xfc\xe2" + "橋".encode("euc_jp"), "euc-jp", "①㈱髙橋"),
        (b"\x8e\xc3\x8e\xbd\x8f\xb0\xa1", "euc-jp", "ﾃｽ丂"),
        ("ﾃｽﾄ".encode("cp932"), "shift_jis", "ﾃｽﾄ"),
        ((KANJI * 2).encode("euc_jp"), "shift_jis", KANJI * 2),
        ((KANJI * 2).encode("cp932"), "euc-jp", KANJI * 2),
        (KANJI.encode("cp932"), "iso-8859-1", KANJI),
        (KANJI.encode("euc_jp"), "windows-1252", KANJI),
        (KANJI.encode("cp932"), "utf-8", KANJI),
        ("안녕하세요, 감사합니다".encode("cp949"), "iso-8859-1", "안녕하세요, 감사합니다"),
        ("ÄÖÜ größer".encode("latin-1"), "iso-8859-1", "ÄÖÜ größer"),
        (b"\x1b$B>c32\nplain", "iso-2022-jp", "障害\nplain"),
        ("丂".encode("iso2022_jp_1"), "iso-2022-jp-1", "丂"),
        ("你好，世界".encode("gb18030"), "gb2312", "你好，世界"),
        ("안녕하세요 쀍".encode("cp949"), "ks_c_5601-1987", "안녕하세요 쀍"),
        ("繁體中文".encode("big5"), "Big5", "繁體中文"),
        ("Привет, как дела? Всё хорошо.".encode("cp1251"), "windows-1251", "Привет, как дела? Всё хорошо."),
        ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        ("text".encode("utf-16"), "utf-16", "text"),
        ("障害".encode("utf-16-be"), "utf-16be", "障害"),
        ("障害 x".encode("utf-16"), "utf-8", "障害 x"),
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


UNLABELLED = {
    "cp932": "印刷|請求書|障害報告|了解です|プリンタ|ﾌﾟﾘﾝﾀ|髙橋様、①番です|プリンタが動きません。",
    "euc_jp": "印刷|請求書|障害報告|プリンタ|至急ご連絡ください|お世話になっております。プリンタが動きません。",
    "iso2022_jp": "印刷|プリンタが動きません。",
    "utf-8": "印刷|プリンタ|é|Grüße",
    "cp949": "문의|감사합니다|프린터가 고장났습니다",
    "gb18030": "您好|订单问题|打印机坏了，谢谢您的帮助",
    "big5": "您好|訂單問題|印表機壞了，謝謝您的幫助",
    "cp1251": "Привет|Заказ|Всё хорошо, спасибо за помощь.",
    "koi8-r": "Привет|Заказ|Всё хорошо, спасибо за помощь.",
    "cp1253": "Καλημέρα|Ο εκτυπωτής δεν λειτουργεί",
    "cp1255": "שלום|המדפסת לא עובדת",
    "cp1256": "مرحبا|الطابعة لا تعمل",
    "cp874": "สวัสดี|เครื่องพิมพ์เสีย",
    "cp1254": "Yazıcı çalışmıyor, teşekkürler|Şifre değişikliği",
    "cp1250": "Drukarka nie działa, proszę o pomoc|Tiskárna nefunguje, děkuji",
    "cp1252": "Grüße|Über|ÄÖÜ|naïve|É|“quoted” €|Problème réglé, à bientôt|¿Qué pasó? mañana",
}


@pytest.mark.parametrize(
    ("text", "charset"), [(text, charset) for charset, texts in UNLABELLED.items() for text in texts.split("|")]
)
def test_text_without_a_label_is_read_as_what_it_looks_like_also_when_it_is_short(text: str, charset: str) -> None:
    assert decode(text.encode(charset), None) == text


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("ISO_8859-1", "cp1252"),
        ("iso88591", "cp1252"),
        ("iso-8859-1:1987", "cp1252"),
        ("utf-8 (Unicode)", "utf-8"),
        ("utf-8;", "utf-8"),
        ('"UTF_8"', "utf-8"),
        ("charset=utf-8", "utf-8"),
        ('3D"utf-8"', "utf-8"),
        ('\\"utf-8\\"', "utf-8"),
        ("windows1251", "cp1251"),
        ("x-windows-949", "cp949"),
        ("x-mac-japanese", "cp932"),
        ("EUC_KR", "cp949"),
    ],
)
def test_a_name_is_known_by_what_it_means(name: str, known: str) -> None:
    assert codec(name) == known


@pytest.mark.parametrize(
    "piece", [b"\xad\xa1a", b"\xa4", b"\x82\xa0", b"a\xe9", b"\xff", b"\x1b$B", b"$B>c(B", b"\x0e", bytes(range(256))]
)
@pytest.mark.parametrize("declared", [None, "euc-jp", "iso-2022-jp"])
def test_the_time_for_hostile_bytes_grows_no_faster_than_their_size(piece: bytes, declared: str | None) -> None:
    def seconds(size: int) -> float:
        data = piece * (size // len(piece))
        start = time.process_time()
        decode(data, declared, guess=False)
        return time.process_time() - start

    short, long = (min(seconds(size) for _ in range(2)) for size in (20_000, 200_000))
    assert long < 30 * short + 0.2


@pytest.mark.parametrize(
    "name",
    ["unicode-1-1-utf-7", "hex", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-7", "utf\0-8", "x"],
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
