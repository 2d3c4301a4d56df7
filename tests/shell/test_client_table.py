# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/CALLS.md says of each call of IMAPClient what is here and which test runs it: so it is."""

import ast
import functools
import json
import pathlib
import re

from tests.shell import imapclient_api

HERE = pathlib.Path(__file__).parent
ROW = re.compile(r"\| `(\w+)(?:\((.*)\))?` \| (.*) \| (.*) \|$", re.MULTILINE)


def rows():
    """[(name, parameters or None for an attribute, what is here, [tests])]"""
    text = (HERE.parents[1] / "docs/CALLS.md").read_text(encoding="utf-8")
    return [(name, parameters if f"`{name}(" in whole else None, here, tests.split(", "))
            for whole, (name, parameters, here, tests)
            in ((found[0], found.groups()) for found in ROW.finditer(text))]


@functools.cache
def definitions(path):
    """{name: (text, names in it)} of a file's functions and tables."""
    text = path.read_text(encoding="utf-8")
    parts = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            parts[node.name] = (ast.get_source_segment(text, node),
                                names | {each.arg for each in node.args.args})
        elif isinstance(node, ast.Assign):
            parts[node.targets[0].id] = (ast.get_source_segment(text, node), set())
    return parts


def source(test):
    """The text of "messages:test_flags", with the functions and tables of its file that it names
    and the fixtures it takes."""
    name, function = test.split(":")
    path = HERE / f"test_client_{name}.py"
    parts = definitions(path)
    assert function in parts and function.startswith("test_"), f"{path} has no {function}"
    wanted, found = [function], {}
    while wanted:
        each = wanted.pop()
        if each in parts and each not in found:
            found[each] = parts[each][0]
            wanted += parts[each][1]
    return "\n".join(found.values())


def test_table_is_imapclients_interface():
    table = {name: parameters for name, parameters, *_ in rows() if parameters is not None}
    assert table == imapclient_api.METHODS
    assert {name for name, parameters, *_ in rows() if parameters is None} \
        == imapclient_api.ATTRIBUTES
    library = imapclient_api.installed()
    assert library is None or library.items() <= table.items()


def test_program_has_what_the_table_says(mailrack, account):
    done = mailrack("-f", account(), "-e", "set output jsonl", "-e", "help c")
    assert done.returncode == 0, done.stderr
    methods = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["name"]: each["parameters"] for each in methods} == imapclient_api.METHODS
    assert [each["name"] for each in methods] == sorted(imapclient_api.METHODS)
    refused = {each["name"] for each in methods if each["help"].startswith("refused: ")}
    assert refused == {name for name, _, here, _ in rows() if here.startswith("refused")}
    for each in methods:
        assert each["help"] and len(each["help"]) < 100


def test_each_call_is_run_by_the_tests_it_names():
    for name, parameters, _, tests in rows():
        assert tests, name
        for test in tests:
            call = rf"\b(c\.{name}\b|c\.{{name}})" if parameters is None else rf"\bc\.{name}\("
            assert re.search(call, source(test)), f"{test} does not call c.{name}"
