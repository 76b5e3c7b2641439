from pathlib import Path

import pytest

from eventum.config import Config, is_base_url
from eventum.errors import Damaged
from eventum.tracker.lines import VARIABLES


def test_without_variables_the_store_lies_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config.from_environment({})
    assert config == Config(data=tmp_path / "data", secret_file=tmp_path / "instance" / "secret.json")
    assert config.cache_of("0123") == Path.home() / ".cache" / "eventum" / "0123"


def test_each_variable_is_read(tmp_path: Path) -> None:
    config = Config.from_environment(
        {
            "EVENTUM_DATA": str(tmp_path / "store"),
            "EVENTUM_CACHE": str(tmp_path / "cache"),
            "EVENTUM_SECRET_FILE": str(tmp_path / "key.json"),
            "EVENTUM_BASE_URL": "https://issues.example.org/tracker/",
            "EVENTUM_LOG_FORMAT": "json",
            "EVENTUM_TRUSTED_PROXIES": "2",
        }
    )
    assert (config.data, config.secret_file) == (tmp_path / "store", tmp_path / "key.json")
    assert (config.base_url, config.log_format) == ("https://issues.example.org/tracker", "json")
    assert config.trusted_proxies == 2
    assert config.cache_of("0123") == tmp_path / "cache"


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Damaged) as raised:
        Config.from_environment(
            {
                "EVENTUM_DATA": str(tmp_path / "file"),
                "EVENTUM_CACHE": str(tmp_path / "file" / "cache"),
                "EVENTUM_SECRET_FILE": str(tmp_path),
                "EVENTUM_BASE_URL": "issues.example.org",
                "EVENTUM_LOG_FORMAT": "xml",
                "EVENTUM_TRUSTED_PROXIES": "-1",
            }
        )
    said = str(raised.value)
    for name in VARIABLES:
        assert name in said


def test_a_key_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="a copy of the data would hold its key"):
        Config.from_environment({"EVENTUM_DATA": str(tmp_path), "EVENTUM_SECRET_FILE": str(tmp_path / "secret.json")})


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("https://issues.example.org", True),
        ("http://localhost:5000", True),
        ("https://[::1]:8443/tracker", True),
        ("issues.example.org", False),
        ("ftp://issues.example.org", False),
        ("https://", False),
        ("https://host:99999", False),
        ("https://user@host", False),
        ("https://host/?q=1", False),
        ("https://host/ a", False),
        ("https://[::1", False),
    ],
)
def test_a_base_url_is_what_links_can_begin_with(text: str, fine: bool) -> None:
    assert is_base_url(text) is fine
