# SPDX-License-Identifier: LGPL-2.1-or-later
"""`mailrack watch` over many mailboxes while its connections are cut, stalled and black-holed.

    with Watching(server, "alice", program, directory, how="idle", seed=1) as watching:
        watching.torment(600)        # seconds of deliveries, expunges and faults
        watching.settle()            # all well again: wait until everything was reported
        watching.mistakes()          # what was missed, doubled or made up: a list of texts

What is right is what was delivered and expunged, asked of the server by imaplib. Deliveries are the
server's own (dovecot-lda); a message is expunged only when it was reported, since one that came and
went while nobody could see it is nobody's.

What it is not: a measure of how fast a report comes.
"""

import collections
import json
import os
import pathlib
import random
import subprocess
import threading
import time

from tests.support import dovecot as private_dovecot
from tests.support import proxy

MAILBOXES = 20
# So that a connection that hears nothing is found out within seconds and not minutes.
IMPATIENT = {"timeout": "4", "connect_timeout": "6", "idle_refresh": "3"}


class Watching:
    def __init__(self, server, user, program, directory, how="notify", seed=1, there=None,
                 patient=False):
        """there: a lock that is held while the server is not there.  patient: as it is without
        options, so that what is lost is noticed after minutes."""
        self.patient = patient
        self.server, self.user, self.how = server, user, how
        self.random = random.Random(f"{how} {seed}")
        self.names = ["INBOX"] + [f"Box {n}" for n in range(1, MAILBOXES)]
        for name in self.names:
            server.fill(user, name, [b"Subject: old\r\n\r\n\r\n"] * 2)
        self.expected = collections.Counter()      # (event, mailbox, uid)
        self.expunged = collections.defaultdict(set)
        self.delivered = 0
        self.struck = collections.Counter()
        self.events = []
        self._lock = threading.Lock()
        self._there = there or threading.Lock()
        self._proxy = proxy.Proxy(server.host, server.imap, certificates=server.certificates)
        self._child = None
        self._program, self._directory = program, directory

    def __enter__(self):
        self._proxy.start()
        keys = {**self.server.accounts(self.user)["DEFAULT"], "port": self._proxy.port}
        if not self.patient:
            keys.update(IMPATIENT)
        if self.how == "idle":
            keys["disable_extensions"] = "NOTIFY"
        elif self.how == "plain":
            keys["disable_extensions"] = "NOTIFY CONDSTORE QRESYNC ESEARCH LIST-STATUS"
        account = private_dovecot.write_ini(self._directory / f"{self.user}.ini", {"DEFAULT": keys})
        self.log = self._directory / f"{self.user}.log"
        environment = {**os.environ, "XDG_STATE_HOME": str(self._directory),
                       "XDG_CONFIG_HOME": str(self._directory)}
        with open(self.log, "wb") as log:
            self._child = subprocess.Popen(
                [self._program, "watch", "-f", account, "--json", "--events",
                 "new,expunge,reset,gone", *(() if self.patient else ("--poll", "2"))],
                stdout=subprocess.PIPE, stderr=log, env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait(lambda: b"watching" in self.log.read_bytes(), 60, "the start")
        return self

    def __exit__(self, *_):
        self._child.terminate()
        self.status = self._child.wait(30)
        self._reader.join(30)
        self._child.stdout.close()
        self._proxy.close()

    def _read(self):
        for line in self._child.stdout:
            with self._lock:
                self.events.append(json.loads(line))

    def _wait(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._child.poll() is None, self.log.read_text()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: {self.log.read_text()}")
            time.sleep(0.02)

    def processor_seconds(self):
        """What it has used so far."""
        stat = pathlib.Path(f"/proc/{self._child.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reported(self):
        with self._lock:
            return collections.Counter((event["event"], event["mailbox"], event.get("uid"))
                                       for event in self.events)

    # What happens

    def torment(self, seconds):
        deadline = time.monotonic() + seconds
        ended = threading.Event()
        chaos = threading.Thread(target=self._break, args=(deadline, ended), daemon=True)
        chaos.start()
        while time.monotonic() < deadline:
            for _ in range(self.random.choice((1, 1, 2, 5))):
                self._deliver(self.random.choice(self.names))
            if self.random.random() < 0.3:
                self._expunge()
            time.sleep(self.random.uniform(0, 0.3))
        ended.set()
        chaos.join()

    def _deliver(self, mailbox):
        self.delivered += 1
        message = b"From: a@b\r\nSubject: %d\r\n\r\nx\r\n" % self.delivered
        with self._there:
            self.server.deliver(self.user, message, mailbox)

    def _expunge(self):
        """One of the messages that were reported, or that were there before."""
        mailbox = self.random.choice(self.names)
        candidates = {uid for event, name, uid in self.reported()
                      if name == mailbox and event == "new"} - self.expunged[mailbox]
        if not candidates:
            return
        uid = self.random.choice(sorted(candidates))
        with self._there, self.server.connect(self.user) as connection:
            connection.select(f'"{mailbox}"')
            connection.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
            connection.uid("EXPUNGE", str(uid))
        self.expunged[mailbox].add(uid)

    def _break(self, deadline, ended):
        """Whatever may become of connections: at an octet of new ones, or of all there are now."""
        chance = random.Random(self.random.random())
        while time.monotonic() < deadline and not ended.wait(chance.uniform(0.1, 1.5)):
            kind = chance.choice(("plan", "plan", "strike", "stall", "silence", "refuse"))
            self.struck[kind] += 1
            if kind == "plan":
                self._proxy.plan(proxy.Fault(chance.choice(("up", "down")), chance.randrange(6000),
                                             chance.choice(proxy.ACTIONS)))
            elif kind == "strike":
                self._proxy.strike(chance.choice(proxy.ACTIONS))
            elif kind == "stall":
                self._proxy.strike("stall", chance.uniform(0.1, 3))
            elif kind == "silence":
                self._proxy.silence()
            else:
                self._proxy.refuse(True)
                ended.wait(chance.uniform(0.1, 2))
                self._proxy.refuse(False)
        self._proxy.refuse(False)

    # What came of it

    def truth(self):
        """What was to be reported, each once."""
        right = collections.Counter()
        for mailbox in self.names:
            for message in self.server.truth(self.user, mailbox, bodies=False):
                if message.uid > 2:
                    right["new", mailbox, message.uid] += 1
            for uid in self.expunged[mailbox]:
                right["expunge", mailbox, uid] += 1
                right["new", mailbox, uid] += 1
        return right

    def settle(self, seconds=120):
        right = self.truth()
        self._proxy.strike("reset")
        self._wait(lambda: not right - self.reported(), seconds, f"{right - self.reported()}")

    def mistakes(self):
        right, reported = self.truth(), self.reported()
        assert sum(1 for event, _, _ in right if event == "new") == self.delivered
        return [f"missed: {each}" for each in (right - reported)] \
            + [f"too often: {each}" for each in (reported - right)]
