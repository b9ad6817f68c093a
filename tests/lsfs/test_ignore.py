"""Ignore: secrets stay out whatever a file says, and .lsfsignore means what git would mean."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from endings import ends
from hypothesis import given, settings
from hypothesis import strategies as st

from lsfs.beneath import open_regular
from lsfs.history.ignore import Ignore


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, Ignore]]:
    fd = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield tmp_path, Ignore(fd)
    os.close(fd)


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".env.local", "a/.env.production", "server.pem", "deep/er/tls.key", "id_rsa", "id_ed25519.pub", "ID_RSA", "Backup.PEM",
        ".netrc", ".npmrc", ".pypirc", ".pgpass", ".htpasswd", "vault.kdbx", "cert.p12", "cert.pfx", "app.jks", "app.keystore",
        "credentials", ".aws/config", ".ssh/known_hosts", "home/.gnupg/pubring.kbx", ".git/config", "sub/.git/objects/ab/cd",
        ".svn/entries",
        ".lsfs/history.db", ".docker/config.json", ".kube/config", ".bash_history", ".git",
    ],
)  # fmt: skip
def test_secrets_are_secret_and_cannot_be_included_again(folder: tuple[Path, Ignore], name: str) -> None:
    path, ignore = folder
    (path / ".lsfsignore").write_text("!*\n!**/*\n!.env\n!.ssh/\n!.git/\n")
    assert ignore.verdict(name.encode(), False) == "secret"


@pytest.mark.parametrize(
    "name",
    [
        "environment.md",
        "keys.md",
        "monkey",
        "pem.txt",
        "credentials.md",
        "git/notes",
        "ssh.md",
        "a.env.md/x",
        "key",
    ],
)
def test_what_only_sounds_like_a_secret_is_none(folder: tuple[Path, Ignore], name: str) -> None:
    assert folder[1].verdict(name.encode(), False) is None


def test_noise_is_ignored_and_can_be_included_again(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    assert ignore.verdict(b"node_modules/x/readme.md", False) == "ignored"
    assert ignore.prune(b"a/node_modules") and ignore.prune(b"__pycache__") and not ignore.prune(b"src")
    assert ignore.verdict(b"x.pyc", False) == "ignored"
    (path / ".lsfsignore").write_text("!node_modules/\n!x.pyc\n")
    assert ignore.reload(b".lsfsignore") == b""
    assert ignore.verdict(b"node_modules/x/readme.md", False) is None
    assert ignore.verdict(b"x.pyc", False) is None
    assert ignore.verdict(b"y.pyc", False) == "ignored"


def test_a_deeper_file_has_the_last_word_and_is_relative_to_its_folder(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    (path / "a/b").mkdir(parents=True)
    (path / ".lsfsignore").write_text("*.log\n/top\n")
    (path / "a/.lsfsignore").write_text("!keep.log\n/only-here\n")
    assert ignore.verdict(b"x.log", False) == "ignored"
    assert ignore.verdict(b"keep.log", False) == "ignored"
    assert ignore.verdict(b"a/b/keep.log", False) is None
    assert ignore.verdict(b"a/b/x.log", False) == "ignored"
    assert ignore.verdict(b"a/only-here", False) == "ignored"
    assert ignore.verdict(b"a/b/only-here", False) is None
    assert ignore.verdict(b"a/top", False) is None
    assert ignore.verdict(b"top/x/y", False) == "ignored"


@pytest.mark.parametrize(
    ("lines", "name", "verdict"),
    [
        ("b\n!*.md\n", "a.md/b/c", "ignored"),  # the second line speaks of a.md, not of what lies below it
        ("a/**\n!a/b\n", "a/b", None),  # a itself is not ignored, so what is in it can come back
        ("a/**\n!a/b\n", "a/c", "ignored"),
        ("a/**/\n", "a/b", None),
        ("a/**/\n", "a/b/c", "ignored"),
        ("**/*/**/\n", "a/b", None),
        ("**/*/**/\n", "a/b/c", "ignored"),
        ("**/\n", "a/b", "ignored"),
        ("two\nb\n", "x\ny/b", "ignored"),
        ("b\n", "b\n", None),
    ],
)
def test_a_line_speaks_of_a_path_itself(folder: tuple[Path, Ignore], lines, name, verdict) -> None:  # type: ignore[no-untyped-def]
    path, ignore = folder
    (path / ".lsfsignore").write_text(lines)
    assert ignore.verdict(name.encode(), False) == verdict


def test_nothing_below_an_ignored_folder_comes_back(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    (path / "private").mkdir()
    (path / ".lsfsignore").write_text("private/\n!private/open.md\n")
    (path / "private/.lsfsignore").write_text("!*\n")
    assert ignore.verdict(b"private", True) == "ignored"
    assert ignore.verdict(b"private", False) is None
    assert ignore.verdict(b"private/open.md", False) == "ignored"


def test_a_change_is_seen_after_reload(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    (path / "a").mkdir()
    assert ignore.verdict(b"a/draft.md", False) is None
    (path / "a/.lsfsignore").write_text("draft*\n")
    assert ignore.reload(b"a/.lsfsignore") == b"a"
    assert ignore.verdict(b"a/draft.md", False) == "ignored"
    (path / "a/.lsfsignore").unlink()
    ignore.reload(b"a/.lsfsignore")
    assert ignore.verdict(b"a/draft.md", False) is None


def test_bad_patterns_cost_themselves_alone_and_are_told(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    (path / ".lsfsignore").write_bytes(
        b"!\n\\\n" + b"a*b*" * 100 + b"\n" + b"x" * 2000 + b"\n*.skip\n\xff\xfe*\n[\n"
    )
    assert ignore.verdict(b"a.skip", False) == "ignored"
    assert ignore.verdict(b"\xff\xfename", False) == "ignored"
    assert ignore.verdict(b"other", False) is None
    assert len(ignore.errors()) >= 3
    assert all("has no effect" in sentence for sentence in ignore.errors())


def test_hostile_patterns_come_to_an_end(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    lines = ["a*" * stars + "b" for stars in range(2, 60)] + [
        "*" * 200 + "b",
        "**/" * 50 + "b",
        "a?*" * 40 + "c",
        "[a]*" * 40 + "c",
        "*a*a*a?*a*c",
        *["**/a/**/a/**/"] * 100,
        "[[a]]",
    ]
    (path / ".lsfsignore").write_text("\n".join(lines))
    with ends():
        for _ in range(20):
            assert ignore.verdict(b"a" * 255, False) is None
            assert ignore.verdict(b"/".join([b"a"] * 500), False) is None


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path), lambda path: os.symlink(path, path)],
)
def test_an_ignore_file_that_is_no_file_has_no_effect(folder: tuple[Path, Ignore], make) -> None:  # type: ignore[no-untyped-def]
    path, ignore = folder
    make(path / ".lsfsignore")
    assert ignore.verdict(b"x.md", False) is None
    assert ignore.errors()


def test_a_huge_ignore_file_is_read_in_part(folder: tuple[Path, Ignore]) -> None:
    path, ignore = folder
    (path / ".lsfsignore").write_text("*.skip\n" + "# comment\n" * 100_000)
    assert ignore.verdict(b"x.skip", False) == "ignored"
    assert "larger" in ignore.errors()[0]


def test_names_need_not_be_utf8_and_paths_may_be_deep(folder: tuple[Path, Ignore]) -> None:
    _, ignore = folder
    assert ignore.verdict(b"caf\xe9/\xff\xff.md", False) is None
    assert ignore.verdict(b"/".join([b"d"] * 3000) + b"/.env", False) == "secret"
    assert ignore.verdict(b"", True) is None


def test_each_folder_is_looked_into_once(
    folder: tuple[Path, Ignore], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ignore = folder
    (path / ".lsfsignore").write_text("*.log\nbuild/\n/dist\n!keep.log\n")
    names = [b"dir%d/sub%d/file%d.md" % (n % 50, n % 500, n) for n in range(100_000)]
    opened = []

    def counted(root_fd: int, path: bytes):  # type: ignore[no-untyped-def]
        opened.append(path)
        return open_regular(root_fd, path)

    monkeypatch.setattr("lsfs.history.ignore.open_regular", counted)
    assert not any(ignore.verdict(name, False) for name in names)
    assert len(opened) == len(set(opened)) == 1 + 50 + 500


NAMES = st.sampled_from(["a", "b", "a.md", "b.txt", "keep"])
PATTERNS = st.lists(
    st.builds(
        lambda negate, start, parts, between, end: negate + start + between.join(parts) + end,
        st.sampled_from(["", "", "!"]),
        st.sampled_from(["", "/", "**/"]),
        st.lists(
            st.sampled_from(["a", "b", "*", "*.md", "a*", "?", "[ab]", "keep", "*e*p", "a?*d*"]),
            min_size=1,
            max_size=3,
        ),
        st.sampled_from(["/", "/", "/**/"]),
        st.sampled_from(["", "/", "/**", "/*"]),
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(PATTERNS, PATTERNS, st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_git_agrees(tmp_path_factory, top, below, paths) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", path], check=True, stdout=subprocess.DEVNULL)
    (path / "a").mkdir()
    files = []
    for parts in paths:
        place = path.joinpath(*parts)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        except (FileExistsError, NotADirectoryError):
            continue
        if place.is_file():
            files.append("/".join(parts))
    for where, patterns in ((path, top), (path / "a", below)):
        if where.is_dir():
            for name in (".lsfsignore", ".gitignore"):
                (where / name).write_text("\n".join(patterns) + "\n")
    if not files:
        return
    answer = subprocess.run(
        ["git", "-C", path, "check-ignore", "--stdin"], input="\n".join(files), capture_output=True, text=True
    )
    ignored = set(answer.stdout.split("\n")) - {""}
    fd = os.open(path, os.O_PATH | os.O_DIRECTORY)
    try:
        ignore = Ignore(fd)
        found = {name for name in files if ignore.verdict(name.encode(), False)}
        if not ignore.errors():  # what is refused for its stars is told, and has no effect
            assert found == ignored
    finally:
        os.close(fd)
