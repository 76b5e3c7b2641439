"""The HTML of a mail as it may be shown: cleaned, without anything remote, and in good time."""

import re
import time
from pathlib import Path

import pytest

from eventum.errors import NotFound
from eventum.mail.html.markup import MAX_DEPTH, MAX_HTML, cleaned, markup, trouble_of
from eventum.mail.html.pictures import Pictures, picture_type
from eventum.mail.html.settled import ATTRIBUTES, TAGS, Settling
from eventum.mail.message import parse

CORPUS = Path(__file__).parent.parent / "corpus"
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


@pytest.mark.parametrize(
    ("source", "remote", "pixels", "others"),
    [
        ('<img src="http://a.example/1.gif"><img src=//b.example/2.gif><img src=cid:none>', 2, 0, 0),
        ('<img src="http://a.example/1.gif"><table background="http://c.example/3.gif"><tr><td>x</table>', 1, 0, 1),
        ("<img src=https://a.example/1.gif width=1 height=1>", 0, 1, 0),
        ("<img src=https://a.example/1.gif width=0>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='display:none'>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='color:red;height: 1px !important'>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='width:.5px'>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='height:1.0px;width:1.0px'>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='width:1.5em'>", 1, 0, 0),
        ("<img src=https://a.example/1.gif hidden>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='visibility:hidden'>", 0, 1, 0),
        ("<img src=https://a.example/1.gif style='opacity:0'>", 0, 1, 0),
        ("<div style='display:none'><p>x<img src=https://a.example/1.gif></div><img src=//a.example/2>", 1, 1, 0),
        ("<img src=https://a.example/1.gif width=100 style='opacity:0.9;width:10px'>", 1, 0, 0),
        ("<p>x", 0, 0, 0),
    ],
)
def test_remote_pictures_and_tracking_pixels_are_counted(source: str, remote: int, pixels: int, others: int) -> None:
    for wanted in (False, True):
        found = cleaned(source, remote=wanted)
        assert (found.remote, found.pixels, found.others) == (remote, pixels, others)
        assert found.html.count("src=") == (remote if wanted else 0)


@pytest.mark.parametrize(
    ("source", "loaded"),
    [
        ("http://shop.example/a b?x=1&y=2", "https://shop.example/a b?x=1&amp;y=2"),
        ("//shop.example/a", "https://shop.example/a"),
        ("https://SHOP.example:443/a", "https://shop.example/a"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://127.0.0.1/a", ""),
        ("https://[::1]/a", ""),
        ("https://2130706433/a", ""),
        ("https://localhost/a", ""),
        ("https://printer/a", ""),
        ("https://printer.local/a", ""),
        ("https://shop.example:8443/a", ""),
        ("https://me@shop.example/a", ""),
        ("ftp://shop.example/a", ""),
        ("file:///etc/passwd", ""),
        ("javascript:alert(1)", ""),
        ("picture.png", ""),
        ("/logout", ""),
    ],
)
def test_a_remote_picture_comes_by_tls_from_the_open_web_or_not_at_all(source: str, loaded: str) -> None:
    found = cleaned(f'<img src="{source}" alt="x">', remote=True).html
    assert (f'src="{loaded}"' in found and 'referrerpolicy="no-referrer"' in found) if loaded else "src=" not in found


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ('<a href="https://evil.example/">https://www.bank.example/login</a>', "evil.example"),
        ('<a href="https://evil.example/">www.<b>bank</b>.example</a>', "evil.example"),
        ('<a href="https://bank.example.evil.test/">bank.example</a>', "bank.example.evil.test"),
        ('<a href="https:\\\\evil.example\\bank.example">bank.example</a>', "evil.example"),
        ('<a href="https://bank.example@evil.example/">Log in</a>', "evil.example"),
        ('<a href="mailto:eve@evil.example">joe@bank.example</a>', "evil.example"),
        ('<a href="https://www.bank.example/a">bank.example</a>', ""),
        ('<a href="https://bank.example/a">https://login.bank.example</a>', ""),
        ('<a href="https://evil.example/">Log in</a>', ""),
        ('<a href="https://files.example/">invoice.pdf</a>', ""),
        ('<a href="mailto:joe%40bank.example">joe@bank.example</a>', ""),
    ],
)
def test_a_link_that_says_another_address_says_where_it_leads(link: str, place: str) -> None:
    found = cleaned(f"<style>span{{display:none !important}}</style>{link}")
    assert found.marked == bool(place)
    assert (f"[→ {place}]" in found.html) == bool(place)
    assert not place or "display:inline!important" in found.html


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (
            "p.MsoNormal, li.MsoNormal {margin:0cm; color:rgb(1,2,3)}",
            "p.MsoNormal,li.MsoNormal{margin:0cm;color:rgb(1,2,3)}",
        ),
        ("@import url(//t); b{color:red}", "b{color:red}"),
        ("@media print{p{color:red}} i{color:red}", "i{color:red}"),
        ("a:visited{background:url(//t)} #x{color:red} [a=b]{color:red}", ""),
        ("b{background:u\\72l(//t);color:red}", "b{color:red}"),
        ("b{position:fixed;behavior:url(x);-moz-binding:url(x);font-weight:bold}", "b{font-weight:bold}"),
        ("b{color:expression(alert(1))}", ""),
        ("</style><script>alert(1)</script>", ""),
        ("b{color:red", ""),
        ("/* b{color:red}", ""),
    ],
)
def test_of_a_style_sheet_stays_what_says_how_text_looks(css: str, kept: str) -> None:
    assert cleaned(f"<style>{css}</style>x").sheet == kept


