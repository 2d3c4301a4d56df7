# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs scram-server (scram-server.c), the IMAP server with SCRAM-SHA-256-PLUS.

    with ScramServer(program("tests/support/scram-server"), certs, starttls=True) as server:
        ...log in as alice with sekret at server.host, server.port...

Options are those of the program: user, password, mechanisms, iterations, starttls, and fault, one
of "binding", "signature", "no-signature" and "early-ok", each of which a client has to notice.

What it is not: the server's code; that is C, because GNU SASL and GnuTLS are.
"""

import subprocess

from tests.support import procs


class ScramServer:
    host = "localhost"

    def __init__(self, program, certificates, certificate="good", **options):
        pair = certificates[certificate]
        self.arguments = [program, f"--cert={pair.chain}", f"--key={pair.key}"]
        for name, value in options.items():
            self.arguments.append(f"--{name}" if value is True else f"--{name}={value}")
        self.child = None
        self.port = None

    def __enter__(self):
        self.child = procs.spawn(self.arguments, stdout=subprocess.PIPE, text=True)
        for line in self.child.stdout:
            name, _, value = line.strip().partition("=")
            if name == "PORT":
                self.port = int(value)
            if name == "READY":
                return self
        raise RuntimeError(f"{self.arguments[0]} did not start")

    def __exit__(self, *_):
        procs.stop(self.child)
        self.child.stdout.close()
