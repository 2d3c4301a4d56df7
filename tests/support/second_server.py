#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private second real IMAP server, Cyrus, for the tests that need to see more than Dovecot.

    with SecondServer() as server:
        server.ini                             # account.ini, for the live tests and the shell
        server.port_imap, server.port_imaps, server.port_imaps_tls12
        server.user, server.password, server.ca_file

    second_server.py --dir DIR                 # prints DIR/account.ini; SIGTERM or EOF ends it

The class runs the command, and the command ends at EOF: whatever becomes of the test, the server's
processes and files go with it.  A server that cannot be had is an error (Unavailable, or exit
status 69 and a sentence): nothing here ever skips.  second/README.md says how Cyrus differs.

What it is not: a test, or a way to run Cyrus for mail that matters.
"""

import argparse
import configparser
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.support.certs import Certs  # noqa: E402
from tests.support.dovecot import write_ini  # noqa: E402
from tests.support.second.cyrus import Cyrus  # noqa: E402
from tests.support.second.packages import Unavailable  # noqa: E402

EX_UNAVAILABLE = 69

STOP_SECONDS = 20

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class SecondServer:
    """The server in a process of its own.  directory gets account.ini and, unless certs is given,
    certificates; without it there is a temporary one that goes with the server."""

    def __init__(self, directory=None, certs=None, cache=None):
        self._arguments = []
        if directory:
            self._arguments += ["--dir", str(directory)]
        if certs:
            self._arguments += ["--certs", str(certs.dir)]
        if cache:
            self._arguments += ["--cache", str(cache)]
        self._process = None

    def start(self):
        try:
            # A session of its own: a ^C for the tests must not take the one that cleans up.
            self._process = subprocess.Popen([sys.executable, __file__, *self._arguments],
                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE, text=True,
                                             start_new_session=True)
            line = self._process.stdout.readline()
            if not line:
                raise Unavailable(self._process.communicate()[1].strip())
            self._read(pathlib.Path(line.rstrip("\n")))
        except BaseException:
            if self._process:
                self._process.terminate()   # while it downloads it does not look at its stdin
            self.stop()
            raise
        return self

    def stop(self):
        if self._process:
            self._process.stdin.close()
            try:
                self._process.wait(STOP_SECONDS)
            finally:
                self._process.kill()
                self._process.wait()
                self._process.stdout.close()
                self._process.stderr.close()
                self._process = None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def _read(self, path):
        ini = configparser.ConfigParser(interpolation=None)
        ini.read(path, encoding="utf-8")
        self.ini = path
        self.user = ini["DEFAULT"]["username"]
        self.password = ini["DEFAULT"]["password"]
        self.ca_file = ini["DEFAULT"]["ssl_ca_file"]
        self.port_imaps = ini.getint("DEFAULT", "port")
        self.port_imap = ini.getint("starttls", "port")
        self.port_imaps_tls12 = ini.getint("tls12", "port")


def accounts(cyrus, certs):
    """The account file: {section: {key: value}}, named as dovecot.py names them.  Each section but
    DEFAULT is a further connection for the live tests to try."""
    sections = {
        "DEFAULT": {"host": "localhost", "port": cyrus.ports["imaps"], "username": cyrus.user,
                    "password": cyrus.password, "ssl": "true", "ssl_ca_file": certs.ca_file},
        "ssl": {},
        "starttls": {"starttls": "true", "port": cyrus.ports["imap"]},
        "plain": {"ssl": "false", "port": cyrus.ports["imap"]},
        "tls12": {"port": cyrus.ports["imaps12"]},
    }
    for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"):
        sections[f"sasl-{mechanism.lower()}"] = {"auth_mechanisms": mechanism}
    sections["wrong-password"] = {"password": "wrong", "expect_failure": "(?i)authentic"}
    sections["unknown-ca"] = {"ssl_ca_file": certs["stranger"].cert,
                              "expect_failure": "(?i)certificate"}
    return sections


def _wait(pid):
    """Until EOF on stdin: True; or until the process has ended: False."""
    master = os.pidfd_open(pid)
    try:
        while True:
            ready = select.select([0, master], [], [])[0]
            if master in ready:
                return False
            if not os.read(0, 4096):
                return True
    finally:
        os.close(master)


def _ignore_signals():
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _leave(*_):
    _ignore_signals()          # cleaning up is not to be interrupted by another one
    sys.exit(0)


def _serve(directory, options):
    directory.mkdir(parents=True, exist_ok=True)
    certs = Certs(pathlib.Path(options.certs or directory / "certs").resolve())
    cyrus = Cyrus(certs["good"], certs.ca_file, cache=options.cache)
    ini = directory / "account.ini"
    try:
        cyrus.start()
        write_ini(ini, accounts(cyrus, certs))
        print(ini, flush=True)
        if not _wait(cyrus.pid):
            raise Unavailable("Cyrus' master process has ended by itself")
    finally:
        _ignore_signals()
        cyrus.stop()
        ini.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description="Run a private Cyrus IMAP until EOF or SIGTERM.")
    parser.add_argument("--dir", help="for account.ini (default: a temporary one)")
    parser.add_argument("--certs", help="certificates made by certs.py (default: DIR/certs)")
    parser.add_argument("--cache", help="where packages are unpacked (default: in ~/.cache)")
    options = parser.parse_args()

    for number in ENDING:
        signal.signal(number, _leave)
    try:
        if options.dir:
            _serve(pathlib.Path(options.dir).resolve(), options)
        else:
            with tempfile.TemporaryDirectory(prefix="mailrack-second-") as directory:
                _serve(pathlib.Path(directory), options)
    except Unavailable as error:
        print(f"second_server.py: no second IMAP server: {error}", file=sys.stderr)
        return EX_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
