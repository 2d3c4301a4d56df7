# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the shell may ask for beside tests/conftest.py."""

import pytest

from tests.support.calls import Calls


@pytest.fixture
def calls(mailrack, account):
    """A running shell on the user's account that is given calls; see support/calls.py."""
    with Calls(mailrack, account()) as running:
        yield running
