# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flags and keywords set as extended attributes."""

import errno
import os

from tests.fs.conftest import wait_for
from tests.fs.desk import letter, wait_until
from tests.fs.test_write_files import refused


def test_extended_attributes(desk):
    desk.fill("INBOX", [(letter(1), r"\Seen work", 1_500_000_000)])
    with desk.mounted({"xattr": "yes"}) as directory:
        (path,) = (directory / "INBOX").iterdir()

        def becomes(*flags):
            wait_until(lambda: desk.truth()[0].flags == set(flags), lambda: desk.truth()[0].flags)
        os.setxattr(path, "user.imap.flags", rb"\Flagged \answered")
        assert os.getxattr(path, "user.imap.flags") == rb"\Answered \Flagged"
        becomes("\\Flagged", "\\Answered", "work")
        os.setxattr(path, "user.xdg.tags", b"home,later")
        becomes("\\Flagged", "\\Answered", "home", "later")
        wait_for(lambda: os.getxattr(path, "user.imap.keywords") == b"home later")
        os.setxattr(path, "user.imap.keywords", b"later project")
        becomes("\\Flagged", "\\Answered", "later", "project")
        wait_for(lambda: os.getxattr(path, "user.imap.keywords") == b"later project")
        os.removexattr(path, "user.xdg.tags")
        becomes("\\Flagged", "\\Answered")
        os.removexattr(path, "user.imap.flags")
        becomes()
        refused(errno.EINVAL, os.setxattr, path, "user.imap.flags", b"Seen")
        refused(errno.EINVAL, os.setxattr, path, "user.imap.keywords", b"two (words")
        refused(errno.EPERM, os.setxattr, path, "user.imap.uid", b"7")
        refused(errno.EPERM, os.setxattr, path, "user.other", b"7")
        refused(errno.EEXIST, os.setxattr, path, "user.imap.flags", b"", os.XATTR_CREATE)
        assert desk.truth()[0].flags == frozenset()


def test_back_and_forth(desk):
    """Changes of one message are made in their order, however many go together."""
    desk.fill("INBOX", [letter(1), letter(2)])
    with desk.mounted({"xattr": "yes"}) as directory:
        first, second = sorted((directory / "INBOX").iterdir())
        for flags in (rb"\Seen", rb"\Flagged", rb"\Seen \Flagged"):
            os.setxattr(first, "user.imap.flags", flags)
        for flags in (rb"\Seen", b"", rb"\Seen", b""):
            os.setxattr(second, "user.imap.flags", flags)
        wait_until(lambda: [message.flags for message in desk.truth()]
                   == [{"\\Seen", "\\Flagged"}, set()], desk.truth)
        assert os.getxattr(first, "user.imap.flags") == rb"\Seen \Flagged"
        assert os.getxattr(second, "user.imap.flags") == b""
