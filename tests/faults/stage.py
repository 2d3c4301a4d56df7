# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mailboxes that a campaign plays on: made, looked at and put back by imaplib, past the proxy.

    stage = Stage(server, "bob")
    state = stage.restore()                # as BASE says, whatever they were
    state = stage.look()                   # {mailbox: [imapbox.Message, ...]}
    contents(state)                        # {mailbox: Counter of (sha256, flags)}: to compare

Work has three messages, of which the last is another's: they marked it \\Deleted and may still
change their mind.  What the server makes by itself (Drafts, ...) is left out.

What it is not: something that Mailrack's code takes part in.
"""

import collections
import hashlib
import imaplib
import re
import time

from tests.support import imapbox

PATIENCE = 5                    # seconds for what takes a fraction of one
STATUS = "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ"
OURS = ("INBOX", "Drafts", "Junk", "Sent", "Trash", "Archive")


def letter(number, size=0):
    """A small message, different for each number."""
    text = f"From: a@b.test\r\nSubject: {number}\r\nMessage-ID: <{number}@b.test>\r\n\r\n"
    return text.encode() + b"text\r\n" + b"".join(b"%070d\r\n" % n for n in range(size // 72))


NEW = letter("new")
BASE = {
    "Work": [(letter(1), ()), (letter(2), ("\\Seen", "$Project")), (letter(3), ("\\Deleted",))],
    "Target": [(letter(4), ("\\Flagged",))],
    "Old": [(letter(5), ("\\Seen",))],
}


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def contents(state):
    return {mailbox: collections.Counter((each.sha256, each.flags) for each in messages)
            for mailbox, messages in state.items()}


def base_contents():
    return {mailbox: collections.Counter((digest(octets), frozenset(flags))
                                         for octets, flags in messages)
            for mailbox, messages in BASE.items()}


class Stage:
    def __init__(self, server, user):
        self.server, self.user = server, user
        self.connection = server.connect(user)
        self._known = {}         # mailbox: (its STATUS, its messages)
        self.octets = {digest(octets): octets for messages in BASE.values()
                       for octets, _ in messages}
        self.octets[digest(NEW)] = NEW

    def reconnect(self):
        """After the server or a session was killed."""
        self.connection.shutdown()
        self.connection = self.server.connect(self.user)

    def recover(self):
        """After a session was killed: Dovecot repairs what others have open, and ends them."""
        for _ in range(10):
            self.reconnect()
            try:
                for name in self.look_everywhere():
                    imapbox.truth(self.connection, name, bodies=False)
                return
            except imaplib.IMAP4.abort:
                continue
        raise RuntimeError("the server does not recover")

    def close(self):
        self.connection.logout()

    def look(self):
        """What the server has now.  A mailbox is read again when its STATUS has changed."""
        return {name: found for name, found in self.look_everywhere().items() if name not in OURS}

    def look_everywhere(self):
        """Those too that the server makes by itself."""
        found = {}
        for name, status in self._statuses():
            known = self._known.get(name)
            if not known or known[0] != status:
                known = self._known[name] = status, imapbox.truth(self.connection, name)
            found[name] = known[1]
        return found

    def _statuses(self):
        connection = self.connection
        answer = connection._simple_command("LIST", '""', '"*"', f"RETURN (STATUS ({STATUS}))")
        imapbox._check(answer, "LIST")
        names = [re.fullmatch(r'\(.*?\) "?.+?"? "?(.*?)"?', line.decode())[1]
                 for line in connection._untagged_response(*answer, "LIST")[1]]
        statuses = dict(re.fullmatch(r'"?(.*?)"? (\(.*\))', line.decode()).groups()
                        for line in connection._untagged_response(*answer, "STATUS")[1])
        return [(name, statuses[name]) for name in names]

    def restore(self, state=None):
        """Make everything as BASE says, and tell how it is."""
        state = self.look() if state is None else state
        wanted, found = base_contents(), contents(state)
        if wanted == found:
            return state
        for name in found.keys() - wanted.keys():
            imapbox._check(self.connection.delete(name), f"DELETE {name}")
        for name in wanted:
            if name not in found:
                imapbox._check(self.connection.create(name), f"CREATE {name}")
            if wanted[name] != found.get(name):
                self._repair(name, wanted[name], state.get(name, []))
        state = self.look()
        assert contents(state) == wanted
        return state

    def _repair(self, name, wanted, messages):
        wanted = collections.Counter(wanted)
        imapbox._check(self.connection.select(name), f"SELECT {name}")
        surplus = []
        for message in messages:
            key = message.sha256, message.flags
            if wanted[key]:
                wanted[key] -= 1
            else:
                surplus.append(str(message.uid))
        if surplus:
            self._uid("STORE", ",".join(surplus), "+FLAGS.SILENT", "(\\Deleted)")
            self._uid("EXPUNGE", ",".join(surplus))
        for (sha256, flags), count in wanted.items():
            for _ in range(count):
                imapbox._check(self.connection.append(name, f"({' '.join(flags)})", None,
                                                      self.octets[sha256]), f"APPEND to {name}")
        self.connection.unselect()

    def _uid(self, *words):
        return imapbox._check(self.connection.uid(*words), " ".join(words))

    # What another client does at the cut

    def renew(self, name="Work"):
        """The mailbox is made anew: another UIDVALIDITY, the same messages in another order, so
        that a UID of before is another message now."""
        messages = {each.uid: each for each in imapbox.truth(self.connection, name)}
        while (answer := self.connection.delete(name))[0] != "OK":
            # Refused because others came, but those that it knew are gone by then.
            if b"New mails" not in answer[1][0]:
                imapbox._check(answer, f"DELETE {name}")
            messages |= {each.uid: each for each in imapbox.truth(self.connection, name)}
        again = [message for _, message in sorted(messages.items(), reverse=True)]
        while not self._make_with(name, again):
            self.connection.delete(name)

    def _make_with(self, name, messages):
        """False: Dovecot is not done with the old one, and will not be."""
        deadline = time.monotonic() + PATIENCE
        self.connection.create(name)
        for message in messages:
            item = name, f"({' '.join(message.flags)})", None, self.octets[message.sha256]
            while (answer := self.connection.append(*item))[0] != "OK":
                if b"deleted under us" not in answer[1][0]:
                    imapbox._check(answer, "APPEND")
                if time.monotonic() > deadline:
                    return False
        return True

    def _uid_in_work(self, number):
        imapbox._check(self.connection.select("Work"), "SELECT Work")
        wanted = digest(BASE["Work"][number][0])
        return next((str(each.uid) for each in self._known["Work"][1] if each.sha256 == wanted), "")

    def replace_both(self):
        """Another client puts the first two of Work there again and takes the old ones out."""
        ours = [digest(octets) for octets, _ in BASE["Work"][:2]]
        old = [each for each in imapbox.truth(self.connection, "Work") if each.sha256 in ours]
        for message in old:
            imapbox._check(self.connection.append("Work", f"({' '.join(message.flags)})", None,
                                                  self.octets[message.sha256]), "APPEND")
        imapbox._check(self.connection.select("Work"), "SELECT Work")
        uids = ",".join(str(each.uid) for each in old)
        self._uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted)")
        self._uid("EXPUNGE", uids)
        self.connection.unselect()

    def take_first(self):
        """Another client expunges the first message of Work."""
        uid = self._uid_in_work(0)
        self._uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)")
        self._uid("EXPUNGE", uid)
        self.connection.unselect()

    def move_second(self):
        """Another client moves the second to Old."""
        self._uid("MOVE", self._uid_in_work(1), "Old")
        self.connection.unselect()

    def mark_both(self):
        """Another client has answered the first two of Work, if they are there."""
        for number in (0, 1):
            self._uid("STORE", self._uid_in_work(number), "+FLAGS.SILENT", "(\\Answered)")
        self.connection.unselect()
