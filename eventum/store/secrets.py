"""The keys of a store, which lie outside its data, and what is made with them.

Flows in: the key file and texts to seal. Flows out: sealed texts that only this key opens, in the place they were
sealed for; and the derived keys for signed sessions and Message-IDs. The key file is made by `flask init` and by nobody
else: a program that made one when it is missing would lose every password of the store without a word.

The first key of the file is used for new secrets, all of them open old ones. A sealed text is
`<key id>:<base64url of nonce and ciphertext>`, bound to `kind:id:field`, so that it cannot be moved to another record.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import files, records

NONCE = 12  # Bytes (RFC 8439 section 2.8); a store seals far too few texts for a random one to come twice.


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the file; its id is made of it, so a mangled one is noticed."""

    id: str
    key: str  # 32 random bytes in base64.
    created: datetime


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the key file holds."""

    schema: int = 1
    keys: tuple[Key, ...]


def make_key_file(path: Path, now: datetime) -> None:
    """A new key file, readable by its owner only, durable when this returns; the caller knows that there is none."""
    data = secrets.token_bytes(32)
    key = Key(id=_id_of(data), key=base64.b64encode(data).decode(), created=now)
    files.make_folders([path.parent])
    files.atomic_write(path, records.encode(KeyFile(keys=(key,))))


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"eventum key id\0" + key).hexdigest()[:16]


class Secrets:
    """The keys of this installation; the file is read when the first of them is needed."""

    def __init__(self, path: Path, expected: str | None = None) -> None:
        """`expected` is the id of the key that the store was made with; None while it is being made."""
        self._path = path
        self._expected = expected

    @cached_property
    def _keys(self) -> dict[str, bytes]:
        try:
            mode = stat.S_IMODE(os.stat(self._path).st_mode)
            # Where secrets are mounted, the file is a link; this place is set by whoever runs us.
            file = records.load(self._path.resolve(), KeyFile).value
        except (FileNotFoundError, NotFound) as error:
            raise Damaged(self._missing()) from error
        except PermissionError as error:
            raise Damaged(
                f"The key file {self._path} cannot be read by this user: chown it to the user who runs this."
            ) from error
        if mode & 0o077:
            raise Damaged(f"The key file {self._path} can be read by others: run `chmod 600 {self._path}`.")
        keys = {key.id: self._bytes_of(key) for key in file.keys}
        if not keys:
            raise Damaged(f"The key file {self._path} holds no key: put it back from a backup.")
        if self._expected is not None and self._expected not in keys:
            raise Damaged(
                f"The key file {self._path} holds key {next(iter(keys))}, but the store was made with key "
                f"{self._expected}: put the right file there or set EVENTUM_SECRET_FILE to it."
            )
        return keys

    def _missing(self) -> str:
        if self._expected is None:
            return f"There is no key file {self._path}: run `flask init`."
        return (
            f"The key file {self._path} is missing; the store was made with key {self._expected}: "
            "put it back from a backup or set EVENTUM_SECRET_FILE to where it is."
        )

    def _bytes_of(self, key: Key) -> bytes:
        try:
            data = base64.b64decode(key.key, validate=True)
        except binascii.Error:
            data = b""
        if _id_of(data) != key.id:
            raise Damaged(f"Key {key.id} in {self._path} was changed: put the file back from a backup.")
        return data

    @property
    def key_id(self) -> str:
        """The id of the key that seals. Raises `Damaged` when the key file is missing, open to others or another."""
        return next(iter(self._keys))

    @property
    def session_keys(self) -> tuple[bytes, ...]:
        """Keys for signing sessions, the newest first."""
        return self._derived(b"session signing")

    @property
    def ids_key(self) -> bytes:
        """The key of the HMAC in our own Message-IDs.

        Always made of the file's last and so oldest key: an answer comes months after the mail it answers.
        """
        return self._derived(b"message ids")[-1]

    def _derived(self, purpose: bytes) -> tuple[bytes, ...]:
        return tuple(hmac.digest(key, b"eventum " + purpose, "sha256") for key in self._keys.values())

    def seal(self, text: str, place: str) -> str:
        """The text, readable only with this key and in this place (`kind:id:field`); "" stays ""."""
        if not text:
            return ""
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # 15 ms few commands need.

        key_id = self.key_id
        nonce = secrets.token_bytes(NONCE)
        box = ChaCha20Poly1305(self._box_key(key_id)).encrypt(nonce, text.encode(), place.encode())
        return f"{key_id}:{base64.urlsafe_b64encode(nonce + box).decode()}"

    def unseal(self, sealed: str, place: str) -> str:
        """The text that was sealed for this place. Raises `Damaged` when the key is another or it was tampered with."""
        if not sealed:
            return ""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        key_id, _, box = sealed.partition(":")
        if key_id not in self._keys:
            raise Damaged(
                f"The secret of {place} was sealed with key {key_id}, but {self._path} holds {self.key_id}: "
                "put the right key file back, or set the secret anew."
            )
        try:
            data = base64.b64decode(box, altchars=b"-_", validate=True)
            cipher = ChaCha20Poly1305(self._box_key(key_id))
            return cipher.decrypt(data[:NONCE], data[NONCE:], place.encode()).decode()
        except (binascii.Error, ValueError, InvalidTag) as error:
            raise Damaged(f"The secret of {place} was changed or belongs to another record: set it anew.") from error

    def _box_key(self, key_id: str) -> bytes:
        return hmac.digest(self._keys[key_id], b"eventum box", "sha256")
