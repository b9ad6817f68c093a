"""What changed between two versions, in words."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syscalls.changes.document import sentences
from syscalls.changes.text import Unreadable, code, counted, decode, shown, words
from syscalls.changes.unified import MOST_BYTES
from syscalls.changes.yaml import read_yaml
from syscalls.compare import _READERS, MOST_CHARACTERS, MOST_ITEMS, MOST_STRUCTURED, compare


def told(old, new, name="notes.md"):
    """The answer for two texts or contents."""
    old, new = (side.encode() if isinstance(side, str) else side for side in (old, new))
    return compare(old, new, name=name.encode(), old_label="v2", new_label="v3")


def first(old, new, name="notes.md"):
    """The first sentence, without the name in front of it."""
    return told(old, new, name).splitlines()[0].partition("v2 → v3: ")[2]


# Whole files


def test_the_answer_begins_with_one_sentence_that_names_file_and_versions():
    answer = told("One.\n", "Two things.\n", "folder/notes.md")
    assert answer.startswith("`notes.md`, v2 → v3: 1 sentence added, 1 removed.\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (None, "a\nb\n", "`x.md` was created in v3: 2 lines, 4 bytes.\n"),
        (None, "", "`x.md` was created in v3: empty (0 bytes).\n"),
        ("a", None, "`x.md` was deleted in v3; it had 1 line, 1 byte.\n"),
        (None, None, "`x.md` does not exist in either version.\n"),
        ("a\n", "a\n", "`x.md`, v2 → v3: nothing changed; both are the same 2 bytes.\n"),
        (None, b"\x89PNG\r\n\x1a\n\0", "`x.md` was created in v3: 9 bytes (a PNG image).\n"),
    ],
)
def test_files_that_came_went_or_stayed(old, new, said):
    assert told(old, new, "x.md") == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a\nb\n", "a\r\nb\r\n", "only the line endings changed from LF to CRLF."),
        ("é\n", "é\n".encode("latin-1"), "only the encoding changed from UTF-8 to an 8-bit encoding."),
        ("é\n", b"\xff\xfe" + "é\n".encode("utf-16-le"), "only the encoding changed from UTF-8 to UTF-16."),
        ("a", b"\xef\xbb\xbfa", "only the encoding changed from UTF-8 to UTF-8 with a byte order mark."),
        (
            "a\n",
            b"\xef\xbb\xbfa\r\n",
            "only this changed: the encoding changed from UTF-8 to UTF-8 with a byte order mark; "
            "the line endings changed from LF to CRLF.",
        ),
        ("a", "a\n", "only the newline at the end of the file was added."),
        ("a b", "a  b", "only whitespace within lines changed, in 1 line."),
        ("  a\n b\n", "a\n b\n", "only indentation changed, in 1 line."),
        ("a \n", "a\n", "only whitespace at the ends of lines changed, in 1 line."),
        ("a\n\nb\n", "a\nb\n", "only blank lines changed: 4 → 3 lines."),
        ("a b\nc\n", "a\nb c\n", "only line breaks and other whitespace changed; the words are the same."),
        ("x = 1\n", "x=1\n", "only whitespace changed; 1 line changed."),
    ],
)
def test_what_is_no_change_of_words_is_called_what_it_is(old, new, said):
    assert first(old, new, "x.log") == said


def test_only_the_order_of_lines():
    assert first("a\nb\nc\n", "b\nc\na\n", "x.log") == "only the order of lines changed; 1 line moved."
    assert first("# A\n\nx y z.\n\n# B\n\nu v w.\n", "# B\n\nu v w.\n\n# A\n\nx y z.\n").startswith(
        "only the order of lines changed; the section “B” moved to the beginning"
    )


def test_another_encoding_is_told_beside_other_changes():
    assert first("é one.\n", "é two.\n".encode("latin-1"), "x.log").endswith(
        "1 line changed; the encoding changed from UTF-8 to an 8-bit encoding."
    )


def test_binary_files_are_told_by_type_and_size():
    assert first(b"\x89PNG\r\n\0" + b"x" * 2000, b"GIF8\0") == (
        "the bytes differ (a PNG image became a GIF image; 2,007 bytes → 5 bytes; they differ from byte 1 on)."
    )
    assert "the new one begins with the whole old one" in first(b"\0ab", b"\0abc")
    assert "the new one is the beginning of the old one" in first(b"\0abc", b"\0ab")
    assert "text became binary data" in first("a", b"\0")


def test_large_files_are_counted():
    said = first(b"a\n" * (MOST_BYTES // 2 + 1), b"a\n" * (MOST_BYTES // 2) + b"b\n", "x.md")
    assert said == (
        "too large to be compared in words: 16,777,218 bytes → 16,777,218 bytes, 8,388,609 → 8,388,609 lines; "
        "they differ from byte 16,777,217 on."
    )


def test_what_is_too_large_for_its_structure_is_compared_by_lines():
    old = "".join(f"Sentence number {number} of this text.\n" for number in range(MOST_STRUCTURED // 30))
    assert first(old, old + "And one.\n") == "1 line added at the end."


# Prose

PLAN = """# Plan

