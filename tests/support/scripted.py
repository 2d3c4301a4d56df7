#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that plays a golden dialogue (dialogue.py) to one client after the other.

    with Scripted("tests/dialogues/login-refused.txt", certificates, password="x") as server:
        ...connect to server.host, server.port...
    # leaving the block waits for the end of the dialogue and raises Mismatch with the transcript

    scripted.py FILE --certs DIR [--how tls] [NAME=VALUE ...]     prints PORT= and READY=1, exits
                                                                  with 0 when all was as written

`how` plays a dialogue written for a plain connection over another one: "plain", "tls" (from the
first byte) or "starttls" (a fixed STARTTLS phase comes first, and then the dialogue without its
greeting).  None takes what the file says.  Named arguments are values for {name} in the file.

What it is not: an IMAP server.  It knows no command; what is not written is a mismatch.
"""

import argparse
import pathlib
import select
import socket
import ssl
import struct
import sys
import threading
import time
import warnings

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.support import certs, dialogue  # noqa: E402

_VERSIONS = {"TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1,
             "TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

_STARTTLS = """\
S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
always: {tag} CAPABILITY
  S: * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
  S: {tag} OK done
C: {tag} STARTTLS
S: {tag} OK begin
starttls:
"""


class Mismatch(AssertionError):
    """The client did not keep to the dialogue; str() is the transcript."""


class _Done(Exception):
    """The dialogue closed the connection."""


class Scripted:
    host = "localhost"

    def __init__(self, source, certificates=None, how=None, port=0, certificate=None, **values):
        """source: a path, or the text of a dialogue (recognised by its line breaks)."""
        self.dialogue = dialogue.parse(source) if "\n" in str(source) else dialogue.load(source)
        self.options = self.dialogue.options
        if certificate:
            self.options["certificate"] = certificate
        self.how = how
        self.certificates = certificates
        self._listener = socket.create_server(("127.0.0.1", port), backlog=16)
        self.port = self._listener.getsockname()[1]
        self.values = {"host": self.host, "port": self.port, **values}
        self.conversations = []
        self._threads = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def start(self):
        self._accepting.start()
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, *_):
        if kind is None:
            self.finish()
            return
        mismatched = any(each.problem for each in self.conversations)
        self.close()
        if mismatched:               # then this is why the test failed
            raise Mismatch(self.transcript()) from error
        print(self.transcript(), file=sys.stderr)

    def _accept(self):
        for number, steps in enumerate(self.dialogue.connections):
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            conversation = _Conversation(self, stream, self._steps(steps))
            self.conversations.append(conversation)
            thread = threading.Thread(target=conversation.run, daemon=True)
            self._threads.append(thread)
            thread.start()
        # A connection too many is refused, not left waiting.
        self._stop_listening()

    def _steps(self, steps):
        if self.how != "starttls":
            return steps
        greeting = next(index for index, step in enumerate(steps) if step.kind == "S")
        first = dialogue.parse(_STARTTLS, "starttls").connections[0]
        return first + steps[:greeting] + steps[greeting + 1:]

    @property
    def implicit(self):
        return self.how == "tls" if self.how else self.options["tls"] == "implicit"

    def context(self):
        """The server's side of TLS as the options say."""
        pair = self.certificates[self.options["certificate"]]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.chain, pair.key)
        lowest, highest = self.options["tls-versions"].split()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = _VERSIONS[lowest]
            context.maximum_version = _VERSIONS[highest]
        if _VERSIONS[lowest] < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        if self.options["alpn"]:
            context.set_alpn_protocols(self.options["alpn"].split())
        return context

    def wait(self, seconds):
        """Wait until a client has come for each connection of the dialogue."""
        self._accepting.join(seconds)

    def finish(self, seconds=30):
        """Wait until all connections of the dialogue were played; raise Mismatch if one was not
        as written or never came."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        self._accepting.join(0.5)    # a client that is done does not connect again
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        missing = len(self.dialogue.connections) - len(self.conversations)
        unfinished = any(thread.is_alive() for thread in self._threads)
        self.close()
        if missing or unfinished or any(each.problem for each in self.conversations):
            raise Mismatch(self.transcript()
                           + (f"\n{missing} connection(s) of the dialogue never came" if missing
                              else "\nthe dialogue did not come to its end" if unfinished else ""))

    def _stop_listening(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)      # wakes accept(), which close() does not
        except OSError:
            pass
        self._listener.close()

    def close(self):
        self._stop_listening()
        for conversation in self.conversations:
            conversation.abandon()

    def transcript(self):
        return "\n".join(f"--- {self.dialogue.path}, connection {number}\n{each.transcript()}"
                         for number, each in enumerate(self.conversations, 1))


class _Conversation:
    """One connection and how far it got."""

    def __init__(self, server, stream, steps):
        self.server = server
        self.stream = stream
        self.steps = steps
        self.problem = None
        self.values = dict(server.values)
        self.patience = float(server.options["patience"])
        self.always = {}             # pattern -> steps
        self.log = []
        self.received = b""
        self.outgoing = b""
        self.segment = 0
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        try:
            if self.server.implicit:
                self._handshake(self.server.options["handshake"] == "fails")
            for step in self.steps:
                self._play(step)
            self._end()
        except _Done:
            pass
        except (OSError, Mismatch) as problem:
            self.problem = str(problem) or type(problem).__name__
            self.log.append(f"!! {self.problem}")
            self._abort()

    def transcript(self):
        return "\n".join(self.log)

    def abandon(self):
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # Steps

    def _play(self, step):
        if step.kind == "S":
            self._send(dialogue.expand(step.text, self.values) + b"\r\n")
        elif step.kind == "S-raw":
            self._send(dialogue.expand(step.text, self.values, escapes=True))
        elif step.kind == "segments":
            self._flush()
            self.segment = int(step.text)
        elif step.kind == "always":
            self.always[step.text] = step.block
        else:
            self._flush()
            getattr(self, "_play_" + step.kind.lower().replace("-", "_"))(step)

    def _play_c(self, step):
        while True:
            line = self._line(step)
            if dialogue.match(step.text, line, self.values):
                return
            try:
                known = self._play_always(line)
            except _Done:
                self._mismatch(step, line)
            if not known:
                self._mismatch(step, line)

    def _play_always(self, line):
        for pattern, block in self.always.items():
            if dialogue.match(pattern, line, self.values):
                for inner in block:
                    self._play(inner)
                self._flush()
                return True
        return False

    def _play_maybe(self, step):
        line = self._line(step, keep=True)
        if dialogue.match(step.text, line, self.values):
            self._line(step)
            for inner in step.block:
                self._play(inner)

    def _play_c_raw(self, step):
        expected = dialogue.expand(step.text, self.values, escapes=True)
        got = self._octets(len(expected), step)
        if got != expected:
            self._mismatch(step, got)

    def _play_c_octets(self, step):
        name = step.text.strip()
        self._octets(int(self.values[name] if name in self.values else name), step)

    def _play_c_eof(self, step):
        patience = float(step.text or self.patience)
        more = self.received or self._receive(step, patience)
        self.received = b""
        if more:
            self._note("C", more)
            self._mismatch(step, more)
        self.log.append("C  closed")

    def _play_pause(self, step):
        time.sleep(float(step.text))

    def _play_starttls(self, step):
        self.always.clear()
        if self.received or select.select([self.stream], [], [], 0)[0] and self._early():
            self._mismatch(step, self.received)
        self._handshake(step.text == "fails")

    def _early(self):
        """Whether what already lies there is not the beginning of a TLS handshake."""
        self.received = self.stream.recv(1, socket.MSG_PEEK)
        early = self.received not in (b"\x16", b"")
        self.received = self.received if early else b""
        return early

    def _play_close(self, step):
        if step.text != "abrupt":
            self._goodbye()
        self.log.append("S  closes" + (f" ({step.text})" if step.text else ""))
        self.stream.close()
        raise _Done

    def _play_reset(self, step):
        self.log.append("S  resets")
        self._abort()
        raise _Done

    # The wire

    def _handshake(self, must_fail):
        self.stream.settimeout(self.patience)
        try:
            self.stream = self.server.context().wrap_socket(
                self.stream, server_side=True, suppress_ragged_eofs=True,
                do_handshake_on_connect=True)
        except OSError as error:
            if not must_fail:
                raise Mismatch(f"the TLS handshake failed: {error}") from error
            self.log.append(f"-- the client refused TLS: {error}")
            raise _Done from error
        if must_fail:
            # In TLS 1.3 the server is done before the client has judged; its alert comes as the
            # first thing there is to read, and application data in its place is the failure.
            self._refused_late()
        self.log.append(f"-- {self.stream.version()}")

    def _refused_late(self):
        try:
            got = self.stream.recv(1)
        except OSError as error:
            self.log.append(f"-- the client refused TLS: {error}")
            raise _Done from error
        if not got:
            self.log.append("-- the client closed after the handshake, without an octet")
            raise _Done
        raise Mismatch(f"the client accepted TLS and sent {got!r}")

    def _send(self, data):
        self.outgoing += data

    def _flush(self):
        data, self.outgoing = self.outgoing, b""
        if not data:
            return
        self._note("S", data)
        self.stream.settimeout(self.patience)
        if not self.segment:
            self.stream.sendall(data)
            return
        for at in range(0, len(data), self.segment):
            self.stream.sendall(data[at:at + self.segment])
            time.sleep(0.0002)       # or the kernel joins them again

    def _receive(self, step, patience=None):
        self.stream.settimeout(patience or self.patience)
        try:
            return self.stream.recv(65536)
        except (TimeoutError, socket.timeout):
            self._mismatch(step, None, patience)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            return b""

    def _line(self, step, keep=False):
        while b"\r\n" not in self.received:
            more = self._receive(step)
            if not more:
                self._mismatch(step, self.received, closed=True)
            self.received += more
        line, _, rest = self.received.partition(b"\r\n")
        if not keep:
            self.received = rest
            self._note("C", line + b"\r\n")
        return line

    def _octets(self, count, step):
        while len(self.received) < count:
            more = self._receive(step)
            if not more:
                self._mismatch(step, self.received, closed=True)
            self.received += more
        got, self.received = self.received[:count], self.received[count:]
        self._note("C", got)
        return got

    def _end(self):
        """After the last step the client may say what `always` knows, and leave."""
        self._flush()
        last = dialogue.Step("C-eof", "the end of the dialogue", 0, [])
        while True:
            while b"\r\n" not in self.received:
                more = self._receive(last)
                if not more and self.received:
                    self._mismatch(last, self.received)
                if not more:
                    self.stream.close()
                    return
                self.received += more
            line = self._line(last)
            if not self._play_always(line):
                self._mismatch(last, line)

    def _goodbye(self):
        if isinstance(self.stream, ssl.SSLSocket):
            self.stream.settimeout(0.01)
            try:
                self.stream = self.stream.unwrap()
            except OSError:
                pass                 # close_notify is out; we do not wait for theirs

    def _abort(self):
        try:
            self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.stream.close()
        except OSError:
            pass

    def _note(self, side, data):
        for line in data.splitlines(keepends=True):
            text = line.decode("utf-8", "backslashreplace")
            if text.endswith("\r\n"):
                text = text[:-2]
            else:
                text += " (no CRLF)"
            if len(text) > 300:
                text = f"{text[:200]} ... {len(line)} octets"
            self.log.append(f"{side}: {text}")

    def _mismatch(self, step, got, patience=None, closed=False):
        where = f"{self.server.dialogue.path}:{step.line}"
        if got is None:
            told = f"nothing in {patience or self.patience:g} s"
            told += f", only {self.received!r}" if self.received else ""
        elif closed:
            told = "the end of the connection" + (f" after {got!r}" if got else "")
        else:
            told = repr(got)
        raise Mismatch(f"{where}\n   expected {step.kind}: {step.text}\n   got      {told}")


def main():
    parser = argparse.ArgumentParser(description="Play a golden dialogue to a client.")
    parser.add_argument("file")
    parser.add_argument("--certs", help="directory of certs.py")
    parser.add_argument("--how", choices=("plain", "tls", "starttls"))
    parser.add_argument("--certificate", help="a row of certs.py instead of the file's")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60, help="how long to wait for the end")
    parser.add_argument("values", nargs="*", metavar="NAME=VALUE")
    options = parser.parse_args()
    values = dict(pair.split("=", 1) for pair in options.values)
    server = Scripted(options.file, certs.Certs(options.certs) if options.certs else None,
                      options.how, options.port, options.certificate, **values).start()
    print(f"PORT={server.port}\nREADY=1", flush=True)
    server.wait(options.seconds)
    try:
        server.finish(options.seconds)
    except Mismatch as problem:
        print(problem, file=sys.stderr)
        return 1
    print(server.transcript())
    return 0


if __name__ == "__main__":
    sys.exit(main())
