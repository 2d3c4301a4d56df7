# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests, as a package, so that `python3 -m tests.support.dovecot` works from the top."""
