"""What a monitor reads at /metrics, and who may."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from eventum.issues.settings import put
from eventum.store.state import FetchState
from eventum.tracker import alerts, metrics
from tests.house import House, mail
from tests.tracker.test_health import ran
from tests.web.browser import Site

TOKEN = "a token of some length"
FAR = {"REMOTE_ADDR": "192.0.2.7"}
RUNNING = (Path(__file__).parent.parent.parent / "docs" / "running.md").read_text(encoding="utf-8")


def numbers(site: Site) -> dict[str, float]:
    response = site.app.test_client().get("/metrics")
    assert response.status_code == 200
    lines = [line for line in response.text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_the_numbers_say_what_an_operator_watches(house: House, site: Site) -> None:
    ran(house, "process-queue", 5)
    house.arrive(mail())
    state = FetchState(
        error="no", error_since=house.now - timedelta(hours=1), failures=4, last_success=house.now - timedelta(hours=2)
    )
    house.tracker.state.save_fetch(house.account.id, state)
    alerts.raised(house.tracker, "x", "Something is wrong.")
    found = numbers(site)
    account = f'account="{house.account.id}",name="help@example.org"'
    assert found['eventum_run_age_seconds{command="process-queue"}'] == 300
    assert found['eventum_run_ok{command="process-queue"}'] == 1
    assert found[f"eventum_account_failures{{{account}}}"] == 4
    assert found[f"eventum_account_failing_seconds{{{account}}}"] == 3600
    assert found[f"eventum_account_success_age_seconds{{{account}}}"] == 7200
    assert found['eventum_queue_mails{status="pending"}'] == 2
    assert found['eventum_spool_mails{state="done"}'] == 1
    assert found["eventum_alerts_open"] == 1
    assert found["eventum_disk_free_bytes"] > 0 and found["eventum_disk_limit_bytes"] == 200_000_000
    assert found["eventum_unreadable"] == 0 and found["eventum_health_level"] == 2


def test_every_name_has_its_type_and_stands_on_the_page_for_operators(house: House, site: Site) -> None:
    ran(house, "process-queue")
    house.tracker.state.save_fetch(house.account.id, FetchState(last_success=house.now))
    text = site.app.test_client().get("/metrics").text
    assert set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) == set(metrics.METRICS)
    assert set(re.findall(r"^\| `(eventum_\w+)", RUNNING, re.MULTILINE)) == set(metrics.METRICS)
    for name in re.findall(r"expr: .*?(eventum_\w+)", RUNNING):
        assert name in metrics.METRICS


def test_how_far_the_index_is_behind_is_told(house: House, site: Site) -> None:
    house.arrive(mail())
    house.tracker.index.catch_up()
    assert numbers(site)["eventum_index_lag_bytes"] == 0
    house.arrive(mail("Another"))
    assert numbers(site)["eventum_index_lag_bytes"] > 0


def test_what_cannot_be_read_hides_nothing_else(house: House, site: Site) -> None:
    house.tracker.layout.sending.write_bytes(b"{")
    found = numbers(site)
    assert (
        found["eventum_unreadable"] == 1
        and "eventum_smtp_failures" not in found
        and "eventum_spool_oldest_age_seconds" in found
    )


def test_another_machine_needs_the_token(house: House, site: Site) -> None:
    client = site.app.test_client()
    assert client.get("/metrics", environ_base=FAR).status_code == 403
    assert client.get("/metrics", environ_base=FAR, headers={"Authorization": "Bearer "}).status_code == 403
    house.tracker.settings.save_general(house.tracker.settings.general(), metrics_token=TOKEN)
    for given, status in (
        (f"Bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 403),
        (f"Basic {TOKEN}", 403),
        ("Bearer é", 403),
    ):
        assert client.get("/metrics", environ_base=FAR, headers={"Authorization": given}).status_code == status


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_nobody_is_of_this_machine_because_he_says_so_or_because_a_proxy_is(site: Site, header: str) -> None:
    client = site.app.test_client()
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403
    assert client.get("/metrics", headers={header: "127.0.0.1"}, environ_base=FAR).status_code == 403


def test_a_label_cannot_break_out_of_its_line(house: House, site: Site) -> None:
    house.set_account(addresses=(), username='a"b\\c')
    assert 'name="a\\"b\\\\c"' in site.app.test_client().get("/metrics").text


def test_no_cookie_and_no_secret_is_in_it(house: House, site: Site) -> None:
    house.tracker.settings.save_general(
        put(house.tracker.settings.general(), "disk.min_free", "1"), metrics_token=TOKEN
    )
    response = site.app.test_client().get("/metrics")
    assert "Set-Cookie" not in response.headers and TOKEN not in response.text
