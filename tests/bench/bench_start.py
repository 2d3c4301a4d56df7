#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From nothing to the first answer: `mailrack -e 'status INBOX'` beside curl doing the same STATUS.

    bench_start.py [--runs 40] [--delay 0] [--build build]

All over TLS, in turn: with the same mechanism (PLAIN); with the one each chooses by itself, of all
that the server has, which knows the password and computes SCRAM's keys at each login, and of a user
of whom it has those keys alone, as servers that use SCRAM have; and of Dovecot's default mechanisms
(PLAIN and LOGIN). --delay puts so many milliseconds each way between them and the server. Walls
drift on shared machines: quote the ratios. It is a measurement, not a test: it judges nothing.
"""

import argparse
import contextlib
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


# What the second server says, which is asked for the last kind.
DEFAULT = "auth_mechanisms = plain login"
# Kind -> user, mechanism that is set, options of curl. Of "hashed" the server keeps keys alone.
KINDS = {
    "PLAIN": ("alice", "PLAIN", ["--login-options", "AUTH=PLAIN"]),
    "its own": ("alice", None, []),
    "its own, keys": ("hashed", None, []),
    "defaults": ("alice", None, []),
}


def commands(servers, build, scratch):
    """{(program, kind): command}; servers: (server, port) of each kind. curl knows no SCRAM, so it
    has no other way in than PLAIN where the server keeps keys."""
    found = {}
    for kind, (user, mechanism, options) in KINDS.items():
        server, port = servers[kind]
        more = {"auth_mechanisms": mechanism} if mechanism else {}
        keys = {**server.accounts(user)["DEFAULT"], "port": port, "username": user, **more}
        path = private.write_ini(scratch / f"{len(found)}.ini", {"DEFAULT": keys})
        found["mailrack", kind] = [build / "shell/mailrack", "-f", path, "-e", "status INBOX"]
        found["curl", kind] = ["curl", "-s", "--cacert", server.ca_file, "--user",
                               f"{user}:{server.password(user)}", f"imaps://localhost:{port}/",
                               "-X", QUESTION, *options]
        if user == "hashed":
            found["curl", kind] += ["--login-options", "AUTH=PLAIN"]
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
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places = []
        for settings in ("", DEFAULT):
            server = stack.enter_context(private.Dovecot(settings=settings))
            for user in ("alice", "hashed"):
                server.fill(user, "INBOX", mailgen.Generator(seed=1).messages(100))
            port = server.imaps
            if options.delay > 0:
                far = proxy.Proxy(server.host, server.imaps, options.delay / 1000).start()
                stack.callback(far.close)
                port = far.port
            places.append((server, port))
        each = commands({kind: places[kind == "defaults"] for kind in KINDS}, options.build,
                        scratch)
        walls = {name: [] for name in each}
        for _ in range(options.runs):
            for name, command in each.items():
                walls[name].append(measure(command))
    for (program, kind), found in walls.items():
        print(f"{program + ', ' + kind:24} median {statistics.median(found) * 1000:7.1f} ms  "
              f"({min(found) * 1000:.1f} to {max(found) * 1000:.1f})")
    for kind in KINDS:
        ours, theirs = walls["mailrack", kind], walls["curl", kind]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        fastest = min(ours) / min(theirs)
        print(f"{kind:14} mailrack / curl: {ratio:.2f}, of the fastest {fastest:.2f}")


if __name__ == "__main__":
    main()
