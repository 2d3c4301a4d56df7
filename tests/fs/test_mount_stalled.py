# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that says nothing any more: what is known is answered, and who waits can leave."""

import os
import signal
import subprocess
import time

READERS = 16


def is_asleep(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] in "SD"


def wait_until_all_wait(readers, seconds=60):
    """Until every reader was asleep in twenty looks one after the other: each is in its read."""
    deadline, looks = time.monotonic() + seconds, 0
    while looks < 20:
        assert all(reader.poll() is None for reader in readers), "a reader ended"
        looks = looks + 1 if all(map(is_asleep, readers)) else 0
        assert time.monotonic() < deadline, "the readers do not come to rest"
        time.sleep(0.02)


def interrupted_after(reader):
    start = time.monotonic()
    reader.send_signal(signal.SIGINT)
    assert reader.wait(timeout=30) == -signal.SIGINT
    return time.monotonic() - start


def test_listing_while_readers_wait_and_their_interrupts(mount, slow, dovecot, user, mails):
    chosen = [mail for mail in mails(200) if len(mail.octets) > 17_000][:READERS + 4]
    dovecot.fill(user, "INBOX", chosen)
    between = slow(0)
    with mount({"host": between.host, "port": str(between.port), "ssl": "false"}) as directory:
        inbox = directory / "INBOX"
        names = sorted(os.listdir(inbox))
        assert len(names) == len(chosen) > READERS
        between.delay = 3600         # nothing that the server says from now on arrives
        readers = [subprocess.Popen(["cat", inbox / name], stdout=subprocess.DEVNULL)
                   for name in reversed(names[:READERS])]
        try:
            wait_until_all_wait(readers)
            start = time.monotonic()
            listed = subprocess.run(["ls", "-l", inbox], stdout=subprocess.PIPE, text=True,
                                    check=True, timeout=60).stdout
            listing = time.monotonic() - start
            assert len(listed.splitlines()) == 1 + len(names)
            assert all(reader.poll() is None for reader in readers)
            gone = [interrupted_after(reader) for reader in readers]
        finally:
            for reader in readers:
                reader.kill()
                reader.wait()
        print(f"ls -l took {listing * 1000:.0f} ms while {READERS} readers waited; the slowest of "
              f"them was gone {max(gone) * 1000:.0f} ms after its interrupt")
        subprocess.run(["ls", inbox], stdout=subprocess.DEVNULL, check=True, timeout=60)
