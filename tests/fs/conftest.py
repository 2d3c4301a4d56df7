# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the mount share: a mounted account, and waiting for something to come true."""

import contextlib
import os
import subprocess
import time

import pytest


@pytest.fixture
def mount(program, account, tmp_path):
    """with mount() as directory: a mounted account; unmounted at the end, whatever happened."""
    @contextlib.contextmanager
    def make(keys=None, options=()):
        directory = tmp_path / "mnt"
        directory.mkdir(exist_ok=True)
        environment = {**os.environ, "HOME": str(tmp_path), "LANG": "C.UTF-8",
                       "XDG_CACHE_HOME": str(tmp_path / "cache"),
                       "XDG_STATE_HOME": str(tmp_path / "state")}
        command = [program("mailrack-mount"), "--config", account(keys), *options, directory]
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stderr
        try:
            yield directory
        finally:
            subprocess.run(["fusermount3", "-u", directory], check=True, timeout=30)
            assert not os.path.ismount(directory)
    return make


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
