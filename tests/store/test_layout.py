from pathlib import Path

import pytest

from eventum.errors import NotFound
from eventum.store.layout import Layout, checked, maildir


@pytest.mark.parametrize("name", ["a", "3f9a1c20", "other-1", "a_b", "x" * 64])
def test_an_id_may_be_part_of_a_path(name: str) -> None:
    assert checked(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "A", "a b", "a\n", "a.json", "-a", "x" * 65, "ä", "a\0"]
)
def test_what_could_leave_its_folder_is_no_id(name: str) -> None:
    layout = Layout(Path("/data"))
    for path in (checked, layout.account, layout.fetch_of, lambda one: layout.pool_of(one, "unassociated")):
        with pytest.raises(NotFound, match="is not an id"):
            path(name)


@pytest.mark.parametrize(("number", "path"), [(1, "0/1"), (999, "0/999"), (1000, "1/1000"), (12345, "12/12345")])
def test_a_thousand_issues_share_a_folder(number: int, path: str) -> None:
    assert Layout(Path("/data")).issue(number) == Path("/data/issues") / path


def test_a_store_has_all_its_folders_from_the_first_day_and_keeps_what_is_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    layout.create()
    (layout.users / "a.json").write_bytes(b"{}")
    layout.create()
    assert all(folder.is_dir() for folder in layout.folders())
    assert all(folder.is_dir() for folder in maildir(layout.incoming))
    assert (layout.users / "a.json").exists()
