"""The manual says everything that there is: each command, option, setting, path, call and exit code is in its page."""

import pathlib
import re
import shutil
import subprocess

import click
import pytest

from lsfs import cli, config, refusals
from mounts import tree
from syscalls import table

ROOT = pathlib.Path(__file__).parents[2]
MAN = ROOT / "man"
PAGES = sorted(MAN.glob("*.[1-9]"))


def text(page: str) -> str:
    """The source of a page without its macros' names, so that what a reader sees can be looked for."""
    lines = (MAN / page).read_text(encoding="utf-8").splitlines()
    words = (re.sub(r"\\&|\\\(dq", "", re.sub(r"^\.[A-Z][a-z]\b ?", "", line)) for line in lines)
    return re.sub(r"\s+", " ", " ".join(words))


def options() -> list[tuple[str, str]]:
    found = []
    group = cli.group
    assert isinstance(group, cli.Lazy)
    for row in cli.COMMANDS:
        command = group.get_command(click.Context(group), row.name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                found += [(row.name, option) for option in (*parameter.opts, *parameter.secondary_opts)]
    return found


@pytest.mark.parametrize("row", cli.COMMANDS, ids=lambda row: row.name)
def test_every_command_has_a_page_and_a_line_in_lsfs_1(row):
    page = (MAN / f"lsfs-{row.name}.1").read_text()
    assert f".Nm lsfs-{row.name}\n" in page and f".Nm lsfs {row.name}\n" in page
    assert f".It Ic {row.name}\n" in (MAN / "lsfs.1").read_text()


@pytest.mark.parametrize(("command", "option"), options())
def test_every_option_is_in_the_page_of_its_command(command, option):
    dashed = "Fl " + option.removeprefix("-")  # -w is `Fl w`, --watch is `Fl -watch`
    page = (MAN / f"lsfs-{command}.1").read_text()
    assert re.search(rf"{re.escape(dashed)}\b", page) or re.search(rf"\| {re.escape(option[1:])}\b", page)


@pytest.mark.parametrize("field", config.FIELDS, ids=lambda field: f"{field.section}.{field.key}")
def test_every_setting_is_in_its_section_with_its_default(field):
    page = (MAN / "lsfs.conf.5").read_text()
    section = page.partition(f".Ss [{field.section}]\n")[2].partition("\n.S")[0]
    assert f".It Cm {field.key} No = {field.default}\n" in section


def test_the_page_of_settings_has_none_that_does_not_exist():
    page = (MAN / "lsfs.conf.5").read_text()
    assert set(re.findall(r"^\.It Cm (\w+) No =", page, re.M)) == {field.key for field in config.FIELDS}


@pytest.mark.parametrize("row", tree.ROWS, ids=lambda row: row.path)
def test_every_row_of_the_tree_has_a_paragraph(row):
    assert row.path in re.findall(r"^\.Ss (.*)$", (MAN / "lsfs-tree.7").read_text(), re.M)


@pytest.mark.parametrize("call", table.CALLS, ids=lambda call: call.name)
def test_every_call_has_a_paragraph_with_its_arguments(call):
    words = [call.word] + [
        argument.name if argument.required else f"[{argument.name}]" for argument in call.arguments
    ]
    page = (MAN / "lsfs-syscalls.7").read_text()
    paragraph = page.partition(f".Ss {' '.join(words)}\n")[2].partition("\n.Ss ")[0]
    assert f".Fn {call.name} .\n" in paragraph and call.where in paragraph


@pytest.mark.parametrize("kind", refusals.REFUSALS, ids=lambda kind: kind.__name__)
def test_every_exit_code_is_in_lsfs_1_with_its_meaning(kind):
    page = (MAN / "lsfs.1").read_text()
    status = page.partition(".Sh EXIT STATUS")[2].partition("\n.Sh ")[0]
    said = re.search(rf"^\.It {kind.code}\n(.*)$", status, re.M)
    assert said and said[1].lower() == f"{kind.meaning}.".lower()


def test_lsfs_1_has_no_exit_code_that_does_not_exist():
    status = (MAN / "lsfs.1").read_text().partition(".Sh EXIT STATUS")[2].partition("\n.Sh ")[0]
    codes = {int(code) for code in re.findall(r"^\.It (\d+)$", status, re.M)}
    assert codes == {0, 1, 2, cli.BUG, cli.INTERRUPTED, cli.PIPE_CLOSED} | {
        kind.code for kind in refusals.REFUSALS
    }


def test_every_member_of_the_status_that_may_be_relied_on_is_named():
    from syscalls.status import KEYS

    for key in KEYS:
        assert f".It Va {key}\n" in (MAN / "lsfs-tree.7").read_text(), key


def test_every_member_of_results_json_is_named():
    import json

    from syscalls.prompt import parse
    from syscalls.results import results_json
    from syscalls.values import Hit, Passage, Results

    hit = Hit(b"a", 1.0, {"words": 1.0}, (Passage(1, 2, "text", 1.0),))
    answer = json.loads(results_json(Results(parse("a"), b"", (hit,), 1, 0, "used", 1.0)))
    found = answer["hits"][0]
    section = text("lsfs-tree.7").partition("/query/<prompt>/results.json")[2]
    for key in [*answer, *answer["read"], *found, *found["passages"][0]]:
        assert re.search(rf"\b{key}\b", section), key


def test_the_columns_of_why_and_the_confidence_that_is_low_are_as_they_are_said_to_be():
    from syscalls.confidence import LOW, SIGNALS

    page = (MAN / "lsfs-tree.7").read_text()
    section = page.partition(".Ss /query/<prompt>/why.tsv\n")[2].partition("\n.Ss ")[0]
    listed = section.partition("a table with a header:")[2].partition("each as in")[0]
    said = re.findall(r"\b(rank|file|score|" + "|".join(SIGNALS) + r")\b", listed)
    assert said == ["rank", "file", "score", *SIGNALS] and "first and last line" in section
    assert re.search(rf"\bis under {LOW},", text("lsfs-tree.7"))


@pytest.mark.parametrize(
    "field", ["in:", "like:", "type:", "after:", "before:", "by:", "limit:", "mode:", "AND", "OR", "NOT"]
)
def test_every_word_of_the_prompt_language_is_explained(field):
    assert re.search(rf"\bIc {field}", (MAN / "lsfs-prompt.7").read_text())


def test_every_page_that_is_referred_to_exists():
    there = {page.name for page in PAGES}
    for page in PAGES:
        for name, section in re.findall(r"^\.Xr (lsfs\S*) (\d)", page.read_text(), re.M):
            assert f"{name}.{section}" in there, f"{page.name} refers to {name}({section})"


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_is_clean_mdoc(page):
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_says_how_it_is_run(page):
    source = page.read_text().partition(".Sh EXAMPLES")[2]
    displays = source.count("\n.Bd ")
    assert (
        len(re.findall(r'^\.\\" example: (mounted|unmounted|not run, .+)\n\.Bd ', source, re.M)) == displays
    )
    assert displays or page.name == "lsfs-architecture.7"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("lsfs-query.1", ["-warranty", "26 when", "--"]),
        ("lsfs-doctor.1", ["10 when"]),
        ("lsfs-mount.1", ["symbolic link is refused"]),
        ("lsfs-tree.7", ["starts", "readlink -f", "SECURITY", "parts are what it is made of"]),
    ],
)
def test_what_surprised_a_reader_is_explained(page, words):
    said = re.sub(r"\b(Ic|Ql|Fl|Pa|Va|Ar|Cm) ", "", text(page))
    for word in words:
        assert word in said, word
