# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests stand on: a test CA, a private Dovecot, a mail generator, a token endpoint, a
scripted IMAP server and a fault proxy.  Everything listens on loopback only, needs nothing but
Python's standard library and Debian's openssl and dovecot, and dies with the test that started it.

This package is not a test itself and knows nothing of Mailrack's own programs (tests/conftest.py
does).  tests/README.md has one page on how to use it.
"""
