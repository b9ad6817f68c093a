"""keywords in a real mount: the files that a reading of their texts finds, of every format, and no other."""

import errno
import json
import os
import subprocess

import docx
import pytest
from mounted_helpers import LSFS, WORDS_ONLY, Mounted
from reportlab.pdfgen import canvas

from lsfs.engine.text import text_of
from syscalls.prompt import demanded, parse
from syscalls.terms import fulfils, leaves, tokens

EXPRESSIONS = [
    "refund", "refunds", "refund*", "r*", "refund AND signatures", '"two signatures"', '"signatures two"', '"two sig*"', "NOT refund",
    "refund* AND NOT (draft OR weather)", "(refund OR weather) page", "cafe", "Café", "検索", "二", "don't", '"don t"', "parse_config",
    "parseConfig", "config", "notes", "pdf", "type:pdf refund*", "-draft", "v1.2", "zebra", '"far apart at the end"', "middle", "a b c",
    '"line one line two"',
]  # fmt: skip


def write_pdf(path, *pages):
    page = canvas.Canvas(os.fspath(path))
    for text in pages:
        page.drawString(72, 700, text)
        page.showPage()
    page.save()


def write_docx(path, *paragraphs):
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(os.fspath(path))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A mount without a model, of texts, PDF, DOCX, and files that are none."""
    root = tmp_path_factory.mktemp("keywords")
    folder, path = root / "folder", root / "mount"
    (folder / "notes/old").mkdir(parents=True)
    path.mkdir()
    (folder / ".lsfs").mkdir(mode=0o700)
    (folder / ".lsfs/lsfs.conf").write_text(WORDS_ONLY)
    (folder / "a.md").write_text(
        "# Refunds\n\nA refund needs two\nsignatures. Don't hurry: v1.2 of the café's rules.\n"
    )
    (folder / "notes/b.txt").write_text("No refund is a draft, signatures or not.\n")
    (folder / "notes/old/c.py").write_text(
        "def parse_config(parseConfig):\n    return 'line one'\n# line two\n"
    )
    (folder / "notes/d.md").write_text("全文検索エンジンの二章\n")
    (folder / "long.txt").write_text(
        "start " + "filler words of no weight. " * 120_000 + "middle far apart at the end\n"
    )
    write_pdf(
        folder / "notes/p.pdf", "Page one: refund the money", "Page two: needs two", "signatures and weather"
    )
    write_pdf(folder / "draft.pdf", "Nothing of it in the text")
    write_docx(folder / "w.docx", "Refunded customers", "two signatures", "weather on every page")
    (folder / "refund.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "empty.txt").write_bytes(b"")
    mounted = Mounted(folder, path, folder / ".lsfs", ())
    try:
        mounted.mount().indexed()
        yield mounted
        mounted.umount()
        assert "Traceback" not in mounted.log(), mounted.log()
    finally:
        mounted.clean()


@pytest.fixture(scope="module")
def texts(place):
    files = [path for path in place.folder.rglob("*") if path.is_file() and ".lsfs" not in path.parts]
    return {path.relative_to(place.folder).as_posix(): text_of(path) for path in files}


def read(texts, expression, below=""):
    """What a reading of all texts finds."""
    prompt = parse(demanded(expression))
    found = []
    for path, text in texts.items():
        named = tokens(path)
        seen = text is not None or any(fulfils(leaf, named) for leaf in leaves(prompt.condition))
        if not path.startswith(below) or (prompt.types and not path.endswith(prompt.types)):
            continue
        if seen and fulfils(prompt.condition, tokens(text or ""), named):
            found.append(path)
    return sorted(found)


def control(place, line):
    """What `echo LINE > ctl; cat` gives on one descriptor."""
    fd = os.open(place.path / "ctl", os.O_RDWR)
    try:
        os.write(fd, line.encode())
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
        return b"".join(parts).decode()
    finally:
        os.close(fd)


def quoted(expression):
    return "'" + expression.replace("'", "'\\''") + "'"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_answer_is_that_of_a_reading(place, texts, expression):
    answer = json.loads(control(place, f"keywords --json -- {quoted(expression)}"))
    assert sorted(hit["path"].removeprefix("files/") for hit in answer["hits"]) == read(texts, expression)
    assert answer["exact"] is True and answer["pending"] == 0
    below = control(place, f"keywords --in notes -- {quoted(expression)}").split()
    assert sorted(path.removeprefix("files/") for path in below) == read(texts, expression, "notes/")


def test_a_reading_finds_something_so_the_comparison_means_something(texts):
    assert read(texts, '"two signatures"') == ["a.md", "notes/p.pdf", "w.docx"]
    assert read(texts, '"needs two signatures"') == ["a.md", "notes/p.pdf"]
    assert read(texts, "refund") == ["a.md", "notes/b.txt", "notes/p.pdf", "refund.bin"]
    assert read(texts, '"far apart at the end"') == ["long.txt"]
    assert "empty.txt" in read(texts, "NOT refund") and "refund.bin" not in read(texts, "NOT weather")


def test_plain_file_tools_and_the_command_give_the_same(place, texts):
    prompt = "mode:words limit:all (refund* AND NOT draft)"
    listed = {
        os.path.realpath(place.query / prompt / name)
        for name in os.listdir(place.query / prompt)
        if name[0].isdigit()
    }
    expected = {os.fspath(place.files / path) for path in read(texts, "refund* AND NOT draft")}
    assert listed == expected
    done = subprocess.run(
        [*LSFS, "keywords", "refund* AND NOT draft", "--in", place.files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert {os.fspath(place.path / line) for line in done.stdout.split()} == expected
    assert (
        subprocess.run(
            f"ls '{place.query}/refund*'", shell=True, capture_output=True, text=True
        ).stdout.count("-")
        >= 4
    )


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("keywords", errno.EINVAL), ("keywords 'a AND'", errno.EINVAL), ("keywords '(a'", errno.EINVAL), ("keywords '?!'", errno.EINVAL),
        ("keywords a b", errno.EINVAL), ("keywords a --in gone", errno.ENOENT), ("keywords a --in a.md", errno.ENOTDIR),
        (f"keywords a --in {'x' * 300}", errno.ENAMETOOLONG), ("keywords 'a limit:3'", errno.EINVAL),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(place, line, number):
    with pytest.raises(OSError) as caught:
        control(place, line)
    assert caught.value.errno == number


def test_a_file_just_closed_is_found_and_a_removed_one_is_not(mount):
    mounted = mount(conf=WORDS_ONLY)
    mounted.indexed()
    (mounted.files / "new.md").write_text("wombats and quokkas\n")
    assert control(mounted, "keywords 'wombats AND quokka*'").split() == ["files/new.md"]
    os.mkdir(mounted.path / "snapshots" / "then")
    (mounted.files / "new.md").write_text("wombats alone\n")
    assert control(mounted, "keywords 'wombats AND NOT quokka*'").split() == ["files/new.md"]
    past = mounted.path / "snapshots/then/query" / "wombats AND quokkas"
    assert [name for name in os.listdir(past) if name[0].isdigit()] == ["01-new.md"]
    (mounted.files / "new.md").unlink()
    assert control(mounted, "keywords wombats").split() == []
