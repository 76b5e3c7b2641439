"""What is kept of a password, and what is asked of one."""

import hashlib
from typing import Any

import pytest
from werkzeug.security import check_password_hash, generate_password_hash

from eventum.errors import Refused
from eventum.tracker import passwords


def test_a_hash_is_one_of_werkzeugs_and_the_other_way_round() -> None:
    kept = passwords.hashed("correct horse")
    assert kept.startswith("scrypt:131072:8:1$")
    assert check_password_hash(kept, "correct horse") and not check_password_hash(kept, "correct horsf")
    theirs = generate_password_hash("pâsswörd 合言葉", passwords.METHOD)
    assert passwords.is_right(theirs, "pâsswörd 合言葉") and not passwords.is_right(theirs, "passwort")


@pytest.mark.parametrize("kept", ["", "plain text", "scrypt:1$x", "pbkdf2:sha256:1000000$salt$" + "0" * 64, "$$"])
def test_what_is_no_hash_of_ours_is_nobodys_password(kept: str) -> None:
    assert not passwords.is_right(kept, "correct horse")
    assert not passwords.is_right(kept, "")


def test_the_same_password_is_kept_in_another_way_each_time() -> None:
    assert passwords.hashed("correct horse") != passwords.hashed("correct horse")


@pytest.mark.parametrize(("password", "said"), [("1234567", "at least 8"), ("x" * 1001, "at most 1000")])
def test_a_password_that_nobody_should_have_is_refused(password: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        passwords.hashed(password)


@pytest.mark.parametrize("kept", ["", "damaged", "real"])
def test_the_same_work_is_done_whether_there_is_a_hash_or_not(monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    kept = generate_password_hash("correct horse", passwords.METHOD) if kept == "real" else kept
    done: list[dict[str, Any]] = []
    real = hashlib.scrypt

    def counted(password: bytes, **how: Any) -> bytes:
        done.append({name: how[name] for name in ("n", "r", "p")})
        return real(password, **how)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    passwords.is_right(kept, "battery staple")
    assert done == [{"n": 131072, "r": 8, "p": 1}]
