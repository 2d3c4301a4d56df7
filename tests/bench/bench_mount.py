#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mount beside a file system in memory over FUSE and a plain directory, in turn.

    bench_mount.py [--messages 10000] [--rounds 5] [--build build] [--requests] [--json FILE]

Prepares a private Dovecot, mounts it, copies the mailbox to a plain directory (which also brings
every message into the mirror) and mounts bench-memfs with that copy. Then each round runs each work
on each of them in turn (A B C A B C ...). "first" is with nothing of the mount in the kernel: a
remount drops its names, attributes and pages, and needs root. The plain directory stays warm.
--requests counts the requests of each work instead. It measures and judges nothing.
"""

import argparse
import collections
import contextlib
import ctypes
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot  # noqa: E402

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
libc = ctypes.CDLL(None, use_errno=True)

# what: (of which, at most). "plain" is ext4 or whatever the copy is on.
TARGETS = {
    "ls -l first": ("memory", 1.3),
    "ls -l again": ("plain", 1.15),
    "grep -r first": ("memory", 1.3),
    "grep -r again": ("memory", 1.0),
}


class Subject:
    """A directory with the mail in it, and the program behind it, if any."""

    def __init__(self, name, mail, mount_point=None, process=None, log=None):
        self.name, self.mail, self.mount_point = name, mail, mount_point
        self.process, self.log = process, log

    def drop(self):
        """Make the kernel forget what it knows of this mount, and of no other."""
        if self.mount_point is None:
            return
        flags = MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
        if libc.mount(None, os.fsencode(self.mount_point), None, flags, None) != 0:
            raise OSError(ctypes.get_errno(), "remounting needs root", self.mount_point)

    def cpu(self):
        """Seconds of CPU of the program so far."""
        if self.process is None:
            return 0.0
        return time.clock_gettime(~self.process.pid << 3 | 2)   # clock_getcpuclockid(3)


def measure(subject, command):
    """Run a command with its output to nowhere: wall, its CPU, the CPU of the program behind."""
    null = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    before, start = subject.cpu(), time.monotonic()
    pid = os.posix_spawnp(command[0], command, {**os.environ, "LC_ALL": "C"}, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    if code != (1 if command[0] == "grep" else 0):   # nothing is found: all was read
        raise RuntimeError(f"{command} on {subject.name} ended with {code}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "daemon": subject.cpu() - before}


def works(names):
    """What is run: [(name, whether the kernel forgets before, the command for a directory)]."""
    some = names[::max(1, len(names) // 100)][:100]
    grep = lambda mail: ["grep", "-r", "no message holds this: qzqzqz", mail]   # noqa: E731
    cat = lambda mail: ["cat", *(os.path.join(mail, name) for name in some)]    # noqa: E731
    return [
        ("ls -l first", True, lambda mail: ["ls", "-l", mail]),
        ("ls -l again", False, lambda mail: ["ls", "-l", mail]),
        ("cat of 100 first", True, cat),
        ("cat of 100 again", False, cat),
        ("grep -r first", True, grep),
        ("grep -r again", False, grep),
    ]


@contextlib.contextmanager
def mounted(command, mount_point, log, environment):
    """The program of a mount in the foreground; unmounted in the end."""
    mount_point.mkdir()
    with open(log, "wb") as errors, subprocess.Popen(
            [*map(str, command), str(mount_point)], stdin=subprocess.DEVNULL, stderr=errors,
            stdout=errors, env=environment) as process:
        try:
            deadline = time.monotonic() + 60
            while not os.path.ismount(mount_point):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]}: {log.read_text(errors='replace')}")
                time.sleep(0.02)
            yield process
        finally:
            subprocess.run(["fusermount3", "-u", mount_point], check=False)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.terminate()


def table(results, rounds, plain):
    print(f"median of {rounds} rounds, ms (CPU of the program behind, ms); plain is {plain}")
    subjects = list(next(iter(results.values())))
    print(f"{'':18}" + "".join(f"{name:>18}" for name in subjects)
          + "   / memory   / plain   target")
    for work, rows in results.items():
        cells = ""
        for name in subjects:
            wall, cpu = (statistics.median(row[key] for row in rows[name]) * 1e3
                         for key in ("wall", "daemon"))
            cells += f"{wall:10.1f} ({cpu:5.0f})"
        ratios = {}
        for base in ("memory", "plain"):
            ratios[base] = statistics.median(
                ours["wall"] / other["wall"] for ours, other in zip(rows["mailrack"], rows[base]))
        base, most = TARGETS.get(work, (None, None))
        target = f"   <= {most} x {base}" if base else ""
        print(f"{work:18}{cells}{ratios['memory']:11.2f}{ratios['plain']:10.2f}{target}")


def count_requests(subject, todo):
    for work, forget, command in todo:
        if forget:
            subject.drop()
        time.sleep(0.5)   # late releases of the work before
        start = subject.log.stat().st_size
        measure(subject, command(str(subject.mail)))
        time.sleep(0.5)
        with open(subject.log, "rb") as log:
            log.seek(start)
            seen = collections.Counter(re.findall(rb"opcode: (\w+)", log.read()))
        print(f"{work:18}", ", ".join(f"{number} {name.decode()}"
                                      for name, number in seen.most_common()))


def file_system(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def run(args, server, scratch):
    bench = pathlib.Path(args.build) / "tests" / "bench"
    account = server.write_accounts(scratch / "account.ini")
    environment = {**os.environ, "HOME": str(scratch), "XDG_CACHE_HOME": str(scratch / "cache"),
                   "XDG_STATE_HOME": str(scratch / "state")}
    with contextlib.ExitStack() as stack:
        point, log = scratch / "mailrack", scratch / "mailrack.log"
        command = [pathlib.Path(args.build) / "fs" / "mailrack-mount",
                   "-d" if args.requests else "-f", "--config", account]
        for option in args.option:
            command += ["-o", option]
        process = stack.enter_context(mounted([*command, "plain"], point, log, environment))
        ours = Subject("mailrack", point / "INBOX", point, process, log)
        plain = Subject("plain", scratch / "plain")
        subprocess.run(["cp", "-r", ours.mail, plain.mail], check=True)
        names = sorted(os.listdir(plain.mail))
        assert len(names) == args.messages, "not all were copied"
        todo = works(names)
        if args.requests:
            count_requests(ours, todo)
            return None
        subjects = [plain]
        for name, options in ("memory", []), ("memory-zero", ["--zero-open"]):
            point = scratch / name
            process = stack.enter_context(mounted([bench / "bench-memfs", *options, plain.mail],
                                                  point, scratch / f"{name}.log", environment))
            subjects.append(Subject(name, point / "mail", point, process))
        subjects.append(ours)
        results = {work: {each.name: [] for each in subjects} for work, _, _ in todo}
        for turn in range(args.rounds + 1):
            for work, forget, command in todo:
                for each in subjects:
                    if forget:
                        each.drop()
                    row = measure(each, command(str(each.mail)))
                    if turn > 0:   # the first round only warms up
                        results[work][each.name].append(row)
        table(results, args.rounds, file_system(plain.mail))
        return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--option", action="append", default=[], help="an -o of mailrack-mount")
    parser.add_argument("--requests", action="store_true", help="count what the kernel asks")
    parser.add_argument("--json", help="write every run here")
    args = parser.parse_args()
    subprocess.run(["ninja", "-C", args.build, "tests/bench/bench-memfs", "fs/mailrack-mount"],
                   check=True, stdout=subprocess.DEVNULL)
    with Dovecot() as server, tempfile.TemporaryDirectory() as scratch:
        server.fill("alice", "INBOX", mailgen.Generator(1).messages(args.messages))
        results = run(args, server, pathlib.Path(scratch))
        if args.json and results:
            pathlib.Path(args.json).write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
