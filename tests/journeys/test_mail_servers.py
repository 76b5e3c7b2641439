"""What the page of lines says for Postfix is what Postfix understands: its own tools read it."""

import subprocess
from pathlib import Path

import pytest

from eventum.tracker import mail_servers
from tests.house import House


@pytest.mark.parametrize("folder", ["box", 'a "quoted" box', "a box: with, marks"])
def test_postfix_reads_the_aliases_and_knows_a_maildir(house: House, tmp_path: Path, folder: str) -> None:
    house.set_account(folder=str(tmp_path / folder), addresses=("help@example.org", "a.b+c@example.org"))
    postfix = next(way for way in mail_servers.ways(house.tracker) if way.name == "Postfix")
    (entries,) = (step for step in postfix.steps if step.file.endswith("/aliases"))
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")
    aliases = tmp_path / "aliases"
    aliases.write_text(entries.text + "\n")
    tool = ["postalias", "-c", str(tmp_path)]
    made = subprocess.run([*tool, f"hash:{aliases}"], capture_output=True, text=True, check=True)
    assert "warning" not in made.stderr, made.stderr
    for local in ("help", "a.b+c"):
        found = subprocess.run([*tool, "-q", local, f"hash:{aliases}"], capture_output=True, text=True, check=True)
        quoted = str(tmp_path / folder).replace('"', '\\"')
        assert found.stdout.strip() == f'"{quoted}/"'


def test_the_folders_are_made_as_the_first_step_says(house: House, tmp_path: Path) -> None:
    house.set_account(folder=str(tmp_path / "it's a box"))
    step = mail_servers.folders(mail_servers.boxes(house.tracker))
    subprocess.run(["sh", "-c", step.text], check=True)
    parts = {path.name for path in (tmp_path / "it's a box").iterdir()}
    assert parts == {"new", "cur", "tmp"}
    assert (tmp_path / "it's a box").stat().st_mode & 0o777 == 0o700
