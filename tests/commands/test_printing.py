from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.commands import printing


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("山田", 4), ("ｶﾅ", 2), ("ＡＢ", 4), ("a\u200bb", 2)],
)
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, columns: int) -> None:
    assert printing.width(text) == columns


def test_columns_line_up_in_any_script(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_table([{"name": "山田", "n": 1}, {"name": "Smith", "n": 22}], ("name", "n"))
    assert capsys.readouterr().out == "NAME   N\n山田   1\nSmith  22\n"


def test_no_rows_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_table([], ("name",))
    assert capsys.readouterr().out == "None.\n"


def test_fields_stand_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_fields({"id": "1", "sender_email": "", "on": True, "list": ["a", "b"], "roles": {"P": "viewer"}})
    assert capsys.readouterr().out.splitlines() == [
        "id            1",
        "sender email  -",
        "on            yes",
        "list          a, b",
        "roles         P: viewer",
    ]


@given(st.text())
def test_no_text_reaches_the_terminal_as_control_characters(text: str) -> None:
    assert printing.cell(text).isprintable()


@given(st.text(), st.integers(1, 5))
def test_a_table_never_breaks_and_never_grows_too_wide(text: str, rows: int) -> None:
    cell = printing._cut(printing.cell(text))
    assert printing.width(cell) <= printing.MAX_CELL


def test_times_in_json_have_an_offset(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_json({"when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "name": "山田 \udcff"})
    text = capsys.readouterr().out
    assert msgspec.json.decode(text) == {"when": "2026-01-02T03:04:05+00:00", "name": "山田 ?"}
    assert "山田" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", ""),
        ((), ""),
        (0, "0"),
        (False, "no"),
        (("a", "b"), "a, b"),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=9))), "2026-01-02T00:00:00+09:00"),
    ],
)
def test_a_value_alone_is_fit_for_scripts(capsys: pytest.CaptureFixture[str], value: object, shown: str) -> None:
    printing.print_value(value)
    assert capsys.readouterr().out == shown + "\n"
