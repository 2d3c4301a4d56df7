# SPDX-License-Identifier: LGPL-2.1-or-later
"""`mailrack watch`: what it reports, whatever becomes of its connections (watching.py)."""

import concurrent.futures

import pytest

from tests.live.watching import Watching
from tests.support.dovecot import Dovecot

SECONDS = 6


@pytest.fixture(scope="module")
def all_ways(certs, program, tmp_path_factory):
    """Three watches of twenty mailboxes each, tormented side by side; the server, which complains
    of cut connections, is theirs alone."""
    directory = tmp_path_factory.mktemp("watching")

    def one(how):
        user = server.add_user(f"watch-{how}")
        with Watching(server, user, program("mailrack"), directory, how) as watching:
            watching.torment(SECONDS)
            watching.settle()
            return watching, watching.mistakes()

    with Dovecot(certificates=certs) as server, concurrent.futures.ThreadPoolExecutor(3) as pool:
        ways = ("notify", "idle", "plain")
        yield dict(zip(ways, pool.map(one, ways)))


@pytest.mark.parametrize("how", ["notify", "idle", "plain"])
def test_nothing_is_missed_or_doubled(all_ways, how):
    watching, mistakes = all_ways[how]
    assert not mistakes
    assert watching.delivered > 10 and sum(watching.struck.values()) > 3
    assert watching.status == 0
