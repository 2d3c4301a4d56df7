# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program in a terminal of its own (tmux on its own socket), for tests that type and look."""

import os
import subprocess
import time


class Terminal:
    """with Terminal(tmp_path, ["less", path], columns=100, rows=30) as terminal: ..."""

    def __init__(self, place, command, columns=100, rows=30, env=None):
        self.socket = place / "tmux"
        self.command = ["env", "LC_ALL=C.UTF-8", *(f"{k}={v}" for k, v in (env or {}).items()),
                        *map(str, command)]
        self.size = ["-x", str(columns), "-y", str(rows)]

    def __enter__(self):
        self._tmux("new-session", "-d", *self.size, *self.command)
        self.process = self._tmux("list-panes", "-F", "#{pane_pid}").strip()
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False,
                       stderr=subprocess.DEVNULL)        # it may have ended with the program
        self.wait_for_end()

    def _tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], check=True,
                              capture_output=True, text=True, timeout=30).stdout

    def screen(self):
        return [line.rstrip() for line in self._tmux("capture-pane", "-p").splitlines()]

    def raw_screen(self):
        """With the escape sequences that colour it."""
        return self._tmux("capture-pane", "-p", "-e")

    def type(self, text):
        """As it is, without Enter."""
        self._tmux("send-keys", "-l", "--", text)

    def paste(self, text):
        """As terminals paste: line ends and all, bracketed where the program has asked for it."""
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def keys(self, *keys):
        """As tmux names them: "G", "Enter"."""
        self._tmux("send-keys", *keys)

    def wait_for(self, condition, seconds=60):
        """Until condition(screen) is true; a text means that a line begins with it."""
        test = condition if callable(condition) else \
            lambda screen: any(line.startswith(condition) for line in screen)
        deadline = time.monotonic() + seconds
        while not test(screen := self.screen()):
            assert time.monotonic() < deadline, "\n".join(screen)
            time.sleep(0.05)
        return screen

    def wait_for_end(self, seconds=60):
        """Until the program is gone, and with it the files it had open."""
        deadline = time.monotonic() + seconds
        while os.path.exists(f"/proc/{self.process}"):
            assert time.monotonic() < deadline, "the program does not end"
            time.sleep(0.02)
