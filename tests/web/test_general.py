"""General Setup in the browser: one section at a time, faults at fields, a password never shown, a test mail."""

import re

import pytest

from eventum.tracker.membership import UserForm, save_user
from tests.house import House
from tests.servers.smtp_sink import Sink
from tests.web.browser import Browser, Site

SETUP = "/admin/general"
SMTP = {"smtp_host": "mail.example.org", "smtp_port": "587", "smtp_security": "starttls", "smtp_username": "eventum"}


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


def test_only_administrators_see_it(site: Site) -> None:
    assert site.browser("admin@example.org").get(SETUP).status == 200
    assert site.browser("dev@example.org").get(SETUP).status == 403
    assert site.browser().get(SETUP).path == "/login"


def test_the_words_of_the_mission_are_there(admin: Browser) -> None:
    assert "SMTP (Outgoing Email) Settings" in admin.get(SETUP).text


def test_saving_one_section_touches_no_other(house: House, admin: Browser) -> None:
    admin.submit(SETUP, f"{SETUP}/smtp", **SMTP, smtp_password="correct horse")
    admin.submit(SETUP, f"{SETUP}/email_routing", email_routing_enabled="y", email_routing_host="example.org")
    admin.submit(SETUP, f"{SETUP}/sender", smtp_from="Support <support@example.org>")
    admin.submit(SETUP, f"{SETUP}/network", network_allowed_hosts="10.1.0.0/16\nmail.lan", network_allowed_ports="2525")
    admin.submit(SETUP, f"{SETUP}/installation", general_tool_caption="Harbour")
    general = house.tracker.settings.general()
    assert (general.smtp.host, general.smtp.port, general.smtp.from_) == (
        "mail.example.org",
        587,
        "Support <support@example.org>",
    )
    assert general.email_routing.enabled and general.email_routing.host == "example.org"
    assert general.network.allowed_hosts == ("10.1.0.0/16", "mail.lan") and general.network.allowed_ports == (2525,)
    assert general.tool_caption == "Harbour" and house.tracker.settings.smtp_password(general) == "correct horse"


def test_the_password_is_kept_when_left_empty_and_never_shown(house: House, admin: Browser) -> None:
    admin.submit(SETUP, f"{SETUP}/smtp", **SMTP, smtp_password="correct horse")
    assert admin.submit(SETUP, f"{SETUP}/smtp").status == 303
    general = house.tracker.settings.general()
    assert house.tracker.settings.smtp_password(general) == "correct horse"
    html = admin.get(SETUP).html
    assert "correct horse" not in html and general.smtp.password not in html and "stored one stays" in html


@pytest.mark.parametrize(
    "fields",
    [{"smtp_host": "evil.example"}, {"smtp_port": "25"}, {"smtp_security": "none"}, {"smtp_username": "eve"}],
)
def test_the_password_is_not_carried_to_another_server(house: House, admin: Browser, fields: dict[str, str]) -> None:
    admin.submit(SETUP, f"{SETUP}/smtp", **SMTP, smtp_password="correct horse")
    for path in ("smtp", "test"):
        form = admin.get(SETUP).form(f"{SETUP}/smtp").values
        page = admin.post(f"{SETUP}/{path}", {**form, **fields})
        assert page.status == 422 and "Type the password again" in page.text
    assert admin.submit(SETUP, f"{SETUP}/smtp", **fields, smtp_password="staple").status == 303


def test_without_a_user_name_the_password_is_forgotten(house: House, admin: Browser) -> None:
    admin.submit(SETUP, f"{SETUP}/smtp", **SMTP, smtp_password="correct horse")
    assert admin.submit(SETUP, f"{SETUP}/smtp", smtp_username="").status == 303
    assert house.tracker.settings.general().smtp.password == ""


@pytest.mark.parametrize(
    ("section", "fields", "words"),
    [
        ("smtp", {"smtp_host": ""}, "Name the server"),
        ("smtp", {"smtp_port": "0"}, "1 to 65535"),
        ("sender", {"smtp_from": "support"}, "Write one address"),
        ("email_routing", {"email_routing_prefix": "issue-1"}, "cannot end in a digit"),
        ("note_routing", {"note_routing_host": "a b"}, "host name"),
        ("network", {"network_allowed_hosts": "10.1.0.0/99"}, "10.1.0.0/16"),
        ("network", {"network_allowed_ports": "all"}, "1 to 65535"),
        ("installation", {"general_base_url": "issues"}, "http or https"),
        ("installation", {"general_tool_caption": ""}, "Give it a name"),
    ],
)
def test_what_cannot_be_taken_stands_at_its_field(
    house: House, admin: Browser, section: str, fields: dict[str, str], words: str
) -> None:
    page = admin.submit(SETUP, f"{SETUP}/{section}", **fields)
    (name, value) = next(iter(fields.items()))
    shown = re.search(rf'id="{name}-error"[^>]*>(.*?)</div>', page.html, re.DOTALL)
    assert page.status == 422 and shown and words in shown[1]
    assert page.form(f"{SETUP}/{section}").values[name][0].strip() == value
    assert house.tracker.settings.general().revision == 0


