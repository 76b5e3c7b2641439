"""HTML becomes readable text, in time that grows with its size."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.html.text import html_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("just text", "just text"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("one<br>two<br/><br>three", "one\ntwo\n\nthree"),
        ("a  b\n\tc", "a b c"),
        ("a&nbsp;b &lt;c&gt; &#x41;&#66; &copy; &unknown; &", "a b <c> AB © &unknown; &"),
        ("&#99999999999999999999;", "&#99999999999999999999;"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("x<hr>y", "x\n---\ny"),
        ("<blockquote>q<blockquote>r</blockquote></blockquote>s", "> q\n>\n> > r\n\ns"),
        ('<a href="https://x.example/">here</a>', "here <https://x.example/>"),
        ('<a href="https://x.example/">https://x.example</a>', "https://x.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ('<img alt="a cat" src=x><img src=y>', "[a cat]"),
        ("<script>alert('</p>')</script>x<style>p{}</style>y", "xy"),
        ("<script>never closed", "never closed"),
        ("<head><title>t</title></head>x", "x"),
        ("a<!-- b --><!doctype html><?php c ?>d", "ad"),
        ('<a title="a>b">x</a>', "x"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<P>Upper</P>", "Upper"),
    ],
)
def test_html_reads_as_a_person_would_see_it(source: str, text: str) -> None:
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<ol start=3><li>a<ul><li>x<li>y</ul><li>b</ol>after", "3. a\n   - x\n   - y\n4. b\n\nafter"),
        ("<ol type=a><li>x<li>y</ol><ol type=I><li>x<li value=9>y</ol>", "a. x\nb. y\n\nI. x\nIX. y"),
        ("<p>intro</p><ul><li><p>a</p></li><li><p>b</p><p>c</p></li></ul><p>z</p>", "intro\n\n- a\n- b\n\n  c\n\nz"),
        (
            "<p class=MsoListParagraph>·&nbsp;&nbsp; <span>one</span></p><p class=MsoListParagraph>·&nbsp; two</p>",
            "- one\n- two",
        ),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\n    b\nc\n    d"),
        ("<h1>T</h1>x<h2>U</h2>y", "T\n\nx\n\nU\n\ny"),
    ],
)
def test_lists_are_numbered_and_nested(source: str, text: str) -> None:
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "<table border=1><tr><th>Item</th><th>Price</th></tr><tr><td>Ink</td><td>12<br>EUR</td></tr></table>",
            "Item | Price\nInk | 12 / EUR",
        ),
        (
            "<table><tr><td>Name:</td><td>Julia</td></tr><tr><td>Phone:</td><td>1</td></tr></table>",
            "Name: Julia\nPhone: 1",
        ),
        ("<table><tr><td></td><td>one column</td></tr><tr><td>more</td></tr></table>", "one column\nmore"),
        ("<table><tr><td><p>Long</p><p>two</p></td><td>side</td></tr></table>", "Long\n\ntwo\n\nside"),
        ("<table><tr><td><table><tr><td>a<td>b</table></table>c", "a | b\n\nc"),
        ("<blockquote><table><tr><td>a</td><td>b</td></tr></table></blockquote>", "> a | b"),
        ("<table><tr><td><blockquote>a</blockquote></td><td>b</td></tr></table>", "> a\nb"),
        ("<ul><li><table><tr><td>a</td></tr></table></li><li>b</li></ul>", "- a\n- b"),
        ("<p>a</p></td></tr></table><p>b</p>", "a\n\nb"),
        ("<table><tr><td><b>a</td><td>b</b></td></tr></table>", "a | b"),
    ],
)
def test_rows_of_data_are_lines_and_a_layout_is_not_seen(source: str, text: str) -> None:
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<a href="mailto:a@b.example?subject=x">Write us</a>', "Write us <a@b.example>"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="tel:+49123">call</a>', "call"),
        ('<a href="http://www.x.example/">x.example</a>', "x.example"),
        ('<a href="https://evil.example/">https://bank.example</a>', "https://bank.example <https://evil.example/>"),
        (
            '<a href="https://x.example/1"><img alt="Logo"></a> <a href="https://x.example/1">Shop</a>',
            "[Logo] <https://x.example/1> Shop",
        ),
        ('<a href="https://x.example"><div>Block</div></a>', "Block <https://x.example>"),
        ('<a style="font-size:12px" href="https://x.example">b</a> c', "b <https://x.example> c"),
        ('<a href="https://x.example/%s">b</a>' % ("x" * 600), "b"),
        (
            '<a href="https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.example%2Fa&amp;data=1">'
            "https://x.example/a</a>",
            "https://x.example/a",
        ),
        ('<a href="https://urldefense.com/v3/__https://x.example/a__;!!x$">here</a>', "here <https://x.example/a>"),
    ],
)
def test_a_link_says_once_where_it_leads(source: str, text: str) -> None:
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<div style="display:none">secret</div>x', "x"),
        ('<div style="DISPLAY : none !important;font-size:12px">secret<div>more</div>still</div>x', "x"),
        ('<div style="display:none;max-height:0">preview &zwnj;&nbsp;&zwnj;</div>x', "x"),
        ("<div style='max-height:0px;overflow:hidden'>secret</div>x", "x"),
        ('<span style="font-size:0">secret</span>x', "x"),
        ('<span style="font-size:1px;color:#fff">secret</span>x', "x"),
        ("<div hidden>secret</div>x", "x"),
        ('<td style="font-size:0px"><div style="font-size:13px">text</div></td>', "text"),
        ('<table><tr><td style="font-size:0">no<div style="font-size:13px">text</div></td></tr></table>', "text"),
        ('<table><tr><td style="display:none">no</td><td>yes</td></tr></table>', "yes"),
        ('<table><tr style="display:none"><td>no</td></tr><tr><td>yes</td></tr></table>', "yes"),
        (
            '<table><tr><td>a<div style="display:none"><table><tr><td>no</td></tr></table></div>b</td></tr></table>',
            "a\nb",
        ),
        ('<div style="mso-hide:all">seen by all but Outlook</div>', "seen by all but Outlook"),
        ('<div style="font-size:12px;height:100px">x</div>', "x"),
        ('<div style="display:none">never closed, so it is shown', "never closed, so it is shown"),
        ("<!--[if mso]>outlook<![endif]--><![if !mso]>others<![endif]>", "others"),
        ('<img src="x" width="1" height="1" alt="pixel">x', "x"),
        ("x&zwnj;&nbsp;&zwnj;&nbsp;", "x"),
    ],
)
def test_what_nobody_sees_is_left_out(source: str, text: str) -> None:
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<blockquote type="cite" style="margin:0 0 0 .8ex;border:none">q</blockquote>', "> q"),
        ('<blockquote style="margin:0 0 0 40px;border:none;padding:0">in</blockquote>x', "    in\n\nx"),
        ('<div class="yahoo_quoted">On Tue wrote:<div>hello</div></div>', "> On Tue wrote:\n> hello"),
        ("<blockquote>a<br><br>b</blockquote>", "> a\n>\n> b"),
        ("<b>a</b> <b> b</b>", "a b"),
        ('a <span style="font-size:12px">b</span> c', "a b c"),
        ("<pre>\na\n\n  b\n</pre>", "a\n\n  b"),
        ('<div style="white-space:pre-wrap">a\n b</div>', "a\n b"),
        ("soft&shy;hyphen", "softhyphen"),
        ("a<br><br><br><br><br>b", "a\n\n\nb"),
        ("<q>x</q>", "“x”"),
        ("<p>שלום עולם</p><p dir=rtl>مرحبا <b>بك</b></p>", "שלום עולם\n\nمرحبا بك"),
    ],
)
def test_blanks_and_quotes_are_as_a_browser_shows_them(source: str, text: str) -> None:
    assert html_to_text(source) == text


TAGS = [
    "<p>",
    "</p>",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<li>",
    "<ul>",
    "</ul>",
    "<div hidden>",
    "</div>",
]
TAGS += [
    "<a href=http://x.example>",
    "</a>",
    "<pre>",
    "<blockquote>",
    "</blockquote>",
    "<br>",
    "<div style=display:none>",
]


@given(
    st.one_of(st.text("<>/ab\"'=&;#x! -\n", max_size=200), st.lists(st.sampled_from([*TAGS, "a", "b\n"])).map("".join))
)
def test_any_text_is_html(source: str) -> None:
    assert html_to_text(source).encode("utf-8") is not None


PIECES = ["<a ", "<div>", "<!--", "<![", "</", '<a ">', '<a ">" ', '<a \'">"', "&", "&#9", "<script>", "<blockquote>x"]


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES,
        "<table><td>",
        '<a href="',
        "<pre>\n",
        "  ",
        "<a>x",
        "<",
        "&amp;",
        "<table><tr><td>x",
        "<ul><li>x",
        "</table>",
        "<span style='font-size:0'>",
        "<x1 style=display:none>",
        "<a href=http://a>x<br>",
    ],
)
def test_the_time_for_hostile_html_grows_no_faster_than_its_size(piece: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        html_to_text(piece * (size // len(piece)))
        return time.process_time() - start

    seconds(1_000)
    short, long = seconds(30_000), seconds(300_000)
    assert long < 30 * short + 0.1
