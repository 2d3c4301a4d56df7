# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cyrus IMAP out of Debian's archive, unpacked but not installed (it conflicts with Dovecot).

    install(destination)       # programs, libraries and SASL plugins, ready to run from there

apt-get downloads what is missing (its signatures are apt's to check), dpkg unpacks it into a cache
that later runs reuse: mailrack-tests/second in $MAILRACK_TESTS_CACHE, $XDG_CACHE_HOME or ~/.cache.
The system's own package state is neither changed nor locked; when its package lists are missing or
outdated, a private copy of them is fetched for the while.  No root needed.

What it is not: a resolver.  Only libraries (lib*) are followed as dependencies; what else the
packages want (a mail transport, cron, perl) the server does not need in order to run.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOTS = ("cyrus-imapd", "libsasl2-modules", "libsasl2-modules-db", "sasl2-bin")

# Besides libraries, the only package to follow as a dependency.
FOLLOWED = ("cyrus-common",)

PROGRAMS = {
    "master": "usr/lib/cyrus/bin/master",
    "imapd": "usr/lib/cyrus/bin/imapd",
    "idled": "usr/lib/cyrus/bin/idled",
    "ctl_cyrusdb": "usr/lib/cyrus/bin/ctl_cyrusdb",
    "saslpasswd2": "usr/sbin/saslpasswd2",
}

SASL_PLUGINS = ("libplain.so", "liblogin.so", "libscram.so", "libsasldb.so")


class Unavailable(Exception):
    """The second server cannot be provided; str() is a sentence that says why."""


@dataclasses.dataclass(frozen=True)
class Installed:
    programs: dict               # name in PROGRAMS: path
    environment: dict            # what they need to find their libraries and SASL plugins


def cache_directory():
    base = os.environ.get("MAILRACK_TESTS_CACHE") or os.environ.get("XDG_CACHE_HOME") \
        or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "mailrack-tests" / "second"


def install(destination, cache=None):
    """Copies what running the server takes below destination, so that a user who may not read the
    cache (root's home is closed) can run it.  Returns Installed; raises Unavailable."""
    cache = pathlib.Path(cache) if cache else cache_directory()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "lock"):
            needed = _cached(cache)
            if needed is None:
                _fetch(cache)
                needed = _needed(cache / "root")
            return _copy(cache / "root", needed, pathlib.Path(destination))
    except OSError as error:
        raise Unavailable(f"the cache {cache} cannot be used: {error}") from error


