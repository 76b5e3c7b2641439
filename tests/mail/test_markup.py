"""The HTML of a mail as it may be shown: cleaned, without anything remote, and in good time."""

import time

import pytest

from eventum.mail.markup import MAX_DEPTH, MAX_HTML, cleaned, markup, picture_type, trouble_of

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><use href=#x></svg>",
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href=" javascript:alert(1)">x</a>',
    '<a href="vbscript:x">x</a>',
    '<a href="data:text/html,<script>1</script>">x</a>',
    '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    '<img src="data:text/html;base64,PHN2Zz4=">',
    "<iframe srcdoc='<script>1</script>'></iframe>",
    "<object data=x></object><embed src=x><applet code=x>",
    "<form action=/logout><button>go</button></form>",
    "<base href=https://t.example/><meta http-equiv=refresh content='0;url=x'><link rel=stylesheet href=//t>",
    "<style>body{background:url(//t)}</style><div style='background-image:url(//t)'>x</div>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<table background=//t><td background='http://t'>x</td></table>",
    "<img srcset='//t 2x' src='//t/x'><video poster=//t src=//t><audio src=//t>",
    "<p style='position:fixed;top:0;width:expression(alert(1))'>x</p>",
    "<title><img src=x onerror=alert(1)></title><textarea><img src=x onerror=alert(1)></textarea>",
    "<!--><img src=x onerror=alert(1)>--><!-- --!><img src=x onerror=alert(1)>",
    "<a href='https://t.example' ping='//t' target=_top onmouseover=x>x</a>",
    "<a name=body id=cookie>x</a><img name=getElementById src=cid:x>",
    "<p <script>x</p><<img src=x onerror=1>",
    "</body></html><script>1</script>",
    "<input autofocus onfocus=x><select><option>x</select><details ontoggle=x open>",
]


@pytest.mark.parametrize("source", ATTACKS)
def test_nothing_that_runs_or_loads_is_left(source: str) -> None:
    found = cleaned(source).html.lower()
    for never in ("<script", "<svg", "<iframe", "<form", "<style", "<base", "<meta", "<link", "<object", "<embed"):
        assert never not in found
    for never in (" on", "javascript:", "vbscript:", "data:text", "svg+xml", "url(", "expression", "position"):
        assert never not in found.replace("&lt;", "").replace(" on&gt;", ""), found
    for never in ('src="//', 'src="http', "srcset", "background=", "ping", "poster", "id=", "name="):
        assert never not in found


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("<p>Hello <b>you</b></p>", "<p>Hello <b>you</b></p>"),
        ("<table width=600><tr><td align=center>x", '<table width="600"><tbody><tr><td align="center">x'),
        ('<p style="color:red;font-size:12px">', "color:red;font-size:12px"),
        ("<p lang=ja>お見積もり</p>", "お見積もり"),
    ],
)
def test_what_makes_a_mail_readable_stays(source: str, kept: str) -> None:
    assert kept in cleaned(source).html


def test_a_link_opens_a_page_of_its_own_and_tells_nobody_where_from() -> None:
    found = cleaned('<a href="https://shop.example/?a=1&b=2">x</a>').html
    assert 'target="_blank"' in found and "noreferrer" in found and "noopener" in found
    assert 'href="https://shop.example/?a=1&amp;b=2"' in found


def test_remote_pictures_are_counted() -> None:
    assert (
        cleaned('<img src="http://a/1.gif"><img src=//b/2.gif><img src=cid:none><td background=http://x>').remote == 2
    )
    assert cleaned('<img src="http://a/1.gif"><table background="http://c/3.gif"><tr><td>x</table>').remote == 2


@pytest.mark.parametrize(
    ("source", "trouble"),
    [
        ("<div>" * (MAX_DEPTH + 1), "too_deep"),
        ("<div></x>" * 5000, "too_deep"),
        ("<font size=1><p>" * 20_000, "too_deep"),
        ("".join(f"<font color={n}>" for n in range(MAX_DEPTH)) + "<p>x" * 10_000, "too_deep"),
        ("<DIV>" * 9000 + "</DIV>" * 9000, "too_deep"),
        ("x" * (MAX_HTML + 1), "too_large"),
        ("<p>a<br>" * 10_000, ""),
        ("<ul>" + "<li>x" * 10_000, ""),
        ("<table>" + "<tr><td>x<td>y" * 10_000, ""),
        ("<div>x</div>" * 20_000, ""),
        ("<" * MAX_HTML, ""),
        ("<!--" * 100_000, ""),
    ],
)
def test_what_would_take_too_long_is_not_cleaned(source: str, trouble: str) -> None:
    begin = time.monotonic()
    assert trouble_of(source) == trouble
    if not trouble:
        cleaned(source)
    assert time.monotonic() - begin < 2


def test_a_mail_without_html_has_none_and_odd_bytes_are_survived() -> None:
    assert markup(b"Subject: x\r\n\r\nplain") is None
    found = markup(b"Content-Type: text/html; charset=utf-16-surrogates\r\n\r\n<p>\xed\xa0\x80\x00a\xff</p>")
    assert found is not None and "<p>" in found.html and "\x00" not in found.html


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<svg xmlns=", ""),
        (b"RIFF\x00\x00\x00\x00WAVE", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_known_by_its_bytes(data: bytes, kind: str) -> None:
    assert picture_type(data) == kind
