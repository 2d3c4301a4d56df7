# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether scripts/test runs what is there: no file of tests is forgotten, none is run twice."""

import pathlib
import runpy

from tests.architecture import tree

RUNNER = runpy.run_path(str(tree.TOP / "scripts" / "run_tests.py"))
FILES = sorted(str(path) for path in tree.files(".py") if path.name.startswith("test_"))


def suites_of(file):
    return [place for place in RUNNER["places"]()
            if place == file or pathlib.PurePath(place) in pathlib.PurePath(file).parents]


def test_each_file_is_run_once():
    assert FILES
    assert {file: suites_of(file) for file in FILES if len(suites_of(file)) != 1} == {}


def test_what_is_named_is_there():
    places = RUNNER["places"]()
    assert [name for name in RUNNER["LONG"] if name not in places] == []
    assert [start for start in RUNNER["SANITIZED"]
            if not any(name.startswith(start) for name in places)] == []
    assert [name for name in RUNNER["DIVIDED"] if name in places] == []
