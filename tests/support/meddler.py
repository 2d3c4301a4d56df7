# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands between a client and a private Dovecot, and makes it another server than it is.

    with Meddler(server.imap) as between:
        between.offer("APPENDLIMIT=1000")            # one more capability
        between.hide("ACL")                          # one less
        between.answer("APPEND", "NO [TOOBIG] no")   # all of those; the server sees none
        between.answer("MYRIGHTS", "* MYRIGHTS {mailbox} lr", "OK done", times=1)
        between.let("APPEND")                        # that is over
        between.tell("SELECT", b"[READ-WRITE]", b"[READ-ONLY]")   # in its tagged answers
        between.sent("APPEND")                       # the first lines of those that came
        between.idled                                # in which mailbox, of each IDLE
        between.replaces = True                      # UID REPLACE (RFC 8508), of APPEND and EXPUNGE
        between.tells_late = True                    # APPENDUID of those in the tagged answer
        ...connect to between.host, between.port...

In an answer {mailbox} is the command's first argument, as it came.  An untagged line begins with
"*", the last one is the tagged answer.  Capabilities are changed wherever they are told.

What it is not: an IMAP server.  It knows lines, literals and tags (imapframes.py).
"""

import contextlib
import re
import socket
import threading

from tests.support import imapframes

_CAPABILITY = re.compile(rb"(\A\* CAPABILITY|\[CAPABILITY)((?: [^\]\r\n ]+)*)")


class Meddler:
    host = "127.0.0.1"

    def __init__(self, port, server="127.0.0.1"):
        self.target = (server, port)
        self.replaces = self.tells_late = False
        self.lines = []              # (NAME, first line) of every command
        self.idled = []
        self.lock = threading.Lock()
        self._offered, self._hidden = [], []
        self._told = {}              # NAME -> (before, after)
        self._answers = {}           # NAME -> [lines, times, having]
        self._sockets = set()
        self._listener = socket.create_server((self.host, 0), backlog=64)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def keys(self):
        """Of an account whose server this is."""
        return {"host": self.host, "port": self.port, "ssl": "false"}

    def cut(self):
        """Ends all connections."""
        with self.lock:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def offer(self, *capabilities):
        self._offered += [capability.encode() for capability in capabilities]

    def connections(self):
        """How many there are."""
        with self.lock:
            return len(self._sockets) // 2

    def withdraw(self, *capabilities):
        """What was offered is not any more."""
        for capability in capabilities:
            self._offered.remove(capability.encode())

    def hide(self, *capabilities):
        self._hidden += [capability.encode() for capability in capabilities]

    def answer(self, name, *lines, times=None, having=""):
        """having: only those whose first line has that in it."""
        with self.lock:
            self._answers[name] = [lines, times, having.encode()]

    def let(self, name):
        with self.lock:
            self._answers.pop(name, None)

    def tell(self, name, before, after):
        with self.lock:
            self._told[name] = (before, after)

    def sent(self, name):
        with self.lock:
            return [line for each, line in self.lines if each == name]

    # The threads of connections

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.target)
            except OSError:
                return
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self._sockets |= {client, server}
            pair = _Pair(self, client, server)
            for run in (pair.up, pair.down):
                threading.Thread(target=self._run, args=(run, client, server),
                                 daemon=True).start()

    def _run(self, run, client, server):
        with contextlib.suppress(OSError):
            run()
        for one in (client, server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self.lock:
            self._sockets -= {client, server}

    def capabilities(self, line):
        def change(found):
            words = [word for word in found[2].split() if word not in self._hidden]
            # Before the login a server tells less; nothing of this matters there.
            return found[1] + b"".join(b" " + word for word in words + self._offered)
        return _CAPABILITY.sub(change, line)

    def tagged(self, name, line):
        with self.lock:
            before, after = self._told.get(name, (b"", b""))
        return line.replace(before, after) if before else line

    def take_answer(self, tag, name, line):
        """The octets of an answer, or None."""
        with self.lock:
            self.lines.append((name, line))
            found = self._answers.get(name)
            if found is None or found[1] == 0 or found[2] not in line:
                return None
            if found[1] is not None:
                found[1] -= 1
        words = line.split()
        mailbox = words[3 if name.startswith("UID ") else 2] if len(words) > 2 else b""
        *untagged, last = [text.encode().replace(b"{mailbox}", mailbox) for text in found[0]]
        return b"".join(text + b"\r\n" for text in [*untagged, tag + b" " + last])


class _Pair:
    """One connection, each direction in a thread of its own."""

    def __init__(self, meddler, client, server):
        self.meddler = meddler
        self.client = client
        self.server = server
        self.replacing = {}          # tag -> UID, until the server has the new one
        self.ending = {}             # our tag -> (tag, answer), until the old one is gone
        self.named = {}              # tag -> NAME, of what the server is doing
        self.selected = None
        self.writing = threading.Lock()

    def up(self):
        frames = imapframes.Frames()
        answered = False             # the command that is coming in was answered already
        while data := self.client.recv(65536):
            for piece in frames.feed(data):
                if piece.first:
                    answered = self._begin(frames, piece)
                elif not answered:
                    self.server.sendall(piece.octets)

    def _begin(self, frames, piece):
        tag, name = imapframes.head(piece.octets)
        answer = self.meddler.take_answer(tag, name, piece.octets) if name else None
        if answer is not None:
            with self.writing:
                self.client.sendall(answer)
            if piece.awaits:
                frames.abandon()
            return True
        octets = piece.octets
        self.named[tag] = name
        if name in ("SELECT", "EXAMINE"):
            self.selected = octets.split()[2].strip(b'"').decode()
        if name == "IDLE":
            self.meddler.idled.append(self.selected)
        if name == "UID REPLACE" and self.meddler.replaces:
            _, _, _, uid, rest = octets.split(b" ", 4)
            self.replacing[tag] = uid
            octets = tag + b" APPEND " + rest
        self.server.sendall(octets)
        return False

    def down(self):
        frames = imapframes.Frames()
        while data := self.server.recv(65536):
            passed = b"".join(self._line(piece) for piece in frames.feed(data))
            with self.writing:
                self.client.sendall(passed)

    def _line(self, piece):
        octets = piece.octets
        if not piece.first:
            return octets
        tag, _, rest = octets.partition(b" ")
        if tag in self.replacing:
            return self._replace(tag, self.replacing.pop(tag), rest)
        if tag in self.ending:
            return self.ending.pop(tag)
        if tag.startswith(b"meddler"):
            return b""
        octets = self.meddler.tagged(self.named.pop(tag, ""), octets)
        return self.meddler.capabilities(octets)

    def _replace(self, tag, uid, rest):
        """The new one is there, or refused."""
        if not rest.startswith(b"OK"):
            return tag + b" " + rest
        code = re.search(rb"\[APPENDUID [^\]]*\]", rest)
        late = self.meddler.tells_late
        self.ending[b"meddler2"] = tag + b" OK %sreplaced\r\n" % (code[0] + b" " if late else b"")
        self.server.sendall(b"meddler1 UID STORE %s +FLAGS.SILENT (\\Deleted)\r\n"
                            b"meddler2 UID EXPUNGE %s\r\n" % (uid, uid))
        return b"" if late else b"* OK %s ready\r\n" % code[0]