def test_the_colours_of_the_body_stay() -> None:
    found = cleaned('<body bgcolor="#000000" text=white style="margin:0;background:url(//t)">x</body>').html
    assert "background-color:#000000" in found and "color:white" in found and "url" not in found


def mixed(*parts: tuple[str, str], kind: str = "mixed") -> bytes:
    """A mail of these parts: header lines and body."""
    head = f"MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=b\r\n\r\n"
    return (head + "".join(f"--b\r\n{lines}\r\n\r\n{body}\r\n" for lines, body in parts) + "--b--\r\n").encode()


HTML, PICTURE = "Content-Type: text/html", "Content-Type: image/png\r\nContent-Transfer-Encoding: base64"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg+M/AAAADAQEAyf6S7wAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("cid:a%40b", "Content-ID: <a@b>"),
        ("cid:a@b", "Content-ID: <a@b>\r\nContent-Disposition: attachment; filename=x.png"),
        ("http://shop.example/x.png", "Content-Location: http://shop.example/x.png"),
        ("x.png", "Content-Location: x.png"),
        ("cid:x.png", "Content-Disposition: inline; filename=x.png"),
    ],
)
def test_a_picture_stands_where_its_mail_names_it(source: str, names: str) -> None:
    found = markup(mixed((HTML, f"<p>a<img src='{source}'>b"), (f"{PICTURE}\r\n{names}", PNG), kind="related"))
    assert found is not None
    assert f'a<img src="data:image/png;base64,{PNG}">b' in found.html and found.placed == ("2",) and not found.remote


def test_html_that_was_split_around_a_picture_stands_in_its_order() -> None:
    found = markup(
        mixed((HTML, "<p>above"), (PICTURE, PNG), (HTML, "<p>below"), ("Content-Type: text/plain", "list <b>"))
    )
    assert found is not None
    places = [found.html.index(one) for one in ("above", "data:image/png", "below", "list &lt;b&gt;")]
    assert places == sorted(places)


def test_a_mail_in_a_mail_is_shown_by_its_path() -> None:
    raw = mixed((HTML, "<p>outside"), ("Content-Type: message/rfc822", f"{HTML}\r\n\r\n<p>inside"))
    found = markup(raw, "2")
    assert found is not None and "inside" in found.html and "outside" not in found.html
    with pytest.raises(NotFound):
        markup(raw, "1")


def test_what_the_first_look_lets_through_the_second_takes_out() -> None:
    for attack in ATTACKS:
        found = Settling(Pictures(()), remote=True).run(attack).lower()
        for tag in re.findall("<([a-z]+)", found):
            assert tag in TAGS, found
        for name in re.findall(r"<[^>]*? ([a-z]+)=", found):
            assert name in ATTRIBUTES, found
    hostile = '<p onclick="x" style="background:url(//t)">a<script src="x">b</script><a href="javascript:x">c</a>'
    assert Settling(Pictures(()), remote=True).run(hostile) == '<p style="">ab<a>c</a>'


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
        ("<style>" * 50_000, "too_deep"),
        ("<style>{</style>" * 25_000, ""),
        ("<style>" + "a{" * 40_000 + "</style>", ""),
        ("<style>" + "@media x{" * 10_000 + "</style>", ""),
        ("<a href=https://a.example>b.example</a>" * 10_000, ""),
        ("<img src=//a.example/x>" * 20_000, ""),
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


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.eml")), ids=lambda path: path.stem)
def test_every_mail_with_html_can_be_laid_out_and_asks_nobody_for_anything(path: Path) -> None:
    raw = path.read_bytes()
    found = markup(raw)
    assert (found is not None) == parse(raw).html
    if found is not None:
        assert not re.search(r'(?:src|background)="(?!data:image/)', found.html)
        assert "url(" not in found.html + found.sheet


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("html-tracking-pixels", {"remote": 1, "pixels": 3, "marked": 0}),
        ("html-link-says-another-place", {"remote": 0, "pixels": 0, "marked": 1}),
        ("html-content-location", {"remote": 0, "placed": ("2", "3")}),
        ("html-cid-outside-related", {"remote": 0, "placed": ("2",)}),
        ("html-word-style-sheet", {"remote": 0, "others": 0}),
    ],
)
def test_what_is_counted_of_a_mail(name: str, counted: dict[str, object]) -> None:
    found = markup((CORPUS / f"{name}.eml").read_bytes())
    assert {field: getattr(found, field) for field in counted} == counted


def test_a_pixel_that_is_kept_out_leaves_nothing_even_with_a_name() -> None:
    found = cleaned('<p>x<img src="https://a.example/1.gif" width="1" height="1" alt="pixel">')
    assert found.pixels == 1 and "img" not in found.html


@pytest.mark.parametrize(
    "source",
    [
        '<p>x<img src="https://a.example/1.gif" alt="A lamp">',
        '<p>x<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    ],
)
def test_a_picture_wants_more_room_than_a_line(source: str) -> None:
    assert cleaned("<p>x").extent < 600 <= cleaned(source).extent


def test_pictures_between_the_texts_of_apple_mail_want_room() -> None:
    found = markup((CORPUS / "apple-split-html.eml").read_bytes())
    assert found is not None and found.html.count("<img") * 600 <= found.extent


def test_the_style_sheet_of_word_keeps_lines_together() -> None:
    found = markup((CORPUS / "html-word-style-sheet.eml").read_bytes())
    assert found is not None and 'class="MsoNormal"' in found.html
    assert 'p.MsoNormal,li.MsoNormal{margin:0cm;font-size:11.0pt;font-family:"Calibri",sans-serif}' in found.sheet
