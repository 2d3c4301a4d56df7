# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may know whom (docs/ARCHITECTURE.md): every #include is an edge that must be allowed.

What it is not: a proof that the layers link alone; that is test_layers.py.
"""

import pathlib

import pytest

from tests.architecture import tree

PUBLIC = {"mailrack/mailrack.h", "mailrack/mailrack-plugin.h", "mailrack/mailrack-types.h",
          "mailrack/mailrack-watch.h"}
MIRROR = PUBLIC | {"mailrack/mailrack-mirror.h", "mailrack/mailrack-outgoing.h"}
PURE = {"string.h", "stdio.h", "stdlib.h", "stdint.h", "stddef.h", "stdarg.h", "limits.h", "math.h",
        "errno.h", "ctype.h", "glib.h"}

# room: (rooms whose headers it may include, public headers, other headers; None: any but FOREIGN)
ROOMS = {
    "core/imap": ({"core/imap"}, PUBLIC, PURE),
    "core/net": ({"core/net", "core/imap"}, PUBLIC, None),
    "core/mirror": ({"core/mirror"}, MIRROR, None),
    "core": ({"core", "core/net", "core/imap"}, PUBLIC, None),
    "core/include": ({"core/include"}, MIRROR, {"glib.h", "gio/gio.h", "gmodule.h"}),
    "plugins": (set(), {"mailrack/mailrack-plugin.h", "mailrack/mailrack-types.h"}, None),
    "fs": ({"fs"}, MIRROR, None),
    "shell": ({"shell"}, MIRROR, None),
}

# A library belongs to the rooms where it is used: prefix of the header -> rooms.
LIBRARIES = {
    "gnutls/": ("plugins/tls", "plugins/transport-ssl", "plugins/transport-starttls"),
    "gsasl": ("plugins/auth-password",),
    "nettle/": ("plugins/auth-password",),
    "libsoup/": ("plugins/auth-oauth2",),
    "json-glib/": ("plugins/auth-oauth2", "shell"),
    "fuse": ("fs",),
    "sqlite3.h": ("core/mirror",),
    "gmime/": ("core", "core/mirror"),
    "ini.h": ("core",),
    "libsecret/": ("core",),
    "zlib.h": ("core/net", "core/mirror"),
    "readline/": ("shell",),
    "pthread.h": ("core", "core/net", "core/mirror", "plugins/auth-oauth2", "fs", "shell"),
}

SOURCES = [path for path in tree.files(".c", ".h")
           if path.parts[0] in ("core", "plugins", "fs", "shell")]


# Looked up for every include: a file by its whole path, and by each way to end it.
WHOLE = {(tree.TOP / path).resolve(): path for path in SOURCES}
ENDS = {}
for source in SOURCES:
    for at in range(len(source.parts)):
        ENDS.setdefault(source.parts[at:], set()).add(source)


def room_of(path):
    if path.parts[0] == "core":
        if path.parts[1] == "include":
            return "core/include"
        return "/".join(path.parts[:2]) if len(path.parts) > 2 else "core"
    if path.parts[0] == "plugins":
        return "/".join(path.parts[:2])
    return path.parts[0]


def rules(room):
    """(rooms, public headers, other headers) for a room; a plugin is a room of its own."""
    rooms, public, others = ROOMS["plugins" if room.startswith("plugins/") else room]
    if room.startswith("plugins/"):
        rooms = {room}
        if room in ("plugins/transport-ssl", "plugins/transport-starttls"):
            rooms = rooms | {"plugins/tls"}
    return rooms, public, others


def complaint(path, quoted, name):
    """Why this include is not allowed, or None."""
    room = room_of(path)
    rooms, public, others = rules(room)
    if name.startswith("mailrack/"):
        return None if name in public else f"<{name}> is not for {room}"
    if quoted:
        if name in ("core-config.h", "config.h") and not (tree.TOP / path.parent / name).exists():
            return None if room == "core" else f'"{name}" is core\'s'
        beside = WHOLE.get((tree.TOP / path.parent / name).resolve())
        others_so_named = ENDS.get(pathlib.Path(name).parts, set())
        found = {room_of(other) for other in ([beside] if beside else others_so_named)}
        if not found:
            return f'"{name}" is nowhere in the tree'
        return None if found & rooms else f'"{name}" belongs to {", ".join(sorted(found))}'
    for prefix, owners in LIBRARIES.items():
        if name.startswith(prefix):
            return None if room in owners else f"<{name}> is only for {', '.join(owners)}"
    if others is not None and name not in others:
        return f"<{name}> has no business in {room}"
    return None


def test_includes_are_allowed():
    wrong = [f"{path}: {why}" for path in SOURCES for quoted, name in tree.includes(path)
             if (why := complaint(path, quoted, name))]
    assert SOURCES and not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path,quoted,name", [
    ("core/imap/engine.c", True, "conn.h"),
    ("core/imap/engine.c", False, "pthread.h"),
    ("core/imap/engine.c", False, "time.h"),
    ("core/imap/engine.c", False, "gio/gio.h"),
    ("core/net/conn.c", True, "account-private.h"),
    ("core/net/conn.c", False, "gnutls/gnutls.h"),
    ("core/mirror/index.c", True, "engine.h"),
    ("core/account.c", False, "sqlite3.h"),
    ("plugins/auth-password/password.c", False, "mailrack/mailrack.h"),
    ("plugins/auth-password/password.c", True, "gnutls-stream.h"),
    ("fs/main.c", True, "engine.h"),
    ("shell/main.c", True, "account-private.h"),
    ("shell/main.c", False, "sqlite3.h"),
])
def test_forbidden_edges_are_seen(path, quoted, name):
    """The rule itself: each of these would be refused."""
    assert complaint(pathlib.Path(path), quoted, name)


def test_programs_do_not_know_each_other():
    for path in SOURCES:
        if path.parts[0] in ("fs", "shell"):
            other = {"fs": "shell", "shell": "fs"}[path.parts[0]]
            for quoted, name in tree.includes(path):
                assert not (quoted and f"{other}/" in name), f"{path} includes {name}"
