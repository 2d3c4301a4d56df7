# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of the tree, as the architecture tests look at them."""

import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def files(*suffixes):
    """Paths, from the top, of what belongs to the tree and ends so; new files count too."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=TOP, capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:                                # not a clone: an unpacked archive
        names = [str(path.relative_to(TOP)) for path in TOP.rglob("*")
                 if not path.relative_to(TOP).parts[0].startswith(("build", "."))]
    return sorted({pathlib.Path(name) for name in names
                   if name.endswith(suffixes) and (TOP / name).is_file()})


def text(path):
    return (TOP / path).read_text(encoding="utf-8")


def includes(path):
    """[(quoted?, name), ...] of one file."""
    return [(bracket == '"', name) for bracket, name in INCLUDE.findall(text(path))]
