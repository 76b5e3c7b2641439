"""The short form of the rows about imports: a few kills of each."""

from tests.faults.short import rows


def test_an_import_killed_anywhere_is_gone_on_with_or_undone_and_a_broken_copy_is_found_out() -> None:
    done = rows("imports-kill", "imports-undo", "imports-half", "broken-imports")
    assert sum(done.values()) >= 12
