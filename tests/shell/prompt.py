# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell in a terminal of its own, for tests that type and look; the fixture `prompt` makes one.

    with prompt() as terminal:                 # a fresh user's account, connected
        terminal.run("ls")
        terminal.wait_last("work>")
"""

import time

from tests.fs.terminal import Terminal


class Prompt(Terminal):
    """A shell at its prompt."""

    def run(self, line):
        self.type(line)
        self.keys("Enter")

    def press(self, key, condition, seconds=60):
        """Presses a key until it is heard: Ctrl-C before it takes with it what was typed."""
        deadline = time.monotonic() + seconds
        while not condition(self.screen()):
            assert time.monotonic() < deadline, "\n".join(self.screen())
            self.keys(key)
            time.sleep(0.1)

    def wait_text(self, text, seconds=60):
        """Until it is somewhere on the screen."""
        return self.wait_for(lambda screen: any(text in line for line in screen), seconds)

    def wait_last(self, text, seconds=60):
        """Until the last line that is not empty is this."""
        return self.wait_for(lambda screen: last(screen) == text.rstrip(), seconds)


def last(screen):
    """The last line that is not empty."""
    return next((line for line in reversed(screen) if line), "")
