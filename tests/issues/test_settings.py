"""General Setup by its keys."""

import msgspec
import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.settings import KEYS, General, get, lacking, put, show

GOOD = {
    "general.tool_caption": ("Help desk", "Help desk"),
    "general.base_url": ("https://issues.example.org/eventum/", "https://issues.example.org/eventum"),
    "smtp.host": ("Mail.Example.org", "mail.example.org"),
    "smtp.port": ("587", 587),
    "smtp.security": ("STARTTLS", "starttls"),
    "smtp.username": ("eventum", "eventum"),
    "smtp.password": ("sealed:abc", "sealed:abc"),
    "smtp.from": ("Support <support@example.org>", "Support <support@example.org>"),
    "subject_routing.enabled": ("yes", True),
    **{
        f"{block}_routing.{field}": value
        for block in ("email", "note", "draft")
        for field, value in {
            "enabled": ("true", True),
            "prefix": ("Ticket-", "ticket-"),
            "host": ("Example.org", "example.org"),
            "host_aliases": ("a.example | b.example, a.example", ("a.example", "b.example")),
        }.items()
    },
    "network.allowed_hosts": ("Mail.Lan, 10.1.2.3/16 [::1]", ("mail.lan", "10.1.0.0/16", "::1")),
    "network.allowed_ports": ("2525, 2526", (2525, 2526)),
    "defaults.language": ("JA", "ja"),
    "defaults.timezone": ("Europe/Berlin", "Europe/Berlin"),
    "fuse.address": ("30", 30),
    "fuse.new_issues": ("0", 0),
    "fuse.domain": ("1000", 1000),
    "fuse.issue": ("200", 200),
    "fuse.acknowledgements": ("10", 10),
    "disk.min_free": ("500", 500),
    "metrics.token": ("sealed:def", "sealed:def"),
}


def test_every_key_is_set_read_and_shown() -> None:
    assert set(GOOD) == set(KEYS)
    general = General()
    for key, (typed, value) in GOOD.items():
        general = put(general, key, typed)
        assert get(general, key) == value
        if not KEYS[key].secret:
            assert put(general, key, show(general, key)) == general, "what is shown can be typed again"
    assert {key: get(general, key) for key in KEYS} == {key: value for key, (_, value) in GOOD.items()}
    assert msgspec.json.decode(msgspec.json.encode(general), type=General) == general


@pytest.mark.parametrize("key", list(KEYS))
def test_setting_one_key_touches_no_other(key: str) -> None:
    before = General()
    after = put(before, key, GOOD[key][0])
    assert [name for name in KEYS if get(after, name) != get(before, name)] == [key]


def test_the_sender_is_called_from_in_the_file() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(put(General(), "smtp.from", "a@b.example")))
    assert stored["smtp"]["from"] == "a@b.example"


def test_the_defaults_are_eventums() -> None:
    shown = {key: show(General(), key) for key in KEYS}
    assert shown["email_routing.prefix"] == "issue-" and shown["note_routing.prefix"] == "note-"
    assert shown["draft_routing.prefix"] == "draft-" and shown["general.tool_caption"] == "Eventum"
    assert shown["subject_routing.enabled"] == "false" and shown["smtp.port"] == "25"


def test_a_password_is_never_shown() -> None:
    assert show(General(), "smtp.password") == ""
    assert show(put(General(), "smtp.password", "sealed:abc"), "smtp.password") == "(set)"


@pytest.mark.parametrize(
    ("key", "typed", "sentence"),
    [
        ("general.base_url", "issues.example.org", "http or https"),
        ("general.base_url", "ftp://issues.example.org", "http or https"),
        ("general.base_url", "https://a b/", "http or https"),
        ("general.base_url", "https://", "http or https"),
        ("general.base_url", "https://x:99999/", "http or https"),
        ("general.base_url", "https://x/?a=b", "http or https"),
        ("defaults.language", "tlh", "en or ja"),
        ("defaults.timezone", "Berlin", "Europe/Berlin"),
        ("fuse.address", "-1", "like 20"),
        ("defaults.timezone", "", "Europe/Berlin"),
        ("general.tool_caption", "", "name"),
        ("general.tool_caption", "a\nb", "one line"),
        ("smtp.host", "", "name the server"),
        ("smtp.host", "smtp://x", "host name"),
        ("smtp.port", "0", "1 to 65535"),
        ("smtp.port", "65536", "1 to 65535"),
        ("smtp.port", "٢٥", "1 to 65535"),
        ("smtp.port", "smtp", "1 to 65535"),
        ("smtp.security", "ssl", "none, starttls, tls"),
        ("smtp.from", "", "one address"),
        ("smtp.from", "support", "one address"),
        ("smtp.from", "a@b.example, c@d.example", "one address"),
        ("subject_routing.enabled", "maybe", "true or false"),
        ("email_routing.prefix", "", "start of an address"),
        ("email_routing.prefix", "is sue-", "start of an address"),
        ("email_routing.prefix", "@", "start of an address"),
        ("email_routing.prefix", "issue-1", "digit"),
        ("email_routing.host", "exa mple", "host name"),
        ("email_routing.host", "user@example.org", "host name"),
        ("note_routing.host_aliases", "a.example -b", "host name"),
    ],
)
def test_a_bad_value_is_refused_with_the_key_and_the_remedy(key: str, typed: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as error:
        put(General(), key, typed)
    assert str(error.value).startswith(f"{key} cannot be") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("typed", "near"),
    [("smtp.form", "smtp.from"), ("base_url", "general.base_url"), ("email.prefix", "email_routing.prefix")],
)
def test_an_unknown_key_names_those_most_like_it(typed: str, near: str) -> None:
    for ask in (lambda: get(General(), typed), lambda: put(General(), typed, "x"), lambda: show(General(), typed)):
        with pytest.raises(NotFound, match=near):
            ask()


def test_what_is_on_and_cannot_work_is_named() -> None:
    assert any("smtp.from is not set" in sentence for sentence in lacking(General()))
    general = put(put(General(), "smtp.from", "a@b.example"), "email_routing.enabled", "true")
    assert lacking(general) == ("email_routing is on and does nothing without a host; set email_routing.host.",)
    assert lacking(put(general, "email_routing.host", "b.example")) == ()
    assert "smtp.password" in lacking(put(general, "smtp.username", "x"))[-1]


def test_a_value_can_be_emptied_where_that_means_something() -> None:
    general = put(put(General(), "general.base_url", "https://x.example"), "general.base_url", "")
    assert general.base_url == ""
    assert put(put(General(), "email_routing.host_aliases", "a.example"), "email_routing.host_aliases", "") == General()
