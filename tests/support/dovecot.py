#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private Dovecot: its own configuration, users, store and ports, on loopback, without systemd.

    with Dovecot() as server:                      # up in a tenth of a second
        server.add_user("bob", "secret")
        server.deliver("bob", b"Subject: hi\\r\\n\\r\\nhello\\r\\n")
        server.fill("bob", "Work", messages)       # thousands a second
        server.truth("bob", "Work")                # [(uid, flags, ..., sha256), ...]
        server.connect("bob", how="starttls")      # a logged-in imaplib connection
        server.write_accounts("account.ini")       # what Mailrack's programs read with -f

    dovecot.py --dir DIR [--storage maildir] [--fill INBOX=1000] [SETTING=VALUE ...]

The command starts a server, writes DIR/account.ini, prints NAME=VALUE lines of which the last is
READY=1, and runs until SIGTERM or, when its standard input is a pipe, until that closes.

USERS are there from the start.  OAuth2 tokens are JWTs which server.token() issues; tokens.py has
an endpoint for them, which the command runs too.  The tunnel is Dovecot's imap binary on the same
store (PREAUTH).  Several servers run side by side.  As root everything runs as nobody.  The server
ends with the thread that started it, also when that is killed.

What it is not: an example of how to run Dovecot.
"""

import argparse
import base64
import grp
import imaplib
import os
import pathlib
import secrets
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.support import certs, dovecot_conf, imapbox, mailgen, procs, tokens  # noqa: E402

PASSWORD = "sekret"
ODD_PASSWORD = "a ;b#c%d\"e\\"

# name -> (password, password scheme, further passwd-file fields); more by add_user()
USERS = {
    "alice": (PASSWORD, "PLAIN", ""),
    "odd": (ODD_PASSWORD, "PLAIN", ""),
    "hashed": (PASSWORD, "SCRAM-SHA-256", ""),      # the server does not know the password
    "tiny": (PASSWORD, "PLAIN", "userdb_quota_rule=*:bytes=20000"),
}

LIBEXEC = pathlib.Path("/usr/lib/dovecot")


class Dovecot:
    """One server.  Constructing writes its files, start() runs it; `with` does both and stops."""

    host = "127.0.0.1"
    plain_only = dovecot_conf.PLAIN_ONLY
    bad_certificates = {name: address for address, name in dovecot_conf.ADDRESSES.items()}

    def __init__(self, directory=None, storage="mdbox", certificates=None, certificate="good",
                 separator="/", prefix="", settings="", imap=None, imaps=None):
        """directory: where to keep everything; None, or one that the server's account cannot
        reach or is too deep for a socket, means a temporary one that stop() removes.
        storage: mdbox, sdbox or maildir.  settings: lines to append to dovecot.conf."""
        self.temporary = (directory is None or not procs.reachable(_made(directory))
                          or len(os.fspath(directory)) > 60)
        self.root = procs.runtime_directory("dovecot") if self.temporary \
            else pathlib.Path(directory).resolve() / "dovecot"
        self.certificates = certificates or certs.Certs(self.root / "certs")
        self.ca_file = self.certificates.ca_file
        self.imap = imap or procs.port()
        self.imaps = imaps or procs.port()
        self.storage = storage
        self.separator = separator
        self.prefix = prefix
        self.instance = secrets.token_hex(4)
        self.child = None
        self._write(certificate, settings)

    def _write(self, certificate, settings):
        account = procs.unprivileged()
        root = self.root
        for name in ("run", "state", "mail", "served", "users", "keys/default/HS256"):
            (root / name).mkdir(parents=True, exist_ok=True)

        # The server may not be able to read where the certificates were made.
        served = {}
        for name in (certificate, *self.bad_certificates):
            pair = self.certificates[name]
            served[name] = (root / "served" / f"{name}.pem", root / "served" / f"{name}.key")
            shutil.copyfile(pair.chain, served[name][0])
            shutil.copyfile(pair.key, served[name][1])

        self.key_file = root / "keys/default/HS256/default"
        if not self.key_file.exists():
            self.key_file.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        self.key_file.chmod(0o600)
        self.key = base64.b64decode(self.key_file.read_bytes())
        (root / "oauth2.conf").write_text(dovecot_conf.oauth2_file(root))
        values = {
            "root": root, "instance": self.instance, "storage": self.storage,
            "listen": "127.0.0.1, ::1" if procs.has_ipv6() else "127.0.0.1",
            "user": account.pw_name, "uid": account.pw_uid, "gid": account.pw_gid,
            "group": grp.getgrgid(account.pw_gid).gr_name, "imap": self.imap, "imaps": self.imaps,
            "cert": served[certificate][0], "key": served[certificate][1],
            "separator": self.separator, "prefix": self.prefix,
        }
        self.config = root / "dovecot.conf"
        self.config.write_text(dovecot_conf.main_file(values, served, settings))
        self.users, self.unsettled = {}, set()
        for name, (password, scheme, fields) in USERS.items():
            self.add_user(name, password, scheme, fields)
        procs.give(root)

    # Life

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Run the server and wait until it greets."""
        errors = open(self.root / "stderr", "ab")
        with errors:
            self.child = procs.spawn(["dovecot", "-F", "-c", self.config],
                                     user=procs.unprivileged(), stderr=errors, cwd="/",
                                     env={"PATH": os.environ.get("PATH", "/usr/bin:/usr/sbin")
                                          + ":/usr/sbin", "TZ": "UTC"})
        deadline = time.monotonic() + 20
        while not self._greets():
            if self.child.poll() is not None or time.monotonic() > deadline:
                procs.stop(self.child)
                raise RuntimeError("Dovecot did not start:\n"
                                   + (self.root / "stderr").read_text(errors="replace")
                                   + self.log())
            time.sleep(0.005)
        for name in sorted(self.unsettled):
            self.settle(name)
        return self

    def _greets(self):
        try:
            with socket.create_connection((self.host, self.imap), 5) as probe:
                return self.instance.encode() in probe.recv(4096)
        except OSError:
            return False

    def stop(self):
        """End the server; the store stays and start() runs it again on the same ports."""
        if self.child:
            procs.stop(self.child)
            # Login and mail processes leave on their own once the master is gone; make it sure.
            _end_session(self.child.pid)
            self.child = None

    def kill(self):
        """As stop(), but with SIGKILL for all its processes at once: a crash."""
        if self.child:
            _end_session(self.child.pid)
            self.child.wait()
            self.child = None

    def close(self):
        """stop() and remove what was temporary; that needs no orderly end, which takes a second."""
        if not self.temporary:
            self.stop()
        else:
            self.kill()
            shutil.rmtree(self.root, ignore_errors=True)

    def log(self):
        """Everything the server logged so far."""
        file = self.root / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def errors(self):
        """The log lines that say that something went wrong inside the server."""
        return [line for line in self.log().splitlines()
                if any(word in line for word in (": Error: ", ": Fatal: ", ": Panic: "))]

    # Users and credentials

    def add_user(self, name, password=PASSWORD, scheme="PLAIN", fields=""):
        """Add a user, whom the running server knows at once, or change one, which may take it a
        second to notice."""
        if ":" in password:
            raise ValueError("a passwd-file cannot hold a password with a colon")
        stored = hash_password(password, scheme)
        new = name not in self.users
        self.users[name] = password
        # One file each: Dovecot looks only once a second whether a file it knows has changed.
        fresh = self.root / f"users.{name}"
        fresh.write_text(f"{name}:{{{scheme}}}{stored}::::::{fields}\n")
        fresh.chmod(0o600)
        procs.give(fresh)
        fresh.rename(self.root / "users" / name)
        if new and self.child:
            self.settle(name)
        elif new:
            self.unsettled.add(name)
        return name

    def password(self, user):
        return self.users[user]

    def token(self, user, lifetime=3600, **claims):
        """An OAuth2 access token for user; expired when lifetime is negative."""
        return tokens.issue(self.key, user, lifetime, **claims)

    def token_command(self, user):
        """A command line that prints an access token for user."""
        return f"/usr/bin/python3 {tokens.__file__} --issue {user} --key {self.key_file}"

    # The store, through the server

    def tls(self):
        """A TLS context that trusts the test authority."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def connect(self, user="alice", how="plain", login=True):
        """An imaplib connection: how is plain, ssl or starttls."""
        if how == "ssl":
            made = imaplib.IMAP4_SSL("localhost", self.imaps, ssl_context=self.tls())
        else:
            made = imaplib.IMAP4(self.host, self.imap)
            if how == "starttls":
                made.host = "localhost"
                made.starttls(self.tls())
        if login:
            password = self.password(user)
            made.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        return made

    def tunnel_command(self, user="alice"):
        """A command line that talks IMAP as user on its standard input and output."""
        return f"{LIBEXEC}/imap -c {self.config} -u {user}"

    def deliver(self, user, message, mailbox="INBOX"):
        """Deliver one message as a mail server would (dovecot-lda); the flags stay empty."""
        done = subprocess.run([LIBEXEC / "dovecot-lda", "-c", self.config, "-d", user, "-e",
                               "-m", mailbox], input=message, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"dovecot-lda: {done.stderr.decode(errors='replace')}")

    def settle(self, user):
        """Select each mailbox once, one after the other: Dovecot makes what belongs to it then, and
        two sessions that do so at the same time can lock each other out (it panics: "Resource
        deadlock avoided").  start() and add_user() see to it."""
        with self.connect(user) as connection:
            for line in connection.list()[1]:
                name = line.decode().partition(") ")[2].partition(" ")[2]
                connection.select(name, readonly=True)
        self.unsettled.discard(user)

    def fill(self, user, mailbox, messages, **options):
        """Create mailbox if need be and append messages (see imapbox.fill); returns the count."""
        with self.connect(user) as connection:
            if mailbox.upper() != "INBOX":
                connection.create(imapbox.quote(mailbox))
                connection.subscribe(imapbox.quote(mailbox))
            return imapbox.fill(connection, mailbox, messages, **options)

    def truth(self, user, mailbox="INBOX", **options):
        """What imaplib reads there: a list of imapbox.Message."""
        with self.connect(user) as connection:
            return imapbox.truth(connection, mailbox, **options)

    # Configuration files for Mailrack

    def accounts(self, user="alice", token_endpoint=None):
        """The sections of an account file: {section: {key: value}}.  Those of oauth2 are there
        when there is an endpoint (tokens.TokenServer) to refresh at."""
        login = {"username": user, "password": self.password(user)}
        sections = {
            "DEFAULT": {"host": "localhost", "port": self.imaps, **login, "ssl": "true",
                        "ssl_ca_file": self.ca_file},
            "ssl": {},
            "starttls": {"starttls": "true", "port": self.imap},
            "plain": {"ssl": "false", "port": self.imap},
            "tunnel": {"transport": "tunnel", "tunnel_command": self.tunnel_command(user)},
            "odd-password": {"username": "odd", "password": ODD_PASSWORD},
        }
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"):
            sections[f"sasl-{mechanism.lower()}"] = {"auth_mechanisms": mechanism}
        sections["hashed"] = {"username": "hashed", "auth_mechanisms": "SCRAM-SHA-256"}
        if token_endpoint:
            for mechanism in ("OAUTHBEARER", "XOAUTH2"):
                sections[mechanism.lower()] = {"oauth2": "true", "auth_mechanisms": mechanism,
                                               **token_endpoint.account_keys(user)}
        sections["token-command"] = {"oauth2": "true",
                                     "oauth2_token_command": self.token_command(user)}
        sections["wrong-password"] = {"password": "wrong", "expect_failure": "(?i)authentic"}
        sections["no-starttls"] = {"host": self.plain_only, "starttls": "true",
                                   "port": self.imap, "expect_failure": "STARTTLS"}
        for name, address in self.bad_certificates.items():
            sections[name] = {"host": address, "expect_failure": "(?i)certificate"}
            sections[f"{name}-starttls"] = {"host": address, "starttls": "true",
                                            "port": self.imap,
                                            "expect_failure": "(?i)certificate"}
        return sections

    def write_accounts(self, path, user="alice", token_endpoint=None):
        """Write accounts() to a file that only its owner can read, and return its path."""
        return write_ini(path, self.accounts(user, token_endpoint))


def write_ini(path, sections):
    """Write {section: {key: value}} as Mailrack reads it, values verbatim, mode 0600."""
    text = "\n".join("".join([f"[{section}]\n"] + [f"{key} = {value}\n"
                                                  for key, value in keys.items()])
                     for section, keys in sections.items())
    path = pathlib.Path(path)
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.rename(path)
    return path


def hash_password(password, scheme):
    """A password as a passwd-file stores it in this scheme."""
    if scheme == "PLAIN":
        return password
    done = subprocess.run(["doveadm", "-c", "/dev/null", "pw", "-s", scheme, "-p", password],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"doveadm pw: {done.stderr}")
    return done.stdout.strip().split("}", 1)[1]


def _made(directory):
    os.makedirs(directory, exist_ok=True)
    return directory


def _end_session(leader):
    """SIGKILL to what is left of the process group that our child led."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def main():
    parser = argparse.ArgumentParser(description="Run a private Dovecot for tests or a demo.")
    parser.add_argument("--dir", required=True, help="where account.ini (and the store) go")
    parser.add_argument("--storage", default="mdbox", choices=("mdbox", "sdbox", "maildir"))
    parser.add_argument("--separator", default="/")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--imap-port", type=int)
    parser.add_argument("--imaps-port", type=int)
    parser.add_argument("--fill", action="append", default=[], metavar="MAILBOX=COUNT",
                        help="put generated mail into a mailbox of alice (again and again)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated mail")
    parser.add_argument("--largest", type=int, default=mailgen.LARGEST,
                        help="octets of the largest generated message")
    parser.add_argument("settings", nargs="*", help="NAME=VALUE lines for dovecot.conf")
    options = parser.parse_args()

    directory = pathlib.Path(options.dir).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    with Dovecot(directory, options.storage, certs.Certs(directory / "certs"),
                 separator=options.separator, prefix=options.prefix,
                 settings="\n".join(options.settings) + "\n",
                 imap=options.imap_port, imaps=options.imaps_port) as server, \
            tokens.TokenServer(server.certificates, server.key) as endpoint:
        first = 0
        for mailbox, _, count in (each.rpartition("=") for each in options.fill):
            mails = mailgen.Generator(options.seed).messages(int(count), first, options.largest)
            first += server.fill("alice", mailbox, mails)
        account = server.write_accounts(directory / "account.ini", "alice", endpoint)
        for name, value in (("ACCOUNT", account), ("HOST", "localhost"), ("IMAP", server.imap),
                            ("IMAPS", server.imaps), ("CA_FILE", server.ca_file),
                            ("CONFIG", server.config), ("PID", server.child.pid), ("READY", 1)):
            print(f"{name}={value}", flush=True)
        if stat.S_ISFIFO(os.fstat(0).st_mode) or stat.S_ISSOCK(os.fstat(0).st_mode):
            threading.Thread(target=lambda: (sys.stdin.buffer.read(), ended.set()),
                             daemon=True).start()
        while not ended.wait(1) and server.child.poll() is None:
            pass
        return 0 if ended.is_set() else 1


if __name__ == "__main__":
    sys.exit(main())
