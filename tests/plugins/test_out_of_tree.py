# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins of strangers: built outside the tree against a staged install, then logged in through.

The sources are plugins/example and the plugin that docs/PLUGINS.md begins with, the compiler lines
those of their own meson.build and of that page.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "plugins/example"
GUIDE = (TOP / "docs/PLUGINS.md").read_text(encoding="utf-8")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
# Every way a stranger may compile.
COMPILERS = {
    "gcc-c11": ["gcc", "-std=c11"],
    "gcc-c17": ["gcc", "-std=c17", "-Wpedantic"],
    "clang-c11": ["clang", "-std=c11"],
    "g++-c++17": ["g++", "-x", "c++", "-std=c++17"],
    "clang++-c++17": ["clang++", "-x", "c++", "-std=c++17"],
}


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def stage(build, tmp_path_factory):
    """What `meson install` puts in place, under a directory of ours; gives pkg-config's answer."""
    root = tmp_path_factory.mktemp("stage")
    run("meson", "install", "-C", build, "--no-rebuild", "--quiet", env={**os.environ,
                                                                         "DESTDIR": str(root)})
    found = list(root.rglob("mailrack.pc"))
    assert len(found) == 1, found
    text = found[0].read_text()
    prefix = re.search(r"(?m)^prefix=(.*)$", text).group(1)
    # As it would be if the stage were the machine.
    found[0].write_text(text.replace(f"prefix={prefix}", f"prefix={root}{prefix}"))
    return {"root": root, "env": {**os.environ, "PKG_CONFIG_PATH": str(found[0].parent)}}


def flags(stage, *options):
    return run("pkg-config", *options, "mailrack", env=stage["env"]).split()


def compile_plugin(stage, compiler, source, target, *extra):
    run(*COMPILERS[compiler], *WARNINGS, *extra, "-fPIC", "-shared", "-Wl,-z,defs", source, "-x",
        "none", "-o", target, *flags(stage, "--cflags", "--libs"))
    return target


def exported(file):
    lines = run("nm", "-D", "--defined-only", file).splitlines()
    return sorted(line.split()[-1] for line in lines)


@pytest.fixture
def login(build, tmp_path):
    """login(file, ACCOUNT, ANSWER=...) runs tests/plugins/login and gives its output."""
    def call(file, *accounts, **environment):
        return subprocess.run([build / "tests/plugins/login", file, *accounts], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                              env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"),
                                   **environment})
    return call


@pytest.fixture
def unix_socket(dovecot, tmp_path):
    """Dovecot's plain port behind a Unix domain socket."""
    path = tmp_path / "imap.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def accept():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((dovecot.host, dovecot.imap))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize("compiler", COMPILERS)
def test_example(stage, compiler, dovecot, user, account, login, unix_socket, tmp_path):
    """Both examples, each compiler; a login through them together."""
    auth, transport = (compile_plugin(stage, compiler, EXAMPLE / f"{kind}-example.c",
                                      tmp_path / f"mailrack-{kind}-example.so",
                                      "-fvisibility=hidden")
                       for kind in ("auth", "transport"))
    for file in (auth, transport):
        assert exported(file) == ["rack_plugin_entry"]
    password = dovecot.password(user)
    file = account(both={"auth": auth, "transport": transport, "example_socket": unix_socket,
                         "username": user, "example_first_half": password[:3]},
                   over_ssl={"auth": auth, "example_user": user, "username": "somebody-else",
                             "example_first_half": password[:3]},
                   unset={"auth": auth},
                   gone={"transport": transport, "example_socket": tmp_path / "no.sock"})
    done = login(file, "both", "over_ssl", ANSWER=password[3:])
    assert done.returncode == 0, done.stdout
    assert "both: ok\n" in done.stdout and "over_ssl: ok\n" in done.stdout
    assert "asked: The other half of the password: (hidden)" in done.stdout
    done = login(file, "both", ANSWER="wrong")
    assert done.returncode == 1 and "both: 5 " in done.stdout, done.stdout
    assert "example_first_half" in login(file, "unset").stdout
    assert "cannot connect to" in login(file, "gone").stdout
    # Nobody is there: it says so and does not hang.
    assert "both: 6 " in login(file, "both").stdout


def test_example_by_its_own_build(stage, account, dovecot, user, login, tmp_path):
    """meson setup, ninja, meson install: as its meson.build says, into the staged plugindir."""
    source = tmp_path / "example"
    shutil.copytree(EXAMPLE, source)
    for command in (["setup", "build", "--werror"], ["compile", "-C", "build"],
                    ["install", "-C", "build"]):
        run("meson", *command, cwd=source, env=stage["env"])
    plugins = pathlib.Path(*flags(stage, "--variable=plugindir"))
    assert plugins.is_relative_to(stage["root"])
    password = dovecot.password(user)
    file = account({"auth": "example", "example_first_half": password[:3]})
    done = login(file, ANSWER=password[3:], MAILRACK_PLUGIN_PATH=str(plugins))
    assert done.stdout.endswith("DEFAULT: ok\n"), done.stdout