def test_all_faults_of_a_section_are_told_at_once(admin: Browser) -> None:
    page = admin.submit(SETUP, f"{SETUP}/smtp", smtp_host="", smtp_port="0")
    assert 'id="smtp_host-error"' in page.html and 'id="smtp_port-error"' in page.html


def test_what_is_on_and_cannot_work_is_said_at_its_field(admin: Browser) -> None:
    admin.submit(SETUP, f"{SETUP}/email_routing", email_routing_enabled="y")
    page = admin.get(SETUP)
    assert "This is on and does nothing without a host." in page.text and "smtp.from is not set" in page.text


def test_two_who_change_the_same_section_are_told_and_other_sections_do_not_matter(
    house: House, admin: Browser
) -> None:
    page = admin.get(SETUP)
    admin.submit(SETUP, f"{SETUP}/installation", general_tool_caption="Harbour")
    assert admin.submit(page, f"{SETUP}/sender", smtp_from="a@b.example").status == 303
    told = admin.submit(page, f"{SETUP}/installation", general_tool_caption="Quay")
    assert told.status == 409 and "“Harbour” now, you typed “Quay”" in told.text
    assert admin.submit(told, f"{SETUP}/installation").status == 303
    assert house.tracker.settings.general().tool_caption == "Quay"


def test_a_test_mail_goes_by_the_server_of_the_form(house: House, admin: Browser, sink: Sink) -> None:
    admin.submit(SETUP, f"{SETUP}/network", network_allowed_hosts="127.0.0.1", network_allowed_ports=str(sink.port))
    admin.submit(SETUP, f"{SETUP}/sender", smtp_from="Support <support@example.org>")
    form = {**admin.get(SETUP).form(f"{SETUP}/smtp").values, "smtp_host": "127.0.0.1", "smtp_port": str(sink.port)}
    page = admin.post(f"{SETUP}/test", {**form, "recipient": "ana@customer.example"})
    assert page.status == 200 and "Mail accepted" in page.text and "250" in page.text, page.text
    (received,) = sink.received
    assert received.recipients == ("ana@customer.example",) and received.sender == "support@example.org"
    assert b"Auto-Submitted: auto-generated" in received.data
    assert house.tracker.settings.general().smtp.host == "localhost", "a test saves nothing"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"smtp_host": "127.0.0.1"}, "not an address of the public internet"),
        ({"smtp_host": "mail.example.org", "smtp_port": "22"}, "no port of mail servers"),
        ({"recipient": "ana"}, "is not an e-mail address"),
    ],
)
def test_a_test_mail_that_cannot_go_says_why(admin: Browser, fields: dict[str, str], words: str) -> None:
    admin.submit(SETUP, f"{SETUP}/sender", smtp_from="support@example.org")
    form = {**admin.get(SETUP).form(f"{SETUP}/smtp").values, "recipient": "ana@customer.example", **fields}
    for headers in ({}, {"HX-Request": "true"}):
        assert words in admin.post(f"{SETUP}/test", form, headers=headers).text


def test_a_test_mail_that_may_not_go_there_is_allowed_in_place(house: House, admin: Browser, sink: Sink) -> None:
    admin.submit(SETUP, f"{SETUP}/sender", smtp_from="support@example.org")
    form = {**admin.get(SETUP).form(f"{SETUP}/smtp").values, "smtp_host": "127.0.0.1", "smtp_port": str(sink.port)}
    form["recipient"] = "ana@customer.example"
    assert f"Allow 127.0.0.1 (port {sink.port}) and test again" in admin.post(f"{SETUP}/test", form).text
    assert not sink.received
    page = admin.post(f"{SETUP}/test", {**form, "allow": f"127.0.0.1 {sink.port}"})
    assert "Mail accepted" in page.text and "Tests may reach 127.0.0.1" in page.text and len(sink.received) == 1
    assert page.form(f"{SETUP}/smtp").values["smtp_port"] == [str(sink.port)]
    assert house.tracker.settings.general().network.allowed_ports == (sink.port,)


def test_the_address_of_this_installation_is_proposed_and_never_taken_by_itself(house: House, admin: Browser) -> None:
    page = admin.get(SETUP)
    assert page.form(f"{SETUP}/installation").values["general_base_url"] == ["http://localhost"]
    assert "Nobody said yet how this installation is reached." in page.text and f"{SETUP}#installation" in page.links
    assert house.tracker.settings.general().base_url == ""
    assert admin.submit(page, f"{SETUP}/installation").status == 303
    assert house.tracker.settings.general().base_url == "http://localhost"
    assert "Nobody said yet" not in admin.get(SETUP).text


def test_new_users_begin_with_the_defaults(house: House, admin: Browser) -> None:
    given = {"defaults_language": "ja", "defaults_timezone": "Asia/Tokyo"}
    assert admin.submit(SETUP, f"{SETUP}/defaults", **given).status == 303
    assert admin.get("/admin/users/new").form("/admin/users").values["timezone"] == ["Asia/Tokyo"]
    save_user(house.tracker, None, UserForm(email="new@example.org", name="New"))
    user = house.tracker.people.user("new@example.org")
    assert (user.language, user.timezone) == ("ja", "Asia/Tokyo")
    assert house.tracker.people.user("dev@example.org").timezone == "UTC"
