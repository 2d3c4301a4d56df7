# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that announces wrong sizes: every program still gets the exact octets.

Each program meets a fresh mount, so that no earlier one has found the sizes out for it.
"""

import os

import pytest

from tests.fs.conftest import uid_of
from tests.fs.programs import PROGRAMS
from tests.support import liar, proxy


@pytest.fixture(scope="module", params=liar.LIES)
def lying(request, dovecot):
    """Keys of an account whose server lies in one way."""
    with proxy.Proxy(dovecot.host, dovecot.imap,
                     rewrite=lambda: liar.Liar(liar.LIES[request.param])) as between:
        yield {"host": between.host, "port": between.port, "ssl": "false"}


@pytest.fixture(scope="module")
def expected(matrix, tmp_path_factory):
    """What each program finds in the server's octets."""
    found = {}

    def make(reader):
        if reader not in found:
            scratch = tmp_path_factory.mktemp("expected")
            found[reader] = {uid_of(name): value
                             for name, value in PROGRAMS[reader](matrix.ground, scratch).items()}
        return found[reader]
    return make


@pytest.mark.parametrize("reader", PROGRAMS)
def test_gets_the_exact_octets(matrix, lying, expected, mounting, tmp_path, reader):
    for name in ("mount", "first", "second"):
        (tmp_path / name).mkdir()
    with mounting(matrix.user, tmp_path / "mount", lying) as directory:
        # A mount that found sizes right believes the others, and so does the kernel.
        for path in (directory / matrix.child).iterdir():
            path.read_bytes()
        for entry in os.scandir(directory / "INBOX"):
            entry.stat()
        found = PROGRAMS[reader](directory / "INBOX", tmp_path / "first")
        assert {uid_of(name): value for name, value in found.items()} == expected(reader)
        again = PROGRAMS[reader](directory / "INBOX", tmp_path / "second")
        assert again == found


def test_sizes_are_true_once_read(matrix, lying, mounting, tmp_path):
    with mounting(matrix.user, tmp_path, lying) as directory:
        for entry in os.scandir(directory / "INBOX"):
            assert entry.stat().st_size > 0
        for entry in os.scandir(directory / "INBOX"):
            with open(entry.path, "rb") as file:
                size = matrix.truth[uid_of(entry.name)].octets
                assert os.fstat(file.fileno()).st_size == size
                assert len(file.read()) == size
            assert os.stat(entry.path).st_size == size
        # And in a listing that the kernel may have kept.
        assert {uid_of(entry.name): entry.stat().st_size
                for entry in os.scandir(directory / "INBOX")} \
            == {uid: message.octets for uid, message in matrix.truth.items()}
