# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was sent may have been done, in part or not yet, and nobody has heard."""

import contextlib
import os
import re
import socket
import threading
import time

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter
from tests.fs.test_write_queue import command, status

AT_WORK = 0.3                   # seconds that the server takes to store it; less than a mount waits
DATE = 1700000000


class Interrupted:
    """Between a mount and its server. The first octets in which the pattern is found have their
    client cut off as soon as they were said; instead of them the server gets what replace() gives,
    piece by piece, and is heard out."""

    def __init__(self, server, pattern, replace):
        self.target, self.pattern, self.replace = (server.host, server.imap), pattern, replace
        self.struck, self.done = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.keys = {"host": "127.0.0.1", "port": self.listener.getsockname()[1], "ssl": "false"}

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                for run in (self._up, self._down):
                    threading.Thread(target=run, args=(client, server), daemon=True).start()

    def _up(self, client, server):
        with contextlib.suppress(OSError):
            while octets := client.recv(65536):
                if self.pattern.search(octets) and not self.struck.is_set():
                    client.shutdown(socket.SHUT_RDWR)
                    self.struck.set()
                    for piece in self.replace(octets):
                        server.sendall(piece)
                    server.sendall(b"end LOGOUT\r\n")
                    return
                server.sendall(octets)
            server.shutdown(socket.SHUT_WR)

    def _down(self, client, server):
        with contextlib.suppress(OSError), server, client:
            while octets := server.recv(65536):
                if b"end OK" in octets:
                    self.done.set()
                with contextlib.suppress(OSError):
                    client.sendall(octets)


def settled(directory):
    return status(directory)["changes pending"] == "0, failed: 0"


def test_retry_while_the_server_is_storing(desk):
    octets = letter(1)
    desk.fill("INBOX", [])

    def late(said):
        yield said[:-2]
        time.sleep(AT_WORK)
        yield said[-2:]
    end = re.compile(re.escape(octets) + b"\r\n$")
    with Interrupted(desk.server, end, late) as between, desk.mounted(between.keys) as directory:
        (directory / "INBOX" / "new.eml").write_bytes(octets)
        assert between.struck.wait(60)
        while not between.done.is_set():
            command(directory, "retry")
            time.sleep(0.01)
        wait_for(lambda: settled(directory), 60)
    desk.holds("INBOX", [octets])


@pytest.mark.parametrize("looked", [True, False], ids=["target known", "target not known"])
@pytest.mark.parametrize("copied", [b"1:3", b"1:2", b"3", b""])
def test_server_that_dies_amid_a_move(desk, copied, looked):
    """It has stored some in the target and taken none out. All are alike but for their octets, and
    so is what another client puts there meanwhile."""
    old, decoy = [letter(number) for number in range(1, 4)], letter(9)
    desk.fill("INBOX", [(octets, "", DATE) for octets in old])
    desk.fill("Work", [(letter(8), "", DATE)])

    def store(said):
        with desk.server.connect(desk.user) as other:
            other.append("Work", None, _date(), decoy)
        if copied:
            yield re.sub(rb"UID MOVE \S+", b"UID COPY " + copied, said)
    with Interrupted(desk.server, re.compile(rb"UID MOVE "), store) as between, \
            desk.mounted(between.keys) as directory:
        if looked:
            os.listdir(directory / "Work")
        for path in sorted((directory / "INBOX").iterdir()):
            path.rename(directory / "Work" / path.name)
        assert between.done.wait(60)
        wait_for(lambda: settled(directory), 60)
        assert os.listdir(directory / "INBOX") == []
    desk.holds("Work", [letter(8), decoy, *old])
    desk.holds("INBOX", [])


def _date():
    return time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(DATE))
