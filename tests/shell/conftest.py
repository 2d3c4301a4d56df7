# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the shell may ask for beside tests/conftest.py."""

import contextlib
import itertools
import os

import pytest

from tests.shell.prompt import Prompt, last
from tests.support.calls import Calls

_numbers = itertools.count(1)


@pytest.fixture
def calls(mailrack, account):
    """A running shell on the user's account that is given calls; see support/calls.py."""
    with Calls(mailrack, account()) as running:
        yield running


@pytest.fixture
def prompt(program, account, tmp_path):
    """prompt(path, columns=100, rows=30, env={}, wait="work> ", before=[]) starts one; path: an
    account file, or None for that of a fresh user on the shared Dovecot, whose prompt is work>."""
    @contextlib.contextmanager
    def start(path=None, columns=100, rows=30, env=None, arguments=("work",), wait="work>",
              before=(), keys=None):
        place = tmp_path / f"terminal{next(_numbers)}"
        place.mkdir()
        path = path or account(keys, work={})
        environment = {"HOME": tmp_path, "XDG_STATE_HOME": tmp_path / "state",
                       "XDG_CACHE_HOME": tmp_path / "cache", "TERM": "screen-256color",
                       "INPUTRC": "/dev/null", "PAGER": "", "NO_COLOR": "", "TZ": "UTC",
                       **{name: value for name, value in os.environ.items()
                          if name.startswith(("ASAN_", "UBSAN_", "LSAN_", "TSAN_"))}, **(env or {})}
        with Prompt(place, [*before, program("mailrack"), "-f", path, *arguments], columns, rows,
                    environment) as terminal:
            terminal.wait_for(lambda screen: last(screen) == wait.rstrip())
            yield terminal
    return start
