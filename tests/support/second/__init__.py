# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of tests/support/second_server.py: packages.py gets Debian's Cyrus IMAP without
installing it, cyrus.py configures and runs it.  README.md says how it differs from Dovecot.
"""
