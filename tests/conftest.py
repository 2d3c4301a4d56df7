# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every Python test may ask for; tests/README.md has the list with examples.

The programs under test come from the build directory that MAILRACK_BUILD names, else from build/
at the top of the tree.  Servers are started once a session; mailboxes are fresh for each test.
"""

import itertools
import os
import pathlib
import signal
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[1]
if str(TOP) not in sys.path:
    sys.path.insert(0, str(TOP))

from tests.support import certs as certificates  # noqa: E402
from tests.support import dovecot as private_dovecot  # noqa: E402
from tests.support import mailgen, proxy, scram, scripted, tokens  # noqa: E402

# A shell's background command ignores Ctrl-C, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    """The test authority and its certificates (support/certs.py).  Whoever runs many suites says
    where all of them find the same."""
    return certificates.Certs(os.environ.get("MAILRACK_TESTS_CERTS")
                              or tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="session")
def dovecot(certs):
    """The private Dovecot, shared by all tests of the session (support/dovecot.py)."""
    with private_dovecot.Dovecot(certificates=certs) as server:
        yield server
        errors = server.errors()
    assert not errors, "Dovecot logged:\n" + "\n".join(errors)


@pytest.fixture(scope="session")
def token_server(certs, dovecot):
    """An endpoint that renews tokens for that Dovecot; see token_endpoint for one of your own."""
    with tokens.TokenServer(certs, dovecot.key) as endpoint:
        yield endpoint


@pytest.fixture
def token_endpoint(certs, dovecot):
    """A token endpoint for this test alone: plan refusals and count requests."""
    with tokens.TokenServer(certs, dovecot.key) as endpoint:
        yield endpoint


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """What mounts keep of mailboxes does not stay behind in the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("cache")
        # The tests' own, such as the second server's packages, is for every run.
        kept = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        patch.setenv("MAILRACK_TESTS_CACHE", os.environ.get("MAILRACK_TESTS_CACHE") or kept)
        patch.setenv("XDG_CACHE_HOME", str(directory))
        yield directory


@pytest.fixture
def user(dovecot):
    """A user that nobody had before, with an empty INBOX; the password is dovecot.password()."""
    return dovecot.add_user(f"user{next(_numbers)}-{os.getpid()}")


@pytest.fixture
def mailbox(dovecot, user):
    """The name of an empty mailbox of `user`."""
    name = f"Box{next(_numbers)}"
    dovecot.fill(user, name, [])
    return name


@pytest.fixture(scope="session")
def mails():
    """Generated mail: mails(100) is the same hundred messages every time, at most 200 kB each."""
    generator = mailgen.Generator(seed=1)
    return lambda count, first=0, largest=200_000: list(generator.messages(count, first, largest))


@pytest.fixture
def account(dovecot, user, tmp_path):
    """account({"port": 1}, work={...}) writes an account file for `user` and returns its path.
    DEFAULT is TLS on the shared Dovecot with the given keys added or replaced (None removes one);
    keyword arguments are further sections."""
    def write(default=None, **sections):
        keys = {**dovecot.accounts(user)["DEFAULT"], **(default or {})}
        if "starttls" in keys and "ssl" not in (default or {}):
            del keys["ssl"]          # both in one section is an error
        found = {"DEFAULT": {key: value for key, value in keys.items() if value is not None},
                 **sections}
        return private_dovecot.write_ini(tmp_path / f"account{next(_numbers)}.ini", found)
    return write


@pytest.fixture
def dialogue(certs):
    """dialogue("login-refused", how="tls", name="value") plays tests/dialogues/login-refused.txt;
    use it with `with`."""
    def play(name, how=None, certificate=None, **values):
        return scripted.Scripted(TOP / "tests/dialogues" / f"{name}.txt", certs, how,
                                 certificate=certificate, **values)
    return play


@pytest.fixture
def slow(dovecot):
    """slow(0.05) is a proxy to Dovecot's plain port with that round trip (support/proxy.py)."""
    opened = []

    def make(round_trip, **options):
        opened.append(proxy.Proxy(dovecot.host, dovecot.imap, round_trip / 2, **options).start())
        return opened[-1]
    yield make
    for each in opened:
        each.close()


@pytest.fixture(scope="session")
def build():
    """The build directory."""
    found = pathlib.Path(os.environ.get("MAILRACK_BUILD", TOP / "build")).resolve()
    assert found.is_dir(), f"no build directory at {found}; set MAILRACK_BUILD"
    return found


@pytest.fixture(scope="session")
def program(build):
    """program("mailrack") is the path of a built program."""
    places = {"mailrack": "shell/mailrack", "mailrack-mount": "fs/mailrack-mount"}

    def find(name):
        path = build / places.get(name, name)
        assert path.exists(), f"{path} is not built"
        return path
    return find


@pytest.fixture
def scram_server(program, certs):
    """scram_server(fault="signature") is a server with SCRAM-SHA-256-PLUS (support/scram.py); use
    it with `with`."""
    def make(**options):
        return scram.ScramServer(program("tests/support/scram-server"), certs, **options)
    return make


@pytest.fixture
def mailrack(program, tmp_path):
    """mailrack("-f", file, "-e", "ls") runs the program and gives its CompletedProcess, as text;
    its caches, state and configuration are in the test's own directory."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "TZ": "UTC",
        "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_RUNTIME_DIR": str(tmp_path),
        **{name: value for name, value in os.environ.items()
           if name.startswith(("ASAN_", "UBSAN_", "TSAN_", "LSAN_", "G_", "MAILRACK_"))
           and name not in ("MAILRACK_CONFIG", "MAILRACK_BUILD")}}

    def run(*arguments, stdin="", timeout=60, env=None, **options):
        return subprocess.run([program("mailrack"), *map(str, arguments)], input=stdin, text=True,
                              capture_output=True, timeout=timeout, cwd=tmp_path,
                              env={**environment, **(env or {})}, **options)
    run.environment = environment
    run.program = program("mailrack")
    return run
