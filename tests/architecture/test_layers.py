# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each layer alone, as a throw-away shared object, links against only what it may know.

`-z defs` on a static library checks nothing, so every object of it is pulled in by --whole-archive
and what stays undefined is an error.  The pure layer is also asked which functions of the C
library it calls: no descriptor, thread, clock or environment.
"""

import json
import re
import subprocess

import pytest

IMAP, NET, API, MIRROR = (f"core/{place}" for place in (
    "imap/librack-imap.a", "net/librack-net.a", "librack-api.a", "mirror/librack-mirror.a"))

# layer: (pkg-config packages, layers below)
LAYERS = {
    IMAP: (["glib-2.0"], []),
    NET: (["glib-2.0", "gobject-2.0", "gio-2.0", "zlib"], [IMAP]),
    API: (["glib-2.0", "gobject-2.0", "gio-2.0", "gmodule-no-export-2.0", "inih", "gmime-3.0",
           "libsecret-1"], [NET, IMAP]),
    # The mirror gets the shared library: it sees what is exported, and nothing else.
    MIRROR: (["glib-2.0", "gobject-2.0", "gio-2.0", "gmime-3.0", "sqlite3", "zlib"],
             ["core/libmailrack.so"]),
}

# What would make the pure layer impure, in the C library's words and in GLib's.
IMPURE = re.compile(
    r"^(pthread_\w+|thrd_\w+|mtx_\w+|socket|connect|send\w*|recv\w*|poll|ppoll|select|epoll_\w+"
    r"|open(at)?(64)?|fopen(64)?|read|write|close|pipe2?|fork|exec\w+|time|clock|clock_gettime"
    r"|gettimeofday|nanosleep|usleep|sleep|getenv|secure_getenv|setenv|getrandom|random|rand|srand"
    r"|g_(thread|mutex|cond|rec_mutex|rw_lock|private)_\w+|g_get_(monotonic|real)_time|g_getenv"
    r"|g_get_(user|home|tmp|current)\w*|g_date_time_new_now\w*|g_random\w*|g_file_\w+|g_io_\w+"
    r"|g_spawn\w*|g_socket\w*|g_main_\w+|g_timeout\w*|g_idle_add\w*|g_usleep|g_poll)$")


def options(build):
    found = subprocess.run(["meson", "introspect", "--buildoptions", build], capture_output=True,
                           text=True, check=True)
    return {option["name"]: option["value"] for option in json.loads(found.stdout)}


def undefined(archive):
    found = subprocess.run(["nm", "-u", archive], capture_output=True, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in found.stdout.splitlines()
            if line.strip().startswith("U ")}


def link(build, layer, packages, below, tmp_path):
    libraries = subprocess.run(["pkg-config", "--libs", *packages], capture_output=True, text=True)
    assert libraries.returncode == 0, libraries.stderr
    return subprocess.run(
        ["cc", "-shared", "-o", tmp_path / "alone.so", "-Wl,-z,defs", "-Wl,--whole-archive",
         build / layer, "-Wl,--no-whole-archive", *(build / each for each in below),
         *libraries.stdout.split(), "-pthread"], capture_output=True, text=True)


@pytest.fixture(scope="module")
def plain_build(build):
    if options(build)["b_sanitize"] != "none":
        pytest.skip("a sanitized build has undefined symbols of its own")
    return build


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_links_alone(plain_build, layer, tmp_path):
    packages, below = LAYERS[layer]
    done = link(plain_build, layer, packages, below, tmp_path)
    assert done.returncode == 0, done.stderr


def test_link_check_can_fail(plain_build, tmp_path):
    """Without what it needs from below, a layer must not link: the check checks."""
    done = link(plain_build, NET, LAYERS[NET][0], [], tmp_path)
    assert done.returncode != 0 and "undefined reference" in done.stderr


def test_protocol_layer_is_pure(plain_build):
    wrong = sorted(name for name in undefined(plain_build / IMAP) if IMPURE.match(name))
    assert not wrong, f"core/imap calls {', '.join(wrong)}"


def test_core_links_no_tls(plain_build):
    found = subprocess.run(["readelf", "-d", plain_build / "core/libmailrack.so"],
                           capture_output=True, text=True, check=True).stdout
    for library in ("gnutls", "gsasl", "soup", "fuse", "readline"):
        assert f"lib{library}" not in found, f"libmailrack links {library}"


def test_only_public_names_are_exported(plain_build):
    found = subprocess.run(["nm", "-D", "--defined-only", plain_build / "core/libmailrack.so"],
                           capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in found.splitlines()}
    names = {name for name in names if not name.startswith(("_", "MAILRACK_"))}
    assert names and all(name.startswith("rack_") for name in names), sorted(names)
    private = ("rack_engine_", "rack_framer_", "rack_conn_")
    assert not any(name.startswith(private) for name in names)
