"""Where links lead."""

import time

import pytest

from eventum.mail.html.links import ascii_host, leads_to, misleads


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://shop.example/a", "shop.example"),
        ("HTTPS://Shop.Example:8443/", "shop.example"),
        ("https:shop.example", "shop.example"),
        ("https:\\\\evil.example\\@shop.example", "evil.example"),
        ("https://shop.example\t.evil.example/", "shop.example.evil.example"),
        ("https://shop.example@evil.example", "evil.example"),
        ("https://shop.example?@evil.example", "shop.example"),
        ("https://[::1]:80/", "[::1]"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://shop。example", "shop.example"),
        ("mailto:a@b.example", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_an_address_is_read_as_browsers_read_it(address: str, host: str) -> None:
    assert leads_to(address) == host


@pytest.mark.parametrize(
    ("words", "address", "place"),
    [
        ("https://bücher.example/", "https://xn--bcher-kva.example/a", ""),
        ("https://аpple.example", "https://apple.example/", "apple.example"),
        ("Our new shop. Come in", "https://shop.example/", ""),
        ("See www.bank.example today and be quick", "https://shop.example/", "shop.example"),
        ("http://shop.example/?who=joe@mail.example", "http://shop.example/x", ""),
        ("bank\u200b.example", "https://evil.example", "evil.example"),
        ("moc.elpmaxe\u202e", "https://evil.example", "evil.example"),
        ("", "https://evil.example", ""),
    ],
)
def test_words_that_are_an_address_of_elsewhere_mislead(words: str, address: str, place: str) -> None:
    assert misleads(words, address) == place


@pytest.mark.parametrize("host", ["ü" * 300, "xn--\udc80", "\u0130" * 60, ".." * 100, "a" * 70 + "ü.example"])
def test_no_host_is_too_odd(host: str) -> None:
    assert ascii_host(host).isascii() or "\udc80" in host


@pytest.mark.parametrize("text", ["a." * 5_000, "https://" * 2_000, "@" * 9_000, "www." * 3_000, " " * 9_000])
def test_no_words_take_long(text: str) -> None:
    began = time.process_time()
    for _ in range(100):
        misleads(text, "https://" + text)
    assert time.process_time() - began < 2
