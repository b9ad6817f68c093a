"""The direction of imports, read off the sources: lsfs -> mounts -> syscalls, and each heavy library in its one place."""

import ast
import configparser
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
ROOMS = ("lsfs", "mounts", "syscalls")
MAY = {"lsfs": {"lsfs", "mounts", "syscalls"}, "mounts": {"mounts", "syscalls"}, "syscalls": {"syscalls"}}
ONLY = {
    "pyfuse3": ("mounts/fuse.py", "mounts/fuse_entries.py", "lsfs/daemon"),
    "lancedb": ("lsfs/index/",),
    "pyarrow": ("lsfs/index/",),
    "sentence_transformers": ("lsfs/models/",),
    "torch": ("lsfs/models/",),
    "openvino": ("lsfs/models/",),
    "scipy": ("lsfs/engine/",),
}
PURE = {
    "trio",
    "pyfuse3",
    "lancedb",
    "torch",
    "openvino",
    "numpy",
    "sentence_transformers",
    "sqlite3",
    "click",
    "msgpack",
}
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported(path: pathlib.Path) -> set[str]:
    """Every module that a source imports, wherever in it, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found.add(node.module or "")
            found.update(f"{node.module}.{name.name}" for name in node.names)
    return found


def named(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_imports_in_one_direction_and_heavy_things_only_in_their_place(path):
    names = {name.split(".")[0] for name in imported(path)}
    room = path.relative_to(ROOT).parts[0]
    assert not (names & set(ROOMS)) - MAY[room]
    for library, places in ONLY.items():
        assert library not in names or named(path).startswith(places), f"{library} is imported elsewhere"
    if room == "syscalls":
        assert not names & PURE, "syscalls know nothing of FUSE, trio, LanceDB, models"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_in_its_first_line_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} has no docstring"


def test_every_package_is_listed_and_every_import_is_declared():
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / "setup.cfg")
    listed = set(configuration["options"]["packages"].split())
    assert listed == {named(path.parent).replace("/", ".") for path in MODULES}

    lines = configuration["options"]["install_requires"].strip().splitlines()
    lines += configuration["options.extras_require"]["ocr"].strip().splitlines()
    declared = {line.split(">=")[0].replace("-", "_").lower() for line in lines}
    assert all(">=" in line and ",<" in line for line in lines), "each dependency has both bounds"
    same = {
        "docx": "python_docx",
        "bs4": "beautifulsoup4",
        "html4docx": "html_for_docx",
        "markdown_it": "markdown_it_py",
        "PIL": "pillow",
    }  # where the module is called otherwise than what is installed
    names = (
        {name.split(".")[0] for path in MODULES for name in imported(path)}
        - set(ROOMS)
        - set(sys.stdlib_module_names)
    )
    assert {same.get(name, name) for name in names if name not in {"__future__", "_typeshed"}} <= declared
