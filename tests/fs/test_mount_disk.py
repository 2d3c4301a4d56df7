# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a mount finds on the disk of the one before it: at once, offline, after a crash.

MAILRACK_KILL_ROUNDS and MAILRACK_KILL_MESSAGES make the test of crashes a campaign.
"""

import errno
import os
import random
import subprocess
import threading
import time

import pytest

from tests.fs.conftest import environment_of, is_mounted, uid_of, wait_for
from tests.support import dovecot as private_dovecot

ROUNDS = int(os.environ.get("MAILRACK_KILL_ROUNDS", "4"))
MESSAGES = int(os.environ.get("MAILRACK_KILL_MESSAGES", "3000"))


def ls(directory):
    return subprocess.run(["ls", "-l", "--time-style=full-iso", directory], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout


@pytest.fixture
def cache(program, dovecot, user, tmp_path):
    """cache("check") runs mailrack cache for the account that mount() mounts."""
    def run(*arguments):
        account = private_dovecot.write_ini(tmp_path / "cache.ini",
                                            {"DEFAULT": dovecot.accounts(user)["DEFAULT"]})
        return subprocess.run([program("mailrack"), "cache", "-f", account, *arguments], text=True,
                              env=environment_of(tmp_path), capture_output=True, timeout=120,
                              check=False)
    return run


def test_a_second_mount_answers_without_the_server(mount, slow, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(300))
    dovecot.fill(user, "Work/Deep", mails(2))
    proxy = slow(0)
    keys = {"host": proxy.host, "port": proxy.port, "ssl": "false"}
    with mount(keys) as directory:
        before = ls(directory / "INBOX")
        assert len(before.splitlines()) == 301
        names = sorted(os.listdir(directory / "INBOX"))
    proxy.refuse(True)
    with mount(keys) as directory:
        assert ls(directory / "INBOX") == before
        status = (directory / ".mailrack" / "status").read_text()
        assert "state: offline since" in status
        assert "Deep" in os.listdir(directory / "Work")
        # What was never read, or never listed, fails at once and says why.
        for path in (directory / "INBOX" / names[0], directory / "Work" / "Deep"):
            with pytest.raises(OSError) as caught:
                path.read_bytes() if path.suffix else os.listdir(path)
            assert caught.value.errno == errno.EHOSTUNREACH
        # It comes back by itself, with what happened meanwhile.
        dovecot.deliver(user, b"Subject: meanwhile\r\n\r\nx\r\n")
        proxy.refuse(False)
        wait_for(lambda: len(os.listdir(directory / "INBOX")) == 301, 60)
        assert len((directory / "INBOX" / names[0]).read_bytes()) > 0
        assert len(os.listdir(directory / "Work" / "Deep")) == 2
        assert "state: online since" in (directory / ".mailrack" / "status").read_text()


def test_without_a_disk_an_unreachable_server_is_an_error(program, account, slow, tmp_path):
    proxy = slow(0)
    proxy.refuse(True)
    directory = tmp_path / "mnt"
    directory.mkdir()
    command = [program("mailrack-mount"), "--config",
               account({"host": proxy.host, "port": proxy.port, "ssl": "false"}), directory]
    done = subprocess.run(command, env=environment_of(tmp_path), text=True, capture_output=True,
                          timeout=60, check=False)
    assert done.returncode != 0 and done.stderr
    assert not is_mounted(directory)


def test_one_program_at_a_time_and_it_says_which(mount, cache, program, dovecot, user, mails,
                                                 tmp_path):
    dovecot.fill(user, "INBOX", mails(20))
    with mount() as directory:
        os.listdir(directory / "INBOX")
        other = tmp_path / "other"
        other.mkdir()
        command = [program("mailrack-mount"), "--config", tmp_path / "account.ini", other]
        done = subprocess.run(command, env=environment_of(tmp_path), text=True, timeout=60,
                              capture_output=True, check=False)
        assert done.returncode == 75 and f"mailrack-mount on {directory}" in done.stderr
        for action in ("check", "clear"):
            done = cache(action)
            assert done.returncode == 75 and f"mailrack-mount on {directory}" in done.stderr
        done = cache()
        assert done.returncode == 0 and "messages   20 (" in done.stdout
        assert f"in use by  mailrack-mount on {directory}" in done.stdout
        assert len(os.listdir(directory / "INBOX")) == 20
    done = cache("check")
    assert (done.returncode, done.stderr) == (0, "") and "nothing is wrong" in done.stdout
    done = cache("clear")
    assert (done.returncode, done.stderr) == (0, "")
    done = cache("size")
    assert "messages   0 (" in done.stdout and "in use" not in done.stdout


def test_looking_at_a_cache_takes_nothing_from_its_mount(mount, cache, dovecot, user, mails):
    """A program that closes the database last removes its journal; it must not seem to be that."""
    dovecot.fill(user, "INBOX", mails(20))
    with mount() as directory:
        names = os.listdir(directory / "INBOX")
        assert "messages   20 (" in cache().stdout
        dovecot.deliver(user, b"Subject: fresh\r\n\r\nx\r\n")
        wait_for(lambda: len(os.listdir(directory / "INBOX")) == 21)
        assert "messages   21 (" in cache().stdout
    assert "messages   21 (" in cache("size").stdout
    with mount() as directory:
        assert set(names) < set(os.listdir(directory / "INBOX"))


def test_cache_command_line(mailrack, account):
    done = mailrack("cache", "--help")
    assert done.returncode == 0 and "size|check|clear" in done.stdout
    done = mailrack("cache", "-f", account(), "melt", "it")
    assert done.returncode == 64 and 'not also "it"' in done.stderr
    done = mailrack("cache", "-f", account(), "check", "nobody")
    assert done.returncode == 78


def listed(directory):
    """{uid: name} of a mailbox."""
    return {uid_of(name): name for name in os.listdir(directory)}


def change_something(dovecot, user, chance):
    """A delivery, an expunge and a flag."""
    connection = dovecot.connect(user)
    connection.select("INBOX")
    count = int(connection.search(None, "ALL")[1][0].split()[-1])
    connection.store(str(chance.randint(1, count)), "+FLAGS", "\\Flagged work")
    connection.store(str(chance.randint(1, count)), "+FLAGS", "\\Deleted")
    connection.expunge()
    connection.logout()
    dovecot.deliver(user, b"Subject: while it was down\r\n\r\nx\r\n")


def flagged(directory):
    """The UIDs of what a Maildir calls flagged."""
    found = set()
    for folder in ("cur", "new"):
        for entry in os.scandir(directory / ".maildir" / "INBOX" / folder):
            if "F" in entry.name.partition(":2,")[2]:
                found.add(entry.inode() & 0xffffffff)
    return found


class Doomed:
    """A mount in the foreground that is killed, and what reads from it meanwhile."""

    def __init__(self, program, account, place):
        self.directory = place / "mnt"
        self.directory.mkdir(exist_ok=True)
        command = [program("mailrack-mount"), "--foreground", "--config", account, self.directory]
        self.process = subprocess.Popen(command, env=environment_of(place), text=True,
                                        stderr=subprocess.PIPE)
        wait_for(lambda: is_mounted(self.directory) or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.process.stderr.read()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        try:
            for name in os.listdir(self.directory / "INBOX")[:50]:
                (self.directory / "INBOX" / name).read_bytes()
        except OSError:
            pass                                       # it was killed under us

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.reader.join()
        if is_mounted(self.directory):
            subprocess.run(["fusermount3", "-u", "-z", self.directory], check=True, timeout=30)


def test_killed_at_any_moment(program, mount, cache, dovecot, user, tmp_path):
    """First syncs that are cut by SIGKILL: the cache opens, is whole, and comes to be as the
    server is."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    mail = [(b"From: A <a@b.example>\r\nSubject: number %d\r\n\r\n%d\r\n" % (n, n),
             "\\Seen" if n % 3 else "", 1_600_000_000 + n) for n in range(MESSAGES)]
    dovecot.fill(user, "INBOX", mail)
    account = private_dovecot.write_ini(tmp_path / "account.ini",
                                        {"DEFAULT": dovecot.accounts(user)["DEFAULT"]})
    # How long one takes, so that the moments fall into it.
    doomed = Doomed(program, account, tmp_path)
    began = time.monotonic()
    wait_for(lambda: len(os.listdir(doomed.directory / "INBOX")) == MESSAGES, 300)
    whole = time.monotonic() - began
    doomed.kill()
    partial = empty = 0
    for _ in range(ROUNDS):
        if chance.random() < 0.7:
            assert cache("clear").returncode == 0
        change_something(dovecot, user, chance)
        doomed = Doomed(program, account, tmp_path)
        # The moment itself, not a wait for anything; early ones are the more interesting.
        time.sleep(chance.random() ** 2 * whole)
        doomed.kill()
        done = cache("check")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert "nothing is wrong" in done.stdout
        size = cache("size").stdout
        partial += f"messages   {MESSAGES} (" not in size
        empty += "messages   0 (" in size
        truth = {message.uid: message for message in dovecot.truth(user, bodies=False)}
        with mount() as directory:
            wait_for(lambda: listed(directory / "INBOX").keys() == truth.keys(), 120)
            names = listed(directory / "INBOX")
            for uid in chance.sample(sorted(truth), 20):
                status = os.stat(directory / "INBOX" / names[uid])
                assert status.st_size == truth[uid].size
            starred = {uid for uid, message in truth.items() if "\\Flagged" in message.flags}
            wait_for(lambda: flagged(directory) == starred, 60)
    print(f"{ROUNDS} rounds; {partial} were killed before a sync of {whole:.1f} s was over, "
          f"{empty} of those before the first message")
