#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From nothing to the first answer: `mailrack -e 'status INBOX'` beside curl doing the same STATUS.

    bench_start.py [--runs 40] [--delay 0] [--build build]

Both over TLS, in turn, with the same mechanism (PLAIN) and with the one each chooses by itself.
--delay puts so many milliseconds each way between them and the server. Walls drift on shared
machines: quote the ratios. It is a measurement, not a test: it judges nothing.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import dovecot as private, mailgen, proxy  # noqa: E402

QUESTION = "STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"


def commands(server, port, build, scratch):
    """{name: command}"""
    keys = {**server.accounts("alice")["DEFAULT"], "port": port}
    login = f"alice:{server.password('alice')}"
    curl = ["curl", "-s", "--cacert", server.ca_file, "--user", login,
            f"imaps://localhost:{port}/", "-X", QUESTION]
    found = {}
    for name, mechanisms, options in (("PLAIN", "PLAIN", ["--login-options", "AUTH=PLAIN"]),
                                      ("its own", None, [])):
        more = {"auth_mechanisms": mechanisms} if mechanisms else {}
        path = private.write_ini(scratch / f"{len(found)}.ini", {"DEFAULT": {**keys, **more}})
        found["mailrack, " + name] = [build / "shell/mailrack", "-f", path, "-e", "status INBOX"]
        found["curl, " + name] = [*curl, *options]
    return found


def measure(command):
    before = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    wall = time.monotonic() - before
    assert b"100" in done.stdout, done.stdout
    return wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, private.Dovecot() as server:
        server.fill("alice", "INBOX", mailgen.Generator(seed=1).messages(100))
        port, far = server.imaps, None
        if options.delay > 0:
            far = proxy.Proxy(server.host, server.imaps, options.delay / 1000).start()
            port = far.port
        each = commands(server, port, options.build, pathlib.Path(scratch))
        walls = {name: [] for name in each}
        for _ in range(options.runs):
            for name, command in each.items():
                walls[name].append(measure(command))
        if far is not None:
            far.close()
    for name, found in walls.items():
        print(f"{name:20} median {statistics.median(found) * 1000:7.1f} ms  "
              f"({min(found) * 1000:.1f} to {max(found) * 1000:.1f})")
    for kind in ("PLAIN", "its own"):
        ours, theirs = walls["mailrack, " + kind], walls["curl, " + kind]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        fastest = min(ours) / min(theirs)
        print(f"{kind:10} mailrack / curl: {ratio:.2f}, of the fastest {fastest:.2f}")


if __name__ == "__main__":
    main()
