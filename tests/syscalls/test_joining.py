"""Several contents as one: each format keeps what makes it that format, and nothing that a file says is lost."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syscalls.errors import InvalidArgument, NotText
from syscalls.joining import _header, front_matter, joined, kind_for, kind_of


def text(kind, *contents):
    return joined(kind, [(f"f{number}", content) for number, content in enumerate(contents)])


def test_texts_are_separated_by_a_line_break_where_there_is_none():
    assert text("text", b"one", b"two\n", b"", b"three") == b"one\ntwo\nthree"
    assert text("text", b"one\r\nmore", b"two") == b"one\r\nmore\r\ntwo"


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=("Cs",))),
        min_size=2,
        max_size=5,
    )
)
def test_no_byte_of_a_text_is_lost_or_added_but_breaks_between(contents):
    whole = text("text", *(content.encode() for content in contents))
    between = rb"(?:\r?\n)?"
    assert re.fullmatch(between.join(re.escape(content.encode()) for content in contents), whole)


def test_a_byte_order_mark_stands_only_at_the_beginning():
    assert text("text", b"\xef\xbb\xbfone\n", b"\xef\xbb\xbftwo\n") == b"\xef\xbb\xbfone\ntwo\n"


def test_markdown_has_a_blank_line_between():
    assert (
        text("markdown", b"# One", b"# Two\n", b"# Three\n\n", b"end") == b"# One\n\n# Two\n\n# Three\n\nend"
    )


def test_only_the_first_front_matter_is_that_of_the_whole():
    whole = text("markdown", b"---\ntitle: one\n---\nA\n", b"---\ntitle: two\n---\nB\n")
    assert whole == b"---\ntitle: one\n---\nA\n\n```yaml\ntitle: two\n```\nB\n"
    assert front_matter(whole)[0] == b"title: one\n"


def test_a_rule_is_no_front_matter():
    assert text("markdown", b"a\n", b"---\nnot closed\n") == b"a\n\n---\nnot closed\n"


def test_a_header_comes_once():
    one, two = b'name,"a\nb"\r\nx,1\r\n', b'name,"a\nb"\r\ny,2\r\n'
    rows = list(csv.reader(io.StringIO(text("csv", one, two).decode(), newline="")))
    assert rows == [["name", "a\nb"], ["x", "1"], ["y", "2"]]


def test_a_table_of_a_header_alone_and_one_without_an_end_of_line():
    assert text("csv", b"a,b\n1,2", b"a,b", b"a,b\n3,4") == b"a,b\n1,2\n3,4"
    assert text("tsv", b"a\tb\n1\t2\n", b"a\tb\n3\t4\n") == b"a\tb\n1\t2\n3\t4\n"
    assert text("csv", b"a;b\n1;2\n", b'"a";"b"\n3;4\n') == b"a;b\n1;2\n3;4\n"


def test_another_header_is_refused_and_both_are_named():
    with pytest.raises(InvalidArgument, match=r"f1 has the columns a, c, and f0 has a, b"):
        text("csv", b"a,b\n1,2\n", b"a,c\n1,2\n")


@given(
    st.lists(
        st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=4),
        min_size=2,
        max_size=4,
    )
)
def test_json_lines_and_arrays_keep_every_value(files):
    lines = [b"\n".join(json.dumps(value).encode() for value in values) for values in files]
    values = [value for part in files for value in part]
    assert [json.loads(line) for line in text("jsonl", *lines).split(b"\n") if line] == values
    assert json.loads(text("json", *(json.dumps(part).encode() for part in files))) == values


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("jsonl", b'{"a": 1}\n{"a":', "Line 2 of f1"),
        ("json", b'{"a": 1}', "array"),
        ("json", b"[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_json_is_refused(kind, content, said):
    with pytest.raises(InvalidArgument, match=said):
        text(kind, b"[1]" if kind == "json" else b"1\n", content)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", b"a\0b", b"caf\xe9"])
def test_bytes_are_refused(content):
    with pytest.raises(NotText, match="f1"):
        text("text", b"a", content)


@pytest.mark.parametrize(
    ("target", "names", "kind"),
    [("all.md", ["a.md", "b.txt"], "markdown"), ("all.txt", ["a.md", "b.md"], "markdown"), ("all", ["a.py", "b.md"], "text"),
     ("all.csv", ["a.CSV", "b.csv"], "csv"), ("all", ["a.pdf", "b.pdf"], "pdf"), ("x.ndjson", ["a.jsonl", "b.ndjson"], "jsonl")],
)  # fmt: skip
def test_which_files_go_together(target, names, kind):
    assert kind_for(target, names) == kind


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("a.md", ["a.md", "b.csv"]),
        ("a.csv", ["a.md", "b.md"]),
        ("a.pdf", ["a.pdf", "b.md"]),
        ("a", ["a.csv", "b.tsv"]),
    ],
)
def test_which_files_do_not(target, names):
    with pytest.raises(InvalidArgument, match="one format"):
        kind_for(target, names)


def test_a_name_decides_its_kind():
    assert [kind_of(name) for name in ("a.MD", "a.tar", "a", ".csv", "x.jsonl")] == [
        "markdown",
        "text",
        "text",
        "text",
        "jsonl",
    ]


def test_json_arrays_keep_every_letter_of_their_elements():
    """A number keeps its digits, an object what it says twice."""
    parts = [
        ("a", b'[{"a": 1, "a": 2},\n 1.10, 1e400]\n'),
        ("b", b"\xef\xbb\xbf[ ]"),
        ("c", b"[0.10000000000000000555, 12345678901234567890]"),
    ]
    assert (
        joined("json", parts)
        == b'[\n{"a": 1, "a": 2},\n 1.10, 1e400,\n0.10000000000000000555, 12345678901234567890\n]\n'
    )
    assert joined("json", [("a", b"[]"), ("b", b" [\n] ")]) == b"[\n]\n"
    assert joined("json", [("a", b"[" + b"9" * 5000 + b"]"), ("b", b"[1]")]).count(b"9") == 5000


@pytest.mark.parametrize("text", [b"[NaN]", b"[Infinity]", b"[1"])
def test_what_only_python_takes_for_json_is_refused(text):
    with pytest.raises(InvalidArgument, match="is no JSON"):
        joined("json", [("a", text), ("b", b"[]")])


def test_tables_with_other_delimiters_are_not_joined():
    with pytest.raises(InvalidArgument, match="between its columns"):
        joined("csv", [("a", b"a;b\n1;2\n"), ("b", b"a,b\n1,2\n")])
    assert joined("csv", [("a", b"a\n1\n"), ("b", b"a\n2\n")]) == b"a\n1\n2\n"


def test_a_quote_within_a_field_is_a_letter():
    parts = [("a", b'name,5" pipe\n1,2\n'), ("b", b'name,5" pipe\n3,4\n')]
    assert joined("csv", parts) == b'name,5" pipe\n1,2\n3,4\n'


def test_a_header_over_two_lines_goes_once():
    parts = [("a", b'"a\r\nb",c\r\n1,2\r\n'), ("b", b'\xef\xbb\xbf"a\r\nb",c\r\n3,4\r\n')]
    assert joined("csv", parts) == b'"a\r\nb",c\r\n1,2\r\n3,4\r\n'


def test_a_quote_that_is_never_closed_is_not_read_to_the_end():
    """Line by line, each longer than the one before, this took more than half a minute."""
    seen = 0

    class Counted(bytes):
        def decode(self, *given):
            nonlocal seen
            seen += 1
            return bytes(self).decode(*given)

        def removeprefix(self, prefix):
            return self

        def splitlines(self, keepends=False):
            return [Counted(line) for line in bytes(self).splitlines(keepends)]

    with pytest.raises(InvalidArgument, match="header"):
        _header("a", Counted(b'"' + b"\n" * 500_000), ",")
    assert seen < 140_000


def test_documents_of_yaml_stay_documents():
    assert text("yaml", b"a: 1\n", b"b: 2", b"---\nc: 3\n") == b"a: 1\n---\nb: 2\n---\nc: 3\n"


@pytest.mark.parametrize("name", ["a.html", "a.xml", "a.toml"])
def test_what_two_of_make_no_one_file_is_refused(name):
    with pytest.raises(InvalidArgument, match="no one file"):
        kind_for("all.txt", [name, name])
