# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a mount: service managers, fstab, unmounting, crashes, unwanted readers."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from tests.fs.conftest import environment_of, unmount, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]


def answers(directory):
    try:
        return "INBOX" in os.listdir(directory)
    except OSError:
        return False


@pytest.fixture
def foreground(program, account, tmp_path):
    """with foreground() as (process, directory): a mount that stays the child of the test."""
    @contextlib.contextmanager
    def make(**environment):
        directory = tmp_path / "mnt"
        with contextlib.suppress(FileExistsError): # what died may be mounted there
            directory.mkdir()
        command = [program("mailrack-mount"), "--foreground", "--config", account(), directory]
        with subprocess.Popen(command, env={**environment_of(tmp_path), **environment},
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_for(lambda: answers(directory) or process.poll() is not None)
                assert process.poll() is None, process.stderr.read()
                yield process, directory
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                process.wait(30)
    return make


@pytest.fixture
def umount(program):
    """umount(...) runs mailrack umount."""
    return lambda *words: subprocess.run([program("mailrack"), "umount", *words], text=True,
                                         capture_output=True, timeout=60, check=False)


def test_service_managers_hear_of_it(foreground, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        with foreground(NOTIFY_SOCKET=str(path)) as (process, directory):
            lines = manager.recv(4096).decode().splitlines()
            assert lines[0] == "READY=1" and lines[1].startswith("STATUS=")
            assert "INBOX" in os.listdir(directory)
            process.send_signal(signal.SIGTERM)
            assert manager.recv(4096).decode().splitlines()[0] == "STOPPING=1"
            assert process.wait(30) == 0
            assert not os.path.ismount(directory)


def test_what_a_crash_left_is_cleaned(foreground):
    with foreground() as (process, directory):
        process.kill()
        process.wait(30)
        with pytest.raises(OSError):
            os.listdir(directory)
    with foreground() as (process, directory):
        assert "INBOX" in os.listdir(directory)
        process.send_signal(signal.SIGTERM)
        _, complaint = process.communicate(timeout=30)
        assert "cleaned the leftover of a mount that died" in complaint


def test_umount(mount, umount, tmp_path):
    with mount() as directory:
        with subprocess.Popen(["sleep", "600"], cwd=directory) as busy:
            done = umount(directory)
            assert done.returncode == 75 and f"sleep ({busy.pid})" in done.stderr
            assert os.path.ismount(directory)
            busy.kill()
        link = tmp_path / "link"
        link.symlink_to(directory)
        done = umount(link)
        assert done.returncode == 0, done.stderr
        assert not os.path.ismount(directory)
        done = umount(directory)
        assert done.returncode == 64 and "nothing is mounted there" in done.stderr
        done = umount("/proc")
        assert done.returncode == 64 and "not mail but proc" in done.stderr
        assert os.path.ismount("/proc")
    with mount() as directory, subprocess.Popen(["sleep", "600"], cwd=directory) as busy:
        done = umount("--lazy", directory)
        assert done.returncode == 0 and not os.path.ismount(directory), done.stderr
        busy.kill()


def test_helper_of_mount(program, account, tmp_path):
    """As mount(8) calls it for a line of fstab."""
    directory = tmp_path / "mnt"
    directory.mkdir()
    helper = tmp_path / "mount.fuse.mailrack"
    helper.symlink_to(program("mailrack-mount"))
    options = f"rw,noexec,user=bob,_netdev,x-systemd.automount,umask=022,config={account()}"

    def call(*words):
        return subprocess.run([helper, *words], env=environment_of(tmp_path), text=True,
                              capture_output=True, timeout=60, check=False)
    done = call("none", directory, "-f", "-n", "-o", options)
    assert done.returncode == 0 and not os.path.ismount(directory), done.stderr
    done = call("none", directory, "-o", options, "-t", "fuse.mailrack")
    assert done.returncode == 0, done.stderr
    try:
        assert "INBOX" in os.listdir(directory)
        assert (directory / "INBOX").stat().st_mode & 0o777 == 0o555
    finally:
        unmount(directory)
    done = call("none", directory, "-o", f"{options},setuid=nobody-of-that-name")
    assert done.returncode == 64 and "there is no such user" in done.stderr
    done = call("other", directory, "-o", options)
    assert done.returncode == 78 and '"other"' in done.stderr


def test_denied_readers(mount, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(1))
    curious = tmp_path / "an-extractor-of-thumbnails"
    shutil.copy(shutil.which("cat"), curious)
    with mount({"deny_readers": f"tumblerd, {curious.name}"}) as directory:
        (path,) = (directory / "INBOX").iterdir()
        done = subprocess.run([curious, path], capture_output=True, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 1 and "Permission denied" in done.stderr
        assert subprocess.run(["cat", path], capture_output=True, check=True).stdout != b""


def test_the_manual_knows_every_key_and_option(program):
    manual = (TOP / "docs" / "mailrack-mount.1.scd").read_text(encoding="utf-8")
    settings = (TOP / "core" / "settings.c").read_text(encoding="utf-8")
    keys = re.findall(r'RACK_PARAM(?:_ENUM)? \(Mount, \w+,\s+"(\w+)"', settings)
    assert {"names", "root", "deny_readers"} <= set(keys)
    missing = [key for key in keys if f"*{key}* =" not in manual]
    assert not missing, f"docs/mailrack-mount.1.scd says nothing of {missing}"
    help_text = subprocess.run([program("mailrack-mount"), "--help"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
    for option in re.findall(r"(?<=\s)--[a-z]+", help_text):
        assert f"*{option}*" in manual, option
