# SPDX-License-Identifier: LGPL-2.1-or-later
"""Child processes that die with their test, ports nobody else takes, and who we run as.

    port = procs.port()                      # on loopback, reserved for this process's life
    child = procs.spawn([...], user=...)     # gets SIGTERM when the thread that spawned it ends
    procs.stop(child)                        # SIGTERM, five seconds, SIGKILL; by its pid only

What it is not: a supervisor.  Nothing here starts anything again.
"""

import ctypes
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_reserved = []


def port():
    """A free TCP port below the range that the kernel gives to clients, so that it stays free for
    a restart.  An abstract Unix socket keeps other processes of ours from choosing it too."""
    for _ in range(1000):
        number = random.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0mailrack-test-port-{number}")
            for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                if family == socket.AF_INET6 and not has_ipv6():
                    continue
                with socket.socket(family) as probe:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((address, number))
        except OSError:
            claim.close()
            continue
        _reserved.append(claim)
        return number
    raise RuntimeError("no free port between 20000 and 32000")


def has_ipv6():
    """Whether ::1 can be listened on here."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def unprivileged():
    """The account to run servers as: ourselves, or nobody when we are root (Dovecot neither lets
    root read mail nor runs its login processes as root)."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam("nobody")


def spawn(arguments, user=None, **options):
    """Start a child in a session of its own.  It is sent SIGTERM when the *thread* that called
    this ends, however it ends; so call it from the main thread or one that lives as long."""
    parent = os.getpid()

    def prepare():  # after the change of user, which would reset the signal
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(127)

    if user is not None and os.geteuid() == 0:
        options.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([str(argument) for argument in arguments], preexec_fn=prepare,
                            start_new_session=True, **options)


def stop(child, patience=5.0):
    """End a child of spawn() and wait for it."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def runtime_directory(kind):
    """A new directory under the system's temporary one which `unprivileged()` can reach; short,
    because Unix sockets go into it.  Those of processes that died without cleaning are removed."""
    top = pathlib.Path(tempfile.gettempdir())
    for old in top.glob(f"mailrack-{kind}-*-*"):
        try:
            owner = int(old.name.split("-")[2])
            if old.lstat().st_uid in (os.geteuid(), unprivileged().pw_uid):
                os.kill(owner, 0)
        except ProcessLookupError:
            shutil.rmtree(old, ignore_errors=True)
        except (ValueError, OSError):
            pass
    made = pathlib.Path(tempfile.mkdtemp(prefix=f"mailrack-{kind}-{os.getpid()}-", dir=top))
    made.chmod(0o711)
    give(made)
    return made


def give(path):
    """Make a file or a whole directory belong to `unprivileged()`."""
    if os.geteuid() != 0:
        return
    account = unprivileged()
    paths = [path, *pathlib.Path(path).rglob("*")] if os.path.isdir(path) else [path]
    for each in paths:
        os.chown(each, account.pw_uid, account.pw_gid, follow_symlinks=False)


def reachable(directory):
    """Whether `unprivileged()` may pass through all directories above and into this one."""
    account = unprivileged()
    if os.geteuid() != 0:
        return True
    here = pathlib.Path(directory).resolve()
    for each in (here, *here.parents):
        status = each.stat()
        if status.st_uid == account.pw_uid:
            allowed = status.st_mode & stat.S_IXUSR
        elif status.st_gid == account.pw_gid:
            allowed = status.st_mode & stat.S_IXGRP
        else:
            allowed = status.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True