@pytest.mark.parametrize("compiler", COMPILERS)
def test_guide(stage, compiler, account, dovecot, user, login, tmp_path):
    """The plugin at the top of docs/PLUGINS.md compiles as it stands and logs in."""
    source = tmp_path / "pass.c"
    source.write_text(re.search(r"(?s)```c\n(.*?)```", GUIDE).group(1))
    plugin = compile_plugin(stage, compiler, source, tmp_path / "mailrack-auth-pass.so")
    secret = tmp_path / "secret"
    secret.write_text(dovecot.password(user) + "\n")
    file = account({"auth": plugin, "pass_command": f"cat {secret}"},
                   wrong={"auth": plugin, "pass_command": "false"})
    done = login(file)
    assert done.stdout == "DEFAULT: ok\n"
    assert "wrong: " in login(file, "wrong").stdout


@pytest.mark.parametrize("compiler", COMPILERS)
def test_pieces_of_the_guide(stage, compiler, tmp_path):
    """What it shows of other plugins is C that compiles."""
    pieces = re.findall(r"(?s)```c\n(.*?)```", GUIDE)[1:]
    assert pieces
    for piece in pieces:
        source = tmp_path / "piece.c"
        source.write_text(f"#include <mailrack/mailrack-plugin.h>\n{piece}")
        run(*COMPILERS[compiler], *WARNINGS, "-Wno-unused-function", "-fsyntax-only", source,
            *flags(stage, "--cflags"))


def test_guide_as_written(stage, dovecot, user, login, tmp_path):
    """The shell line and the account file of the page, as near to verbatim as can be."""
    (tmp_path / "pass.c").write_text(re.search(r"(?s)```c\n(.*?)```", GUIDE).group(1))
    run("sh", "-ec", re.search(r"(?s)```sh\n(.*?)```", GUIDE).group(1), cwd=tmp_path,
        env=stage["env"])
    assert exported(tmp_path / "mailrack-auth-pass.so") == ["rack_plugin_entry"]
    (tmp_path / "secret").write_text(dovecot.password(user))
    text = re.search(r"(?s)```ini\n(.*?)```", GUIDE).group(1)
    for written, here in (("imap.example.org", "localhost"), ("= bob\n", f"= {user}\n"),
                          ("/home/bob/src", str(tmp_path)),
                          ("pass show mail/work", f"cat {tmp_path}/secret")):
        assert text.count(written) == 1
        text = text.replace(written, here)
    file = tmp_path / "account.ini"
    file.write_text(f"{text}port = {dovecot.imaps}\nssl_ca_file = {dovecot.ca_file}\n")
    assert login(file).stdout == "DEFAULT: ok\n"


def test_wrong_type_does_not_compile(stage, tmp_path):
    """A field that does not fit its RACK_PARAM is an error of the compiler."""
    for line, wrong in (('RACK_PARAM (Config, n, "x_n", STRING, OPTIONAL, NULL, "x")', True),
                        ('RACK_PARAM (Config, n, "x_n", BOOL, OPTIONAL, NULL, "x")', False)):
        source = tmp_path / "wrong.c"
        source.write_text("#include <mailrack/mailrack-plugin.h>\n"
                          "typedef struct { gboolean n; } Config;\n"
                          f"extern const RackParam p[]; const RackParam p[] = {{ {line},"
                          " RACK_PARAM_END };\n")
        for compiler in COMPILERS.values():
            done = subprocess.run([*compiler, "-fsyntax-only", source,
                                   *flags(stage, "--cflags")], capture_output=True, text=True)
            assert (done.returncode != 0) == wrong, (compiler, done.stderr)
            assert not wrong or "does not match" in done.stderr


def test_wrong_kind_does_not_compile(stage, tmp_path):
    """An auth plugin registered as a transport, the other way round, and as what it is."""
    for kind, macro, wrong in (("Auth", "TRANSPORT", True), ("Transport", "AUTH", True),
                               ("Auth", "AUTH", False), ("Transport", "TRANSPORT", False)):
        source = tmp_path / "kind.c"
        source.write_text("#include <mailrack/mailrack-plugin.h>\n"
                          f"static Rack{kind}Plugin plugin;\nRACK_REGISTER_{macro} (plugin)\n")
        for compiler in COMPILERS.values():
            done = subprocess.run([*compiler, "-fsyntax-only", source,
                                   *flags(stage, "--cflags")], capture_output=True, text=True)
            assert (done.returncode != 0) == wrong, (compiler, kind, macro, done.stderr)
            assert not wrong or f"Rack{macro.capitalize()}Plugin" in done.stderr, done.stderr


def test_installed_plugins_export_one_symbol(stage):
    plugins = sorted(stage["root"].rglob("mailrack-*.so"))
    assert {file.name for file in plugins} >= {
        "mailrack-auth-password.so", "mailrack-auth-oauth2.so", "mailrack-transport-ssl.so",
        "mailrack-transport-starttls.so", "mailrack-transport-plain.so",
        "mailrack-transport-tunnel.so"}
    for file in plugins:
        assert exported(file) == ["rack_plugin_entry"], file
