# SPDX-License-Identifier: LGPL-2.1-or-later
"""What faultproxy.py does to one connection: counting the octets of each command and striking.

Faults are described there.  Everything here runs in the proxy's thread.

What it is not: something to use alone.
"""

import dataclasses
import os
import random
import selectors
import signal
import typing

from tests.support import faultleg, imapframes

KINDS = tuple(f"F{number}" for number in range(1, 15))
FULL = 1 << 20                   # octets that wait for one side before the other is read no more


@dataclasses.dataclass
class Fault:
    kind: str
    command: str = ""            # "APPEND", "UID MOVE"
    direction: str = "down"
    offset: int | None = 0       # of F8: None is all in front of the tagged answer
    nth: int = 1                 # which of the commands of that name
    seconds: float = 0.0
    code: str = "UNAVAILABLE"
    mode: str = ""
    cut: str = "F2"
    hook: typing.Callable | None = None
    seed: int = 1
    then: "Fault | None" = None  # of F10: armed when that is said; only this one counts as struck

    def __post_init__(self):
        if self.kind not in KINDS or self.direction not in ("up", "down"):
            raise ValueError(f"no such fault: {self}")

    @property
    def holds(self):
        """Whether it needs whole responses rather than octets."""
        return self.kind in ("F8", "F14") or self.kind == "F9" and self.direction == "down"


@dataclasses.dataclass
class Command:
    """What passed of one command."""
    name: str
    tag: bytes
    up: int = 0
    size: int = 0                # of its pieces before the last, passed or not
    down: int = 0
    whole: bool = False          # all of it went up
    answer: str = ""             # "OK", "NO", "BAD" once the client has all of it


