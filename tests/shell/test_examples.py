# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs of examples/, which docs/GUIDE.md shows."""

import collections
import os
import re
import subprocess

import pytest

from tests.conftest import TOP
from tests.support.imapbox import wait_for


@pytest.fixture
def example(build, account, mailrack):
    """example("watch") gives the words that run it and its environment."""
    def find(name, *words):
        environment = {**mailrack.environment, "MAILRACK_CONFIG": str(account(work={}))}
        return {"args": [build / "examples" / f"example-{name}", *words], "env": environment}
    return find


def test_watch(example, dovecot, user, tmp_path):
    out = tmp_path / "out"
    with open(out, "wb") as file:
        child = subprocess.Popen(**example("watch", "work", "INBOX"), stdout=file)
    try:
        wait_for(lambda: out.read_text() == "watching 1 mailboxes\n", 30)
        dovecot.deliver(user, b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?= \x1b[m\r\n\r\n")
        wait_for(lambda: out.read_text().count("\n") == 2, 30)
        assert out.read_text().splitlines()[1] == "INBOX: new message 1: grüße \\x1b[m"
    finally:
        child.kill()
        child.wait()


def test_large_mailbox(example, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(300))
    done = subprocess.run(**example("large-mailbox", "work", "INBOX"), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = [re.fullmatch(r" *(\d+) messages +(\d+) octets  (.*)", line).groups()
            for line in done.stdout.splitlines()]
    assert sum(int(row[0]) for row in rows) == 300
    truth = dovecot.truth(user, "INBOX", bodies=False)
    assert sum(int(row[1]) for row in rows) == sum(message.size for message in truth)
    assert max(collections.Counter(row[2] for row in rows).values()) == 1


def test_large_mailbox_in_little_memory(example, build, dovecot, user):
    """Twenty times the messages take no more: nothing is kept of one when the next is read."""
    libraries = subprocess.run(["ldd", build / "examples" / "example-large-mailbox"], text=True,
                               check=True, capture_output=True).stdout
    if re.search(r"lib[alt]san", libraries):
        pytest.skip("a sanitizer keeps what was freed")

    def peak(mailbox):
        child = subprocess.Popen(**example("large-mailbox", "work", mailbox),
                                 stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        assert status == 0
        return usage.ru_maxrss       # KiB

    mail = b"From: a@b\r\nSubject: %s\r\n\r\n" % (b"x" * 200)
    dovecot.fill(user, "Small", [mail] * 1000)
    dovecot.fill(user, "Large", [mail] * 20000)
    small, large = peak("Small"), peak("Large")
    assert large < small + 6 * 1024, (small, large)


def test_guide_shows_the_examples_as_they_are():
    guide = (TOP / "docs" / "GUIDE.md").read_text()
    shown = re.findall(r"From `examples/([\w.-]+)`[^\n]*:\n+```c\n(.*?)```", guide, re.S)
    assert {name for name, _ in shown} == {path.name for path in TOP.glob("examples/*.c")}
    for name, block in shown:
        assert block.strip() in (TOP / "examples" / name).read_text(), (name, block)
