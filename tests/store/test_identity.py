import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventum.errors import Damaged
from eventum.store import identity
from eventum.store.layout import Layout

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.create()
    return layout


def test_a_store_knows_its_id_its_key_and_its_first_day(layout: Layout) -> None:
    written = identity.write(layout, "0123456789abcdef", NOW)
    assert identity.opened(layout) == written
    assert (written.key, written.created, len(written.id)) == ("0123456789abcdef", NOW, 16)


def test_a_folder_without_identity_is_no_store_yet(layout: Layout, tmp_path: Path) -> None:
    for place in (layout, Layout(tmp_path / "nowhere")):
        assert identity.read(place) is None
        with pytest.raises(Damaged, match="run `flask init`"):
            identity.opened(place)


def test_a_damaged_identity_is_named(layout: Layout) -> None:
    layout.store.write_text("{}")
    with pytest.raises(Damaged, match=str(layout.store)):
        identity.opened(layout)


def test_another_system_user_is_refused_whoever_he_is(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    identity.write(layout, "0123456789abcdef", NOW)
    owner = os.geteuid()
    for other in (0, 1, 65534, 4_000_000):
        if other != owner:
            monkeypatch.setattr(os, "geteuid", lambda other=other: other)
            with pytest.raises(Damaged, match="belongs to user"):
                identity.opened(layout)


def test_a_store_on_more_than_one_file_system_is_refused_by_name(layout: Layout) -> None:
    identity.write(layout, "0123456789abcdef", NOW)
    layout.pool.rmdir()
    layout.pool.symlink_to("/proc")
    with pytest.raises(Damaged, match=f"{layout.spool} and {layout.pool} lie on different file systems"):
        identity.opened(layout)