What we do, e.g. this. It stays.

## Shipping

We ship within 5 days. Orders over 50 EUR are free of charge.

## Returns

You may return goods within 14 days. Write to us first.

## Refunds

Refunds are paid to your account.
"""


def test_sentences_added_removed_and_changed_are_told_under_their_heading():
    new = PLAN.replace("14 days", "30 days").replace(
        "account.\n", "account. Cash is never paid.\n\n- Vouchers are\n"
    )
    answer = told(PLAN, new)
    assert answer.splitlines()[0].endswith(
        ": 1 sentence changed under “Returns”; 1 sentence and 1 list item added under “Refunds”."
    )
    assert (
        "## Returns\n\n- changed: “You may return goods within 14 days.” → “You may return goods within 30 days.”\n"
        in answer
    )
    assert "## Refunds\n\n- added: “Cash is never paid.”\n- added: “Vouchers are”\n" in answer


def test_a_sentence_that_moved_is_said_to_have_moved():
    new = PLAN.replace(" Write to us first.", "").replace("account.", "account. Write to us first.")
    answer = told(PLAN, new)
    assert answer.splitlines()[0].endswith(": 1 sentence moved from “Returns” to “Refunds”.")
    assert "- moved here from “Returns”: “Write to us first.”" in answer
    assert "added" not in answer and "removed" not in answer


def test_a_sentence_that_moved_and_changed_is_said_to_have_done_both():
    new = PLAN.replace(" Orders over 50 EUR are free of charge.", "").replace(
        "account.", "account. Orders over 70 EUR are free of charge."
    )
    assert "- moved here from “Shipping” and changed: “Orders over 50 EUR" in told(PLAN, new)


def test_sections_that_moved_were_renamed_came_or_went():
    parts = PLAN.split("## ")
    assert first(PLAN, "## ".join([parts[0], parts[2] + "\n", *parts[1:2], parts[3]])).endswith(
        "the section “Returns” moved to the beginning of “Plan”."
    )
    assert first(PLAN, "## ".join([parts[0], parts[1], parts[3] + "\n", parts[2]])).endswith(
        "the section “Refunds” moved after “Shipping”."
    )
    assert first(PLAN, PLAN.replace("## Returns", "## Sending goods back")) == (
        "the heading “Returns” renamed to “Sending goods back”."
    )
    assert first(PLAN, "## ".join([parts[0], parts[1], parts[3]])) == (
        "2 sentences removed with the section “Returns”; the section “Returns” removed."
    )
    assert first(PLAN, PLAN + "\n## Privacy\n\nNobody reads this.\n") == (
        "1 sentence added under “Privacy”; the section “Privacy” added."
    )
    assert first(PLAN, PLAN.replace("## Returns", "### Returns")).endswith(
        "the section “Returns” moved to the beginning of “Shipping”, from “Plan”."
    )


def test_many_sections_are_summed_up():
    old = "".join(f"# Part {number}\n\nThis is part {number}.\n\n" for number in range(30))
    new = old.replace("This is", "That was")
    answer = told(old, new)
    assert answer.splitlines()[0].endswith(": 30 sentences changed in 30 sections.")


def test_code_tables_and_front_matter_are_no_sentences():
    old = "---\ntitle: a\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\n# not a heading\nls\n```\n"
    new = old.replace("title: a", "title: b").replace("| 1 | 2 |", "| 1 | 3 |").replace("ls\n", "ls -l\n")
    assert first(old, new) == "1 line of front matter, 1 table row and 1 line of code changed."


@pytest.mark.parametrize("suffix", ["rst", "txt", "md"])
def test_underlined_headings_count(suffix):
    old = "Plan\n====\n\nOne is here.\n\nMore\n----\n\nTwo is here.\n"
    assert "under “More”" in first(old, old.replace("Two is", "Three are"), f"x.{suffix}")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Who came, e.g. today. He left at 3.15 p.m. sharp!", 2),
        ("Is it? “Yes.” No… Well.", 4),
        ("これは文です。次の文です。", 2),
        ("no end", 1),
        ("", 0),
        ("J. S. Bach wrote it.", 1),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, count):
    assert len(sentences(text)) == count


# Code

PYTHON = '''import os

LIMIT = 3


def load(path):
    with open(path) as file:
        data = file.read()
    return data.strip()


class Store:
    """Things."""

    def put(self, thing):
        check(thing)
        self.things.append(thing)
        return len(self.things)

    def get(self, number):
        return self.things[number]
'''


def test_functions_and_methods_added_removed_changed_and_renamed():
    new = PYTHON.replace("def put", "def add").replace(
        "def get(self, number)", "def get(self, number, default=None)"
    )
    new = new.replace("    return data.strip()", "    return data") + "\n\ndef last():\n    return 1\n"
    answer = told(PYTHON, new, "x.py")
    assert answer.splitlines()[0].endswith(
        ": the function `last` added (2 lines); the method `Store.put` renamed to `Store.add`; "
        "the function `load` changed; the method `Store.get` changed."
    )
    assert "- the function `load` changed: `return data.strip()` → `return data`\n" in answer
    assert "its first line `def get(self, number):` → `def get(self, number, default=None):`" in answer
    assert (
        first(PYTHON, PYTHON[: PYTHON.index("    def get")], "x.py")
        == "the method `Store.get` removed (2 lines)."
    )


def test_a_definition_that_moved_is_said_to_have_moved():
    head, _, rest = PYTHON.partition("def load")
    load, _, store = rest.partition("class Store")
    load, store = "def load" + load, "class Store" + store
    assert first(PYTHON, head + store + "\n\n" + load.rstrip() + "\n", "x.py") in (
        "only the order of lines changed; the function `load` moved after `Store`.",
        "only the order of lines changed; the class `Store` moved to the beginning.",
    )
    out = (
        PYTHON[: PYTHON.index("    def get")] + "\n\ndef get(self, number):\n    return self.things[number]\n"
    )
    assert "the function `get` moved out of `Store` to the top level" in first(PYTHON, out, "x.py")


def test_comments_alone_are_told_as_such():
    answer = told(
        PYTHON, PYTHON.replace("        check(thing)", "        # careful\n        check(thing)"), "x.py"
    )
    assert "- the method `Store.put` changed: only comments or layout, 1 line added" in answer


def test_lines_outside_of_definitions():
    answer = told(PYTHON, PYTHON.replace("import os", "import os\nimport sys"), "x.py")
    assert answer.splitlines()[0].endswith(": 1 line added outside of definitions.")
    assert "- added: `import sys`" in answer


@pytest.mark.parametrize(
    ("name", "source", "before", "after", "said"),
    [
        ("x.go", "func Put(a int) int {\n\treturn a\n}\n\nfunc (s *T) Get() {\n\tx()\n}\n", "x()", "y()", "method `Get`"),
        ("x.js", "class A {\n  run(a) {\n    go();\n  }\n}\nconst f = (a) => {\n  x();\n};\n", "go()", "no()", "method `A.run`"),
        ("x.ts", "export const f = async (a: B): C => {\n  x();\n};\n", "x()", "y()", "function `f`"),
        ("x.rs", "impl Foo for Bar {\n    pub fn go(&self) {\n        x();\n    }\n}\n", "x()", "y()", "function `Foo for Bar.go`"),
        ("x.c", "static int\nfoo(int a)\n{\n  return a;\n}\n\nint bar(void) {\n  return 2;\n}\n", "return a", "return 1", "function `foo`"),
        ("x.cs", "class A\n{\n  public int Go(int a)\n  {\n    return a;\n  }\n}\n", "return a", "return 1", "method `A.Go`"),
        ("x.java", "public class A {\n  int go(int a) {\n    return a;\n  }\n}\n", "return a", "return 1", "method `A.go`"),
        ("x.rb", "class A\n  def go?\n    1\n  end\nend\n", "1", "2", "function `A.go?`"),
        ("x.sh", "go() {\n  ls\n}\nfunction stop {\n  pwd\n}\n", "pwd", "cd", "function `stop`"),
        ("x.py", "def broken(:\n    return 1\n\ndef fine():\n    return 2\n", "return 2", "return 3", "function `fine`"),
    ],
)  # fmt: skip
def test_other_languages_are_read_by_the_lines_that_begin_definitions(name, source, before, after, said):
    assert first(source, source.replace(before, after), name) == f"the {said} changed."


# Keys


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("x.json", '{"server": {"port": 80}}', '{"server": {"port": 8080}}', "`server.port`: `80` → `8080`."),
        ("x.toml", "[server]\nport = 80\n", "[server]\nport = 8080\n", "`server.port`: `80` → `8080`."),
        ("x.ini", "[server]\nport = 80\n", "[server]\nport = 8080\n", "`server.port`: `80` → `8080`."),
        ("x.yaml", "server:\n  port: 80 # here\n", "server:\n  port: 8080 # here\n", "`server.port`: `80` → `8080`."),
        (".env", "A=1\nPORT=80\n", "A=1\nPORT=8080\n", "`PORT`: `80` → `8080`."),
        ("x.json", '{"a": 1.0}', '{"a": 1.00}', "`a`: `1.0` → `1.00`."),
        ("x.json", '{"a": [1, 2]}', '{"a": [1, 2, 3]}', "`a[2]` added: `3`."),
        ("x.json", '{"a": ["x", "y", "z"]}', '{"a": ["y", "z", "x"]}', "`a[0]` moved to `a[2]`."),
        ("x.json", '{"a": {"k": "v"}, "b": {}}', '{"a": {}, "b": {"k": "v"}}', "`a.k` moved to `b.k`."),
        ("x.json", '{"old": "the value"}', '{"new": "the value"}', "`old` renamed to `new`."),
        ("x.json", '{"u": [{"id": 1, "n": 1}, {"id": 2}]}', '{"u": [{"id": 0}, {"id": 1, "n": 2}, {"id": 2}]}',
         "`u[id=0]` added: `{id: 0}`; `u[id=1].n`: `1` → `2`."),
        ("x.yaml", "# a\nk: 1\n", "# b\nk: 1\n", "1 comment added, 1 removed."),
        ("x.json", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}',
         "no key or value changed, only their order, layout or comments; 1 line changed."),
        ("x.json", '{"a": 1', '{"a": 2', "1 line changed."),
        ("x.json", '{"a.b": 1}', '{"a.b": 2}', '`"a.b"`: `1` → `2`.'),
    ],
)  # fmt: skip
def test_keys_and_values(name, old, new, said):
    assert first(old, new, name) == said


def test_many_keys_are_counted_and_listed():
    old = json.dumps({f"key{number}": number for number in range(100)})
    new = json.dumps({f"key{number}": -number for number in range(100)})
    answer = told(old, new, "x.json")
    assert answer.splitlines()[0].endswith(": 99 keys changed.")
    assert "- `key1`: `1` → `-1`\n" in answer and f"- … and {99 - MOST_ITEMS} more\n" in answer


def test_yaml_is_read_as_far_as_it_is_understood():
    text = """---
