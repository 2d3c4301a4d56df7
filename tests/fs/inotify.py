# SPDX-License-Identifier: LGPL-2.1-or-later
"""inotify(7) by ctypes: what a program that watches a directory hears."""

import ctypes
import os
import select
import struct

CREATE, DELETE, ISDIR = 0x100, 0x200, 0x40000000
MOVED_FROM, MOVED_TO = 0x40, 0x80
ALL = CREATE | DELETE | MOVED_FROM | MOVED_TO
LIBC = ctypes.CDLL(None, use_errno=True)


class Watch:
    """with Watch(directory) as watch: watch.next() is (mask, name), or None if nothing came."""

    def __init__(self, directory):
        self.fd = LIBC.inotify_init1(os.O_CLOEXEC)
        if LIBC.inotify_add_watch(self.fd, os.fsencode(directory), ALL) < 0:
            raise OSError(ctypes.get_errno(), str(directory))
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def next(self, seconds=30):
        """The next event."""
        if not self.events:
            if not select.select([self.fd], [], [], seconds)[0]:
                return None
            data, at = os.read(self.fd, 65536), 0
            while at < len(data):
                _, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + length].rstrip(b"\0")
                self.events.append((mask, os.fsdecode(name)))
                at += 16 + length
        return self.events.pop(0)
