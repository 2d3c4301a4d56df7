# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs read the mail of a mount and find what the server has: the first time and again."""

import pytest

from tests.fs.conftest import uid_of
from tests.fs.programs import PROGRAMS


@pytest.mark.parametrize("view", ["INBOX", ".uid/INBOX"])
@pytest.mark.parametrize("reader", PROGRAMS)
def test_finds_what_the_server_has(matrix, matrix_mount, tmp_path, reader, view):
    (tmp_path / "ground").mkdir()
    (tmp_path / "mount").mkdir()
    expected = PROGRAMS[reader](matrix.ground, tmp_path / "ground")
    found = PROGRAMS[reader](matrix_mount / view, tmp_path / "mount")
    assert {uid_of(name): value for name, value in found.items()} \
        == {uid_of(name): value for name, value in expected.items()}
    assert found
