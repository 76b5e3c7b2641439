"""Plain text as paragraphs."""

import time

import pytest

from eventum.web.prose import MOST_LINKS, prose


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("a\nb\n\nc", "<p>a<br>b</p>\n<p>c</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ('" onmouseover="x', "<p>&#34; onmouseover=&#34;x</p>"),
        ("javascript:alert(1)", "<p>javascript:alert(1)</p>"),
        ("", ""),
        ("{{ 7*7 }}", "<p>{{ 7*7 }}</p>"),
    ],
)
def test_text_is_escaped(text: str, markup: str) -> None:
    assert prose(text) == markup


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org/a?b=c&d=e.", "https://example.org/a?b=c&amp;d=e"),
        ("(http://example.org/)", "http://example.org/"),
        ("障害はhttps://example.org/x。です", "https://example.org/x"),
        ('https://example.org/"onclick="x', "https://example.org/"),
    ],
)
def test_an_address_can_be_followed(text: str, address: str) -> None:
    assert f'<a href="{address}"' in prose(text)


def test_only_so_many_are_made_links() -> None:
    assert prose("https://e.org/ " * (MOST_LINKS + 10)).count("<a ") == MOST_LINKS


@pytest.mark.parametrize(
    "text", ["http://a.b/c?d=" * 32_000, " " * 200_000, "https://" * 50_000, "(" * 200_000, "x\n\n" * 60_000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    prose(text)
    assert time.process_time() - began < 2
