"""The test servers as fixtures for every folder of tests; see `pytest_plugins` in tests/conftest.py.

A server starts at its first use and serves the whole session. `trust` makes this process trust our own authority.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import certificates as making
from tests.servers import dovecot as dovecot_server
from tests.servers import smtp_sink
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import Sink


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """The authority and the certificates of the test servers, where servers of other users can read them."""
    with tempfile.TemporaryDirectory(prefix="certificates-") as folder:
        Path(folder).chmod(0o755)
        yield making.make(Path(folder))


@pytest.fixture
def trust(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """As if our authority were one that the machine trusts; also for the commands a test starts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    return certificates


@pytest.fixture(scope="session")
def dovecot(certificates: Certificates) -> Iterator[Dovecot]:
    """A running Dovecot; every test takes a user of its own by `dovecot.user()`."""
    with dovecot_server.running(certificates) as server:
        yield server


@pytest.fixture(scope="session")
def one_sink() -> Iterator[Sink]:
    with smtp_sink.running() as sink:
        yield sink


@pytest.fixture
def sink(one_sink: Sink) -> Sink:
    """An SMTP server in clear text without login, that has received nothing yet."""
    one_sink.forget()
    return one_sink