class Link:
    """One client with its connection to the server."""

    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.client, self.server = client, server
        self.up, self.down = imapframes.Frames(), imapframes.Frames()
        self.connecting = Command("", b"")       # what offsets without a command count by
        self.current = None                      # the command whose octets come up
        self.open = []                           # commands without an answer yet
        self.cut_off = False
        self.silent = False                      # F5
        self.paused = False                      # F6
        self._backlog = []                       # (direction, piece) of a pause
        self._responding = b""                   # the tag of the response that comes down
        self._held = []                          # responses that wait (F8, F9, F14)
        self.fault = proxy.take_fault("")
        self.target = self.connecting if self.fault else None
        self.step()

    # Octets in and out

    @property
    def ending(self):
        return self.cut_off and not self.server.ended

    @property
    def dripping(self):
        return not self.paused and (self.client.dripping or self.server.dripping)

    def step(self):
        """Send what waits, and say what is waited for next."""
        for leg, other, take in ((self.client, self.server, self._from_client),
                                 (self.server, self.client, self._from_server)):
            if leg.closed:
                continue
            if leg.dripping:
                leg.drip()
            elif leg.waiting:
                leg.flush()
            reads = not leg.ended and (leg is self.client and self.silent or not self.paused)
            reads = reads and (other.waiting < FULL or self.cut_off)
            events = (selectors.EVENT_READ if reads else 0)
            events |= selectors.EVENT_WRITE if leg.waiting and not leg.dripping else 0
            self.proxy.watch(leg, events, take)
        if self.client.ended and self.server.ended and not (self.client.waiting or self.paused):
            self.end()

    def end(self):
        for leg in (self.client, self.server):
            self.proxy.watch(leg, 0, None)
            if not leg.closed:
                leg.close()
        self.proxy.forget(self)

    def _from_client(self, _):
        data = self.client.receive()
        if data == b"":
            self.server.finish()
            self.cut_off = True
        elif data and not self.cut_off and not self.silent:
            for piece in self.up.feed(data):
                self._pass("up", piece)
        self.step()

    def _from_server(self, _):
        data = self.server.receive()
        if data == b"" and not self.cut_off and not self.silent:
            self.client.finish()
        elif data and not self.cut_off and not self.silent:
            for piece in self.down.feed(data):
                self._pass("down", piece)
        self.step()

    def _pass(self, direction, piece):
        if self.paused:
            self._backlog.append((direction, piece))
        elif not self.cut_off and not self.silent:
            (self._go_up if direction == "up" else self._go_down)(piece)

    # Up

    def _go_up(self, piece):
        if piece.first:
            self._begin(*imapframes.head(piece.octets))
        if self._is_target(self.current) and self.fault.kind == "F10":
            self._refuse_command(piece)
            return
        commands = [self.current] if self.current else []
        self._cut_piece("up", piece.octets, commands, piece.last)
        if piece.last and self.current:
            self.current.whole = self.current.up >= self.current.size + len(piece.octets)
            self.current = None
        elif self.current:
            self.current.size += len(piece.octets)

    def _begin(self, tag, name):
        self.current = None
        if not name:
            return
        self.current = Command(name, tag)
        self.open.append(self.current)
        self.proxy.commands.append(self.current)
        if self.fault is None:
            self.fault = self.proxy.take_fault(name)
            self.target = self.current

    def _refuse_command(self, piece):
        command = self.current
        if piece.awaits and self.fault.mode != "early":
            self.client.send(b"+ go ahead\r\n")
        if piece.last or piece.awaits and self.fault.mode == "early":
            answer = b"%s NO [%s] Not now\r\n" % (command.tag, self.fault.code.encode())
            command.answer = "NO"
            self.up.abandon()
            self.open.remove(command)
            then = self.fault.then
            self._done(struck=then is None)
            if then:
                self.proxy.arm_next(then)
            self.client.send(answer)

    # Down

    def _go_down(self, piece):
        if piece.first:
            self._responding = piece.octets.split(b" ", 1)[0]
        answered = next((each for each in self.open if each.tag == self._responding), None)
        if self._responding != b"+" and self.fault and self.fault.holds \
                and self.target in (*self.open, self.connecting):
            self._hold(piece, self._is_target(answered))
        else:
            ends = piece.last and self._is_target(answered)
            self._cut_piece("down", piece.octets, self.open, ends)
        if answered and piece.last:
            self._answer(answered, piece)

    def _answer(self, command, piece):
        words = piece.octets.split(None, 2)
        command.answer = words[1].decode("latin-1").upper() if len(words) > 1 else ""
        self.open.remove(command)
        if command is self.current and self.up.abandon():
            self.current = None
        if self._is_target(command):             # it was over before the fault's offset
            self.disarm()

    def _hold(self, piece, answers):
        """F8, F9 and F14 need whole responses."""
        if piece.first:
            self._held.append(b"")
        self._held[-1] += piece.octets
        if not piece.last:
            return
        fault, held = self.fault, self._held
        if fault.kind == "F9":
            passes = fault.offset is None or self.target.down + len(held[0]) <= fault.offset
            if passes:
                self._send_down(held.pop())
            if not passes or answers and fault.offset is None:
                self._strike()
        elif answers and fault.kind == "F8":
            whole = b"".join(held if fault.offset is not None else held[:-1])
            passes = len(whole) if fault.offset is None else fault.offset - self.target.down
            self._send_down(whole[:max(passes, 0)])
            self._strike()
        elif answers:
            self._held = []
            self._done()
            for each in _disorder(held[:-1], fault) + held[-1:]:
                self._send_down(each)

    def _send_down(self, octets, commands=None):
        for command in (*(self.open if commands is None else commands), self.connecting):
            command.down += len(octets)
        self.client.send(octets)

    # The fault

    def _is_target(self, command):
        return self.fault is not None and command is not None and command is self.target

    def disarm(self):
        self.fault = self.target = None
        held, self._held = self._held, []
        if not self.cut_off and not self.silent:
            self.client.send(b"".join(held))

    def _done(self, struck=True):
        self.fault = self.target = None
        if struck:
            self.proxy.strikes()

    def _cut_piece(self, direction, octets, commands, ends):
        """Pass a piece on as far as the fault lets it.  ends: all of its command or answer passed
        with it."""
        left = None
        if self.fault and self.fault.direction == direction and not self.fault.holds \
                and (self.target in commands or self.target is self.connecting):
            left = self._octets_left(direction, len(octets), ends)
        if left is None or left > len(octets):
            self._forward(direction, octets, commands)
            return
        self._forward(direction, octets[:left], commands)
        self._strike()
        if self.paused:
            self._backlog.append((direction, imapframes.Piece(octets[left:], False, False, False)))
        elif not self.cut_off and not self.silent:
            self._forward(direction, octets[left:], commands)

    def _octets_left(self, direction, size, ends):
        if self.fault.offset is not None:
            return self.fault.offset - getattr(self.target, direction)
        return size if ends else size + 1

    def _forward(self, direction, octets, commands):
        if direction == "down":
            self._send_down(octets, commands)
            return
        for command in (*commands, self.connecting):
            command.up += len(octets)
        self.server.send(octets)

    def _strike(self):
        fault = self.fault
        self.fault = self.target = None
        if fault.kind == "F11" and not fault.hook:
            process = faultleg.session_of(self.server.sock)
            if process:
                self.proxy.sessions.add(process)
                os.kill(process, signal.SIGKILL)
        elif fault.hook:
            fault.hook()
        cut = {"F2": "F2", "F3": "F3", "F4": "F4", "F1": "F3", "F9": "F4", "F5": "", "F6": "",
               "F7": ""}.get(fault.kind, fault.cut)
        if fault.kind == "F5":
            self.silent = True
        elif fault.kind == "F6":
            self.paused = True
            self.proxy.after(fault.seconds, self._resume)
        elif fault.kind == "F7":
            self.client.single = self.server.single = True
        if fault.kind == "F1":
            self.proxy.refuse(fault)
        if cut:
            self._cut(cut, b"* BYE Not any longer\r\n" if fault.kind == "F9" else b"")
        else:
            self.proxy.strikes()

    def _cut(self, kind, farewell=b""):
        self.cut_off = True
        if kind == "F3":
            self.break_off()
            return
        self.proxy.strikes()                     # before the client can know
        self.client.send(farewell)
        self.client.finish(notify=kind == "F4")
        self.server.finish()

    def recover(self):
        """From an F5 or F7."""
        self.client.single = self.server.single = False
        if self.silent:
            self.break_off()

    def break_off(self):
        process = faultleg.session_of(self.server.sock)
        if process:
            self.proxy.sessions.add(process)
        self.proxy.strikes()                     # before the client can know
        for leg in (self.client, self.server):
            self.proxy.watch(leg, 0, None)
            leg.reset()
        self.proxy.forget(self)

    def _resume(self):
        self.paused = False
        backlog, self._backlog = self._backlog, []
        for direction, piece in backlog:
            self._pass(direction, piece)
        self.step()


def _disorder(responses, fault):
    if fault.mode == "twice":
        return [each for each in responses for _ in range(2)]
    if fault.mode == "reversed":
        return responses[::-1]
    shuffled = list(responses)
    random.Random(fault.seed).shuffle(shuffled)
    return shuffled
