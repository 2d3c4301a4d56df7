# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount that is written to through broken connections, and killed: a part of what
scripts/faults --mount runs whole."""

import os

import pytest

from tests.faults import mount
from tests.support.dovecot import Dovecot
from tests.support.faultproxy import Fault

pytestmark = pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK),
                                reason="no FUSE here")


@pytest.fixture(scope="module")
def server(certs):
    """One of its own: it logs as errors what happens to it here."""
    with Dovecot(certificates=certs, settings=mount.SETTINGS) as found:
        yield found


@pytest.fixture(scope="module")
def writer(server, program, tmp_path_factory):
    with mount.Writer(server, "alice", program("mailrack-mount"),
                      tmp_path_factory.mktemp("writer")) as found:
        yield found


@pytest.mark.parametrize("name", mount.OPERATIONS)
def test_cut(writer, name):
    operation, struck, failures = mount.OPERATIONS[name], 0, []
    assert writer.cell(operation) is None                    # it works at all
    for kind, direction, step in (("F3", "up", 23), ("F8", "down", 61), ("F16", "down", 43)):
        tally = mount.sweep(writer, operation, kind, direction, step, most=3)
        struck += tally.struck
        failures += tally.failures
    assert struck > 3
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", ("write", "move", "unmake"))
def test_refused(writer, name):
    tally = mount.refused(writer, mount.OPERATIONS[name])
    assert tally.struck >= 10
    assert not tally.failures, "\n".join(tally.failures)


def test_the_server_goes_away_amid_it(writer):
    """Who waits hears of it soon, whoever finds it out; it is done when the server is back."""
    for offset in (0, None):
        fault = Fault("F1", "APPEND", "down", offset)
        _, tally = mount.run_cell(writer, mount.OPERATIONS["write"], fault, may_fail=True)
        assert tally.struck and not tally.failures, tally.failures


def test_move_by_steps(server, program, tmp_path):
    user = server.add_user("steps")
    with mount.Writer(server, user, program("mailrack-mount"), tmp_path,
                      keys={"disable_extensions": "MOVE"}) as writer:
        for operation in mount.STEPS:
            tally = mount.refused(writer, operation)
            assert tally.struck >= 10 and not tally.failures, tally.failures
        for operation in (*mount.STEPS, *mount.BACK):
            for kind in ("F8", "F16"):
                tally = mount.sweep(writer, operation, kind, "down", 50, most=2)
                assert tally.struck and not tally.failures, tally.failures


def test_killed_amid_many(server, program, tmp_path):
    user = server.add_user("bursts")
    with mount.Writer(server, user, program("mailrack-mount"), tmp_path) as writer:
        tally = mount.bursts(writer, 6, 1)
    assert tally.struck > 20
    assert not tally.failures, "\n".join(tally.failures)
