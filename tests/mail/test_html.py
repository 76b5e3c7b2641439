"""HTML becomes readable text, in time that grows with its size."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.html import html_to_text


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
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc"),
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


@given(st.text("<>/ab\"'=&;#x! -\n", max_size=200))
def test_any_text_is_html(source: str) -> None:
    assert html_to_text(source).encode("utf-8") is not None


PIECES = ["<a ", "<div>", "<!--", "<![", "</", '<a ">', '<a ">" ', '<a \'">"', "&", "&#9", "<script>", "<blockquote>x"]


@pytest.mark.parametrize("piece", [*PIECES, "<table><td>", '<a href="', "<pre>\n", "  ", "<a>x", "<", "&amp;"])
def test_the_time_for_hostile_html_grows_no_faster_than_its_size(piece: str) -> None:
    def seconds(size: int) -> float:
        start = time.perf_counter()
        html_to_text(piece * (size // len(piece)))
        return time.perf_counter() - start

    seconds(1_000)
    short, long = seconds(30_000), seconds(300_000)
    assert long < 30 * short + 0.1
