# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that read the files of a directory, each in its way.

PROGRAMS is {name: function}; function(directory, scratch) runs one over directory and gives what
it found as {file name: value}.  Run over the mount and over the server's octets in local files it
must give the same for the same message, so no test has to know the answers beforehand.  scratch is
an empty directory.

What it is not: for programs that show a directory and not what is in its files.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile

PROGRAMS = {}


def reads(function):
    PROGRAMS[function.__name__.replace("_", " ").strip()] = function
    return function


def run(*command, status=(0,), env=None, **options):
    """The output of a command that must end well, as bytes."""
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False,
                          timeout=300, env=env or {**os.environ, "LC_ALL": "C.UTF-8"}, **options)
    assert done.returncode in status, (command, done.returncode, done.stderr[-2000:])
    assert not done.stderr, (command, done.stderr[-2000:])
    return done.stdout


def messages(directory):
    return sorted(name for name in os.listdir(directory) if name.endswith(".eml"))


def some(directory):
    """For programs that are started once a message: enough of them."""
    return [name for name in messages(directory) if int(name.split(".")[-2]) % 3 == 0]


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def of_files(directory):
    """What a copy holds, and that nothing else is in it."""
    return {name: digest((directory / name).read_bytes()) for name in messages(directory)}


def by_name(output, separator=b":"):
    """Lines of NAME:VALUE or PATH:VALUE."""
    pairs = (line.rsplit(separator, 1) for line in output.splitlines())
    return {os.path.basename(os.fsdecode(name)): value.strip() for name, value in pairs}


# What copies

@reads
def cp_a(directory, scratch):
    run("cp", "-a", directory, scratch / "copy")
    return of_files(scratch / "copy")


@reads
def tar(directory, scratch):
    run("tar", "cf", scratch / "mail.tar", "-C", directory, ".")
    with tarfile.open(scratch / "mail.tar") as archive:
        return {os.path.basename(member.name): digest(archive.extractfile(member).read())
                for member in archive.getmembers()
                if member.isfile() and member.name.count("/") == 1}


@reads
def rsync(directory, scratch):
    """And the second run transfers nothing, the third, which compares octets, neither."""
    command = ["rsync", "-rti", "--exclude=*/", f"{directory}/", scratch / "sync"]
    assert len(run(*command).splitlines()) > 0
    # The first run may have learned the true size of what it read; nothing else may change.
    assert run(*command) == b""
    assert run(*command, "-c") == b""
    return of_files(scratch / "sync")


@reads
def sendfile(directory, scratch):
    """What Python, install and many servers copy with."""
    (scratch / "copy").mkdir()
    for name in messages(directory):
        shutil.copyfile(directory / name, scratch / "copy" / name)
    return of_files(scratch / "copy")


# What reads whole files

@reads
def cat(directory, _scratch):
    return {name: digest(run("cat", directory / name)) for name in some(directory)}


@reads
def sha256sum(directory, _scratch):
    lines = run("sha256sum", *messages(directory), cwd=directory).decode().splitlines()
    return {line.split(None, 1)[1]: line.split(None, 1)[0] for line in lines}


@reads
def small_reads(directory, _scratch):
    """pread of 1,000 octets, from the end to the beginning: nothing is on a page's edge."""
    found = {}
    for name in messages(directory):
        with open(directory / name, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            pieces = [os.pread(file.fileno(), 1000, at) for at in range(0, size, 1000)[::-1]]
            assert os.pread(file.fileno(), 1000, size) == b""
        found[name] = digest(b"".join(pieces[::-1]))
    return found


MMAP = """
import hashlib, mmap, sys
for name in sys.argv[1:]:
    with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        print(name, len(mapped), hashlib.sha256(mapped[:]).hexdigest())
"""


@reads
def python_mmap(directory, _scratch):
    """A process of its own: beyond the end lies SIGBUS."""
    lines = run(sys.executable, "-c", MMAP, *messages(directory), cwd=directory).decode()
    return {line.rsplit(" ", 2)[0]: line.rsplit(" ", 2)[1:] for line in lines.splitlines()}


@reads
def stat_after_open(directory, _scratch):
    """Programs that allocate by fstat and read that much: most that are careful."""
    found = {}
    for name in messages(directory):
        with open(directory / name, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            found[name] = (size, digest(file.read(size)))
    return found


# What counts and cuts

@reads
def wc(directory, _scratch):
    names = messages(directory)
    fields = run("wc", "-lc", *names, cwd=directory).decode().split()
    return {name: (lines, octets)
            for name, lines, octets in zip(names, fields[::3], fields[1::3])}


@reads
def wc_c(directory, _scratch):
    """Asks for the size and the end. (Of several files at a time it believes stat.)"""
    return {name: run("wc", "-c", name, cwd=directory).split()[0] for name in some(directory)}


@reads
def tail_c(directory, _scratch):
    return {name: run("tail", "-c", "100", directory / name) for name in some(directory)}


@reads
def head_c(directory, _scratch):
    """All but the last octets: what has to know where the end is."""
    return {name: digest(run("head", "-c", "-100", directory / name))
            for name in some(directory)}


# What looks for something

@reads
def rg_lines(directory, _scratch):
    return by_name(run("rg", "--text", "--count", "--max-depth=1", "--no-ignore", "", directory))


@reads
def rg(directory, _scratch):
    found = run("rg", "--text", "--max-depth=1", "--no-ignore", "--only-matching", "--no-heading",
                "--no-line-number", "--with-filename", "--sort=path", "needle-[^ ]*", directory)
    return grouped(found)


@reads
def rg_mmap(directory, _scratch):
    """With an over-stated size this is where SIGBUS comes from."""
    return by_name(run("rg", "--mmap", "--text", "--count", "--no-ignore", "", *messages(directory),
                       cwd=directory))


@reads
def grep(directory, _scratch):
    found = run("grep", "-r", "--text", "--only-matching", "needle-[^ ]*", directory)
    return grouped(found)


@reads
def grep_lines(directory, _scratch):
    return by_name(run("grep", "-r", "--text", "--count", "", directory))


def grouped(output):
    """Matches by file: FILE:MATCH lines."""
    found = {}
    for line in output.splitlines():
        path, _, match = line.partition(b".eml:")
        found.setdefault(os.path.basename(os.fsdecode(path)) + ".eml", []).append(match)
    return found