version: "3"   # comment
web:
  ports:
  - 80:80
  - a # b
  env: {A: 1}
  script: |
    echo hi

    x: y
  after: don't
list:
  - name: a
    x: 1
  -
    name: b
  - - 1
    - 2
  - run: >-
      one
      two
    next: 3
none:
"""
    assert read_yaml(text) == {
        "version": '"3"',
        "web": {"ports": ["80:80", "a"], "env": "{A: 1}", "script": "echo hi x: y", "after": "don't"},
        "list": [{"name": "a", "x": "1"}, {"name": "b"}, ["1", "2"], {"run": "one two", "next": "3"}],
        "none": None,
    }


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\n", "a: 1\n---\nb: 2\n", "a: 1\na: 2\n", "a:\n\tb: 1\n", 'a: "x\n  y"\n', "a: {b: 1,\n  c: 2}\n",
     "a: 1\n   b: 2\n", "a: x\n  y\n", "<<: *x\n", "a: !t 1\n", "  a: 1\nb: 2\n"],
)  # fmt: skip
def test_yaml_that_is_beyond_the_reader_is_refused(text):
    with pytest.raises(Unreadable):
        read_yaml(text)


# Tables


def test_columns_and_rows():
    old = "id,name,price\n1,ant,10\n2,bee,20\n3,cat,30\n"
    new = "id,name,cost,note\n1,ant,10,\n3,cat,35,x\n2,bee,20,\n4,dog,1,\n"
    answer = told(old, new, "x.csv")
    assert answer.splitlines()[0].endswith(
        ": the column “price” renamed to “cost”; the column “note” added; 1 row added, 1 changed, 1 moved."
    )
    assert "## Rows (by `id`)" in answer
    assert "- `3`: `cost` `30` → `35`\n- added: `4, dog, 1,`\n" in answer


def test_rows_without_a_key_are_matched_as_lines_are():
    old = "a;b\nx y;1 1\nx y;1 1\nz z;2 2\n"
    new = "a;b\nx y;1 1\nz z;2 3\nx y;1 1\n"
    assert first(old, new, "x.csv") == "1 row changed."
    assert "`b` `2 2` → `2 3`" in told(old, new, "x.csv")


def test_a_tsv_without_a_header_has_numbered_columns():
    assert "`column 2` `x` → `y`" in told("1\tx\n2\tz\n", "1\ty\n2\tz\n", "x.tsv")


# Lines


def test_lines_that_moved_are_said_to_have_moved():
    answer = told("line one\nline two\nx\ny\n", "x\ny\nline one\nline two\nz\n", "x.log")
    assert answer.splitlines()[0].endswith(": 1 line added, 2 moved.")
    assert "- lines 1-2 moved to line 3: `line one` and 1 line more\n- line 5 added: `z`\n" in answer


def test_a_log_that_grew_grew_at_the_end():
    assert first("a\nb\n", "a\nb\nc\nd\n", "x.log") == "2 lines added at the end."


# Hostile content


def test_text_of_a_file_stays_on_its_line_and_in_its_quotation():
    evil = "\x1b[31m`code`` <b>\u202e\n"
    answer = told("quiet text here\n", evil, "x.log")
    assert "```[31m`code`` <b>```" in answer.replace("``` ", "```").replace(" ```", "```")
    assert "\x1b" not in answer and "\u202e" not in answer
    name = "a\n# b`\x1b"
    assert "\n# b" not in told("a", "b", name) and "\x1b" not in told("a", "b", name)


def test_the_answer_is_bounded():
    old = "".join(
        f"# Part {number}\n\n" + f"Word{number} stays here forever. " * 50 + "\n\n" for number in range(200)
    )
    answer = told(old, old.replace("stays", "does not remain"), "x.md")
    assert len(answer) <= MOST_CHARACTERS + 1000 and "more in" in answer
    assert len(told("a" * 10**6, "b" * 10**6, "x.log")) < 2000


@pytest.mark.parametrize(
    "name", ["x.json", "x.toml", "x.yaml", "x.py", "x.md", "x.csv", "x.c", "x.ini", "x.js"]
)
@pytest.mark.parametrize(
    "piece",
    ["[", '{"a":', "(", "a.", "- ", "  " * 30 + "a:\n", "#" * 6 + " ", "'''", "-", "|", "a=[", "`", "! ", "def f(:\n ", "{\n",
     ". ", "“", "a:\n" + " " * 9, "* ", "x,\"", "=====\n", "function f(", "<"],
)  # fmt: skip
def test_depth_and_repetition_raise_nothing(name, piece):
    deep = piece * (20_000 // len(piece))
    assert told(deep, deep + "x", name).endswith("\n")
    assert told("x\n" + deep, deep, name).endswith("\n")


SUFFIXES = sorted(_READERS) + ["log", ""]
PIECES = st.lists(
    st.sampled_from(
        ["# A\n", "## B\n", "one two three.", " Four five six!", "\n", "\n\n", "- item\n", "```\n", "| a | b |\n", "a: 1\n",
         "  b: 2\n", "- c: |\n", "    x\n", "def f():\n", "    return 1\n", "class C:\n", "  def m(self):\n", "}\n", "{\n",
         "a,b\n", "1,2\n", '"', "[a]\n", "x = 1\n", '{"a": [1, {"b": null}]}', "\t", "\r\n", "é", "\x00", "\ud800", "=====\n",
         "function g() {\n", "---\n", "<<: *x\n", "#", "😀", "'", "\x1b[0m"]
    ),
    max_size=25,
).map(lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass"))  # fmt: skip
SIDES = st.one_of(
    st.none(),
    PIECES,
    st.binary(max_size=80),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    SIDES, SIDES, st.sampled_from(SUFFIXES), st.binary(max_size=8), st.text(max_size=4), st.text(max_size=4)
)
def test_nothing_raises_and_the_same_question_has_the_same_answer(
    old, new, suffix, stem, old_label, new_label
):
    name = stem + b"." + suffix.encode()
    answer = compare(old, new, name=name, old_label=old_label, new_label=new_label)
    assert answer == compare(old, new, name=name, old_label=old_label, new_label=new_label)
    assert answer.endswith(".\n") or "\n## " in answer or "\n… and " in answer
    assert answer.encode("utf-8") and "\x1b" not in answer and "\0" not in answer
    assert ("nothing changed" in answer.split("\n")[0]) == (old == new and old is not None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_values_that_differ_are_told_and_equal_ones_are_not(old, new):
    answer = told(json.dumps(old), json.dumps(new, indent=1) + "\n", "x.json")
    differ = json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True)
    assert ("\n## Keys " in answer) == differ


# Words


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_different_bytes_differ_as_text_or_in_encoding(one, other):
    if one != other:
        assert decode(one) is None or decode(one) != decode(other)


@given(st.text(max_size=40), st.integers(2, 30))
def test_what_is_shown_is_one_short_line(text, most):
    line = shown(text, most)
    assert len(line) <= most and line.isprintable() or not set(line) & set("\n\r\t\x1b\0")
    assert line.encode("utf-8") is not None and "\n" not in code(text)


def test_counts_have_their_plurals():
    assert [counted(1, "line"), counted(1234, "entry"), counted(2, "key"), counted(2, "line of code")] == [
        "1 line",
        "1,234 entries",
        "2 keys",
        "2 lines of code",
    ]


def test_words_of_scripts_without_blanks_are_characters():
    assert words("Don't 東京 go") == ["don", "t", "東", "京", "go"]