@contextlib.contextmanager
def _locked(path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp():
    """What a cache is good for: another release or another list of packages asks for a new one."""
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    return {"release": re.findall(r"^(?:ID|VERSION_ID)=.*$", release, re.M),
            "machine": os.uname().machine, "roots": list(ROOTS)}


def _cached(cache):
    """The files to copy from a complete cache, or None."""
    try:
        if json.loads((cache / "stamp.json").read_text())["stamp"] != _stamp():
            return None
        return _needed(cache / "root")
    except (OSError, ValueError, KeyError, Unavailable):
        return None                # never completed, or a library of the system has gone since


def _fetch(cache):
    (cache / "stamp.json").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
        scratch = pathlib.Path(scratch)
        try:
            packages = _download(_Apt(scratch), scratch / "debs")
        except Unavailable:
            # No lists (a bare container), or they name files the archive has replaced since.
            packages = _download(_Apt(scratch, private=True), scratch / "fresh")

        root = scratch / "root"
        for deb in packages:
            _run(["dpkg", "-x", deb, root], "unpack")
        _needed(root)
        shutil.rmtree(cache / "root", ignore_errors=True)
        root.rename(cache / "root")
    (cache / "stamp.json").write_text(json.dumps(
        {"stamp": _stamp(), "packages": [deb.name for deb in packages]}, indent=2))


class _Apt:
    """apt's commands, with the system's package lists or with private ones."""

    def __init__(self, scratch, private=False):
        # An unprivileged sandbox user could not write below root's home.
        self.options = ["-o", "APT::Sandbox::User=root", "-o", f"Dir::Cache={scratch}/apt"]
        self.warnings = ""         # an update that could fetch nothing succeeds, with warnings
        (scratch / "apt" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        if private:
            (scratch / "lists" / "partial").mkdir(parents=True, exist_ok=True)
            self.options += ["-o", f"Dir::State::lists={scratch}/lists"]
            self.warnings = _tail(self("apt-get", "update", "-q").stderr)

    def __call__(self, command, *arguments, cwd=None):
        return _run([command, *self.options, *arguments], " ".join([command, *arguments])[:60],
                    cwd=cwd)


def _download(apt, directory):
    """Downloads ROOTS and the libraries that are not installed; returns the files."""
    directory.mkdir()
    text = apt("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests",
               "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *ROOTS).stdout
    graph = _dependencies(text)
    missing = [name for name in (*ROOTS, *FOLLOWED) if name not in graph]
    if missing:
        raise Unavailable(f"apt knows no package {', '.join(missing)}. {apt.warnings}".strip())

    wanted = _closure(graph) - _installed()
    if wanted:
        apt("apt-get", "download", "-q", *sorted(wanted), cwd=directory)
    return sorted(directory.glob("*.deb"))


def _dependencies(text):
    """{package: [packages it depends on]} from what `apt-cache depends --recurse` prints."""
    graph = {}
    package = None
    for line in text.splitlines():
        if not line.startswith((" ", "|", "<")):
            package = line.strip()
            graph[package] = []
        elif line.startswith("<"):
            package = None           # a virtual package
        elif package and (match := re.match(r"[ |]*(?:Pre)?Depends: ([^\s<]+)$", line)):
            graph[package].append(match[1])
    return graph


def _closure(graph):
    seen = set()
    queue = list(ROOTS)
    while queue:
        name = queue.pop()
        if name in seen or name not in graph:
            continue
        seen.add(name)
        queue += [d for d in graph[name] if d.startswith("lib") or d in FOLLOWED]
    return seen


def _installed():
    """Installed libraries; the packages whose programs are run are always unpacked."""
    text = _run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], "dpkg-query").stdout
    rows = (line.split() for line in text.splitlines())
    return {row[0] for row in rows if row[1:] == ["installed"] and row[0].startswith("lib")}


def _needed(root):
    """The files below root that the programs load, programs and plugins included.  Raises
    Unavailable when a program or a library is nowhere to be found."""
    libraries = _library_directory(root)
    unmerged = pathlib.Path("lib") / libraries.name
    files = {root / path for path in PROGRAMS.values()}
    plugins = []
    for name in SASL_PLUGINS:
        places = [root / libraries / "sasl2" / name, pathlib.Path("/") / libraries / "sasl2" / name]
        place = next((path for path in places if path.exists()), None)
        if not place:
            raise Unavailable(f"no SASL plugin {name} in {' or '.join(map(str, places))}")
        plugins.append(place)

    text = _run(["ldd", *sorted(files), *plugins], "ldd",
                environment={"LD_LIBRARY_PATH": f"{root / libraries}:{root / unmerged}"}
                ).stdout
    lost = sorted(set(re.findall(r"^\s*(\S+) => not found", text, re.M)))
    if lost:
        raise Unavailable(f"libraries of the second server are missing: {', '.join(lost)}")
    loaded = {pathlib.Path(path) for path in re.findall(r" => (/\S.*) \(0x", text)}
    return files | {path for path in loaded if path.is_relative_to(root)} | set(plugins)


def _library_directory(root):
    """usr/lib/x86_64-linux-gnu or what it is called on this machine."""
    found = sorted(root.glob("usr/lib/*/libcyrus.so.0"))
    if not found:
        raise Unavailable(f"no Cyrus libraries below {root}")
    return found[0].parent.relative_to(root)


def _copy(root, needed, destination):
    for name in ("bin", "lib", "sasl2"):
        (destination / name).mkdir(parents=True, exist_ok=True)
    names = {root / path: name for name, path in PROGRAMS.items()}
    for path in needed:
        if path in names:
            target = destination / "bin" / names[path]
        else:
            target = destination / ("sasl2" if path.parent.name == "sasl2" else "lib") / path.name
        shutil.copy2(path, target)
    return Installed({name: destination / "bin" / name for name in PROGRAMS},
                     {"LD_LIBRARY_PATH": str(destination / "lib"),
                      "SASL_PATH": str(destination / "sasl2")})


def _run(command, what, cwd=None, environment=None):
    try:
        done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C", **(environment or {})})
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not there: the second server needs Debian's packages"
                          ) from error
    if done.returncode != 0:
        raise Unavailable(f"{what} failed with status {done.returncode}: "
                          f"{_tail(done.stderr) or 'it said nothing'}")
    return done


def _tail(text):
    return " / ".join(text.strip().splitlines()[-4:])
