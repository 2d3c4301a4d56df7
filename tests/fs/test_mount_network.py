# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine slept, or its network changed: a connection that is dead without anybody having been
told is noticed at once, and what came meanwhile appears.

In each test nothing else would notice for nine minutes, when IDLE is renewed: nobody polls.
"""

import contextlib
import os
import pathlib
import subprocess
import sys

import pytest

from tests.fs.conftest import environment_of, is_mounted, unmount, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
QUIET = {"poll": "3600", "ssl": "false"}


@pytest.fixture
def served(program, account, tmp_path):
    """with served(keys, prefix, **environment) as (pid, INBOX): a mount that polls nothing."""
    @contextlib.contextmanager
    def make(keys, prefix=(), **environment):
        directory = tmp_path / "mnt"
        directory.mkdir()
        command = [*prefix, program("mailrack-mount"), "--foreground", "--config",
                   account({**QUIET, **keys}), directory]
        with subprocess.Popen(command, env={**environment_of(tmp_path), **environment}) as process:
            try:
                wait_for(lambda: is_mounted(directory) or process.poll() is not None, 60)
                yield process.pid, directory / "INBOX"
            finally:
                if is_mounted(directory):
                    unmount(directory)
                process.wait(60)
    return make


class Newcomers:
    """Messages that arrive one after the other."""

    def __init__(self, dovecot, user, inbox):
        self.dovecot, self.user, self.inbox = dovecot, user, inbox
        self.count = len(os.listdir(inbox))

    def deliver(self):
        self.count += 1
        self.dovecot.deliver(self.user, b"Subject: number %d\r\n\r\nx\r\n" % self.count)

    def is_there(self):
        return len(os.listdir(self.inbox)) == self.count


def wait_until_pushed(news):
    """Until new mail appears by itself, twice: so the connection that pushes it is in IDLE."""
    for _ in range(2):
        news.deliver()
        wait_for(news.is_there, 60)


def test_sleep_is_noticed(served, dovecot, user, slow, build, tmp_path):
    jump = tmp_path / "jump"
    jump.write_text("0", encoding="ascii")
    between = slow(0)
    preload = build / "tests" / "support" / "libclock-jump.so"
    assert preload.exists()
    options = os.environ.get("ASAN_OPTIONS", "")
    with served({"host": between.host, "port": str(between.port)}, LD_PRELOAD=str(preload),
                CLOCK_JUMP=str(jump), ASAN_OPTIONS=f"{options}:verify_asan_link_order=0") \
            as (_, inbox):
        news = Newcomers(dovecot, user, inbox)
        wait_until_pushed(news)
        between.silence()
        news.deliver()
        jump.write_text("7200", encoding="ascii")
        wait_for(news.is_there, 120)
        wait_until_pushed(news)


def set_address(pid, address):
    """Of lo in that process's network; 0.0.0.0 takes it away."""
    code = ("import fcntl, socket, struct, sys\n"
            "address = socket.inet_aton(sys.argv[1])\n"
            "request = struct.pack('16sH2x4s8x', b'lo', socket.AF_INET, address)\n"
            "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:\n"
            "    fcntl.ioctl(any_socket, 0x8916, request)\n")    # SIOCSIFADDR
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", code, address],
                   check=True, timeout=60)


@pytest.mark.skipif(os.geteuid() != 0, reason="another network needs root")
def test_change_of_network_is_noticed(served, dovecot, user, slow):
    """The mount is in a network of its own, without any route; its connections are made by a
    program that goes back to this one."""
    between = slow(0)
    tunnel = (f"nsenter --net=/proc/{os.getpid()}/ns/net {sys.executable} "
              f"{TOP}/tests/support/relay.py {between.host} {between.port}")
    with served({"transport": "tunnel", "tunnel_command": tunnel, "ssl": None, "host": None},
                ["unshare", "--net"]) as (pid, inbox):
        news = Newcomers(dovecot, user, inbox)
        wait_until_pushed(news)
        for address in "192.0.2.7", "0.0.0.0":
            between.silence()
            news.deliver()
            set_address(pid, address)
            wait_for(news.is_there, 120)
            wait_until_pushed(news)
