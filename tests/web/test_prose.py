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
        ("see https://example.org/A_(b)", "https://example.org/A_(b)"),
        ("(see https://example.org/A_(b)).", "https://example.org/A_(b)"),
        ("<https://example.org/x>", "https://example.org/x"),
        ("**https://example.org/**", "https://example.org/"),
        ("サイトはhttps://example.jpです", "https://example.jp"),
        ("https://例え.テスト/パス", "https://例え.テスト/"),
        ("https://[2001:db8::1]:80/x, and", "https://[2001:db8::1]:80/x"),
        ("mailto:joe@example.org?subject=Hi, ok", "mailto:joe@example.org?subject=Hi"),
    ],
)
def test_an_address_can_be_followed(text: str, address: str) -> None:
    assert f'<a href="{address}"' in prose(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://\u0430pple.example/login", "xn--pple-43d.example"),
        ("https://bank.example@evil.example/", "evil.example"),
    ],
)
def test_an_address_that_is_not_what_it_looks_like_says_where_it_leads(text: str, host: str) -> None:
    assert f"[→ {host}]" in prose(text)
    assert "→" not in prose("https://example.org/ https://Example.org:8080/a@b")


@pytest.mark.parametrize(
    "text", ["ftp://example.org/", "javascript:alert(1)", "data:text/html,x", "https://", "mailto:"]
)
def test_nothing_else_is_a_link(text: str) -> None:
    assert "<a" not in prose(text)


def test_only_so_many_are_made_links() -> None:
    assert prose("https://e.org/ " * (MOST_LINKS + 10)).count("<a ") == MOST_LINKS


@pytest.mark.parametrize(
    "text",
    [
        "http://a.b/c?d=" * 32_000,
        " " * 200_000,
        "https://" * 50_000,
        "(" * 200_000,
        "x\n\n" * 60_000,
        "mailto:a" * 50_000,
        "https://" + "ü." * 100_000,
        "https://a/" + ")" * 200_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    prose(text)
    assert time.process_time() - began < 2
