"""Passages: nothing is lost, nothing is too long, and each says truly where it stands."""

import json
import re
import tracemalloc
from itertools import count

import pytest
from endings import ends
from hypothesis import given, settings
from hypothesis import strategies as st

from lsfs.engine import passages
from lsfs.engine.dialogue import is_dialogue
from lsfs.engine.document import Cut, Document, Section
from lsfs.engine.passages import cut
from lsfs.engine.types import TYPES

WORDS = st.sampled_from(
    [
        "alpha",
        "beta.",
        "Gamma",
        "δέλτα!",
        "日本語。",
        "x" * 90,
        "def f():",
        "#",
        "##",
        "```",
        "---",
        "===",
        "a,b",
        "  ",
    ]
)
LINES = st.one_of(
    st.lists(WORDS, max_size=30).map(" ".join),
    st.sampled_from(
        [
            "",
            "",
            " ",
            "# One",
            "## Two",
            "class A:",
            "    def b(self):",
            "        return 1",
            "@x",
            "}",
            "Title",
            "=====",
            "7",
            "00:00:01,000 --> 00:00:02,000",
            "---",
        ]
    ),
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=300),
)
TEXTS = st.lists(LINES, max_size=60).map("\n".join)
KINDS = st.sampled_from([row.name for row in TYPES if row.family in ("doc", "code", "data")])


def words(texts: list[str]) -> list[int]:
    """A tokenizer: a token for each begun six characters of a word."""
    return [sum(-(-len(word) // 6) for word in text.split()) for text in texts]


def characters(texts: list[str]) -> list[int]:
    """The worst tokenizer: two tokens for each character."""
    return [2 * len(text) for text in texts]


def spiteful(texts: list[str]) -> list[int]:
    """Joined text counts more than its parts do."""
    return [len(text.split()) ** 2 for text in texts]


def check(document: Document, cuts: list[Cut], budget: int, tokens=words) -> None:  # type: ignore[no-untyped-def]
    lines = document.text.split("\n")
    covered: set[int] = set()
    for one in cuts:
        covered.update(range(one.first_line, one.last_line + 1))
        assert 1 <= one.first_line <= one.last_line <= len(lines)
        assert one.text.strip()
        assert len(one.title) <= 160
        parts = one.text.split("\n")
        assert len(parts) == one.last_line - one.first_line + 1
        for offset, part in enumerate(parts):  # whole lines inside, a line's part at the ends
            line = lines[one.first_line - 1 + offset]
            assert part in line if offset in (0, len(parts) - 1) else part == line
        if one.embed:
            assert tokens([one.text])[0] <= budget or len(one.text) == 1
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= covered
    starts = [one.first_line for one in cuts]
    assert starts == sorted(starts)


@settings(max_examples=150, deadline=None)
@given(TEXTS, KINDS, st.integers(5, 200), st.integers(0, 60), st.sampled_from([words, characters, spiteful]))
def test_every_line_is_in_a_passage_within_the_budget_and_lines_are_true(
    text, kind, budget, overlap, tokens
) -> None:  # type: ignore[no-untyped-def]
    document = Document(kind, text, "T")
    cuts = cut(document, tokens, budget, overlap)
    check(document, cuts, budget, tokens)
    assert cuts == cut(document, tokens, budget, overlap)


@settings(max_examples=100, deadline=None)
@given(TEXTS, KINDS, st.integers(0, 40))
def test_every_word_is_in_a_passage(text, kind, overlap) -> None:  # type: ignore[no-untyped-def]
    number = count(1)
    text = re.sub(r"\w{2,60}", lambda found: f"{found[0]}_{next(number)}_", text)
    found = " ".join(one.text for one in cut(Document(kind, text), words, 40, overlap))
    assert not [word for word in re.findall(r"\w{2,60}", text) if word not in found]


@settings(max_examples=60, deadline=None)
@given(TEXTS, KINDS)
def test_what_is_beyond_the_limit_is_still_found_by_its_words(text, kind) -> None:  # type: ignore[no-untyped-def]
    document = Document(kind, text)
    limit = passages.LIMIT
    passages.LIMIT = 2
    try:
        cuts = cut(document, words, 20, 5)
    finally:
        passages.LIMIT = limit
    check(document, cuts, 20)
    assert [one.embed for one in cuts[:2]] == [True] * len(cuts[:2])
    assert not any(one.embed for one in cuts[2:])


def test_blank_documents_have_no_passages() -> None:
    assert cut(Document("text", ""), words) == []
    assert cut(Document("markdown", " \n\t\n"), words) == []


def test_a_small_file_is_one_passage() -> None:
    [only] = cut(Document("text", "one\ntwo\n\nthree\n", "one"), words)
    assert only == Cut(1, 4, "one", "one\ntwo\n\nthree")


def sentence(number: int, size: int = 12) -> str:
    return " ".join([f"word{number}"] * size) + "."


def test_markdown_passages_carry_their_heading_chain_and_do_not_cross_filled_sections() -> None:
    text = "\n".join(
        [
            "# Handbook",
            "",
            "## Refunds",
            "",
            *(sentence(n) for n in range(6)),
            "",
            "## Travel",
            "",
            *(sentence(n) for n in range(6)),
        ]
    )
    first, second = cut(Document("markdown", text, "Handbook"), words)
    assert first.title == "Handbook > Refunds" or first.title == "Handbook"
    assert first.text.startswith("# Handbook") and "Travel" not in first.text
    assert second.title == "Handbook > Travel" and second.text.startswith("## Travel")
    assert second.first_line == text.split("\n").index("## Travel") + 1


def test_headings_in_fences_and_front_matter_are_none() -> None:
    text = "---\ntitle: X\n---\n\n```\n# not a heading\n```\n\nbody\n"
    [only] = cut(Document("markdown", text, "X"), words)
    assert only.title == "X"


def test_underlined_headings_count() -> None:
    text = "Alpha\n=====\n\n" + sentence(1, 80) + "\n\nBeta\n----\n\n" + sentence(2, 80) + "\n"
    titles = {one.title for one in cut(Document("rst", text, "Alpha"), words)}
    assert "Alpha > Beta" in titles


def test_code_is_cut_at_definitions_and_titled_by_what_encloses_it() -> None:
    body = "\n".join(f"        value_{n} = compute(value_{n - 1}, {n})" for n in range(1, 30))
    text = f"import os\n\n\nclass Ledger:\n    def add(self):\n{body}\n\n    def remove(self):\n{body}\n"
    text += "\n\n@cached\ndef total():\n    return 1\n"
    cuts = cut(Document("python", text, "ledger"), words, 200, 40)
    titles = [one.title for one in cuts]
    assert any(title.endswith("class Ledger > def add(self)") for title in titles)
    assert any("def remove(self)" in title for title in titles)
    assert cuts[-1].text.startswith("@cached\ndef total")
    assert "class Ledger" not in cuts[-1].title


def test_csv_passages_carry_the_header() -> None:
    text = "name,amount,reason\n" + "".join(f"person{n},{n},refund number {n}\n" for n in range(200))
    cuts = cut(Document("csv", text, "t"), words, 60, 0)
    assert len(cuts) > 3
    assert all("name,amount,reason" in one.title for one in cuts[1:])


def test_neighbours_overlap_by_whole_sentences() -> None:
    text = " ".join(sentence(n) for n in range(60))
    cuts = cut(Document("text", text, ""), words, 60, 20)
    for one, following in zip(cuts, cuts[1:], strict=False):
        shared = following.text.split(". ")[0]
        assert shared in one.text
    without = cut(Document("text", text, ""), words, 60, 0)
    assert " ".join(one.text for one in without) == text


@pytest.mark.parametrize(
    "text",
    [
        "word " * (2 << 20),
        "x" * (10 << 20),
        "ab\n" * 1_000_000,
        "\n" * 1_000_000 + "end",
        ("a" + " " * 3000) * 1000,
        "。" * 1_000_000,
        "# h\n" * 300_000,
        ". " * 2_000_000,
        "{" * 200_000 + "\n" + "class A " * 100_000,
        "(" * 100 + "\n" + ("a " * 500 + "\n") * 2000,
    ],
    ids=[
        "one line of words",
        "one word",
        "short lines",
        "blank lines",
        "holes",
        "ideographic stops",
        "headings",
        "dots",
        "braces",
        "rows",
    ],
)
@pytest.mark.parametrize("kind", ["text", "markdown", "c", "csv"])
def test_huge_and_odd_files_take_linear_work(text: str, kind: str) -> None:
    counted = 0

    def tokens(texts: list[str]) -> list[int]:
        nonlocal counted
        counted += sum(map(len, texts))
        return [len(one) // 4 + 1 for one in texts]

    with ends():
        cuts = cut(Document(kind, text), tokens)
    assert counted <= 4 * min(len(text), passages.LIMIT * 1000) + 10_000
    assert cuts
    assert sum(one.embed for one in cuts) <= passages.LIMIT
    assert all(len(one.text) <= max(passages.COARSE, 1000) for one in cuts)


def test_a_method_that_fits_is_whole_and_a_decorator_stays_with_it() -> None:
    body = "\n".join(f"        value_{n} = {n}" for n in range(12))
    text = f"class Ledger:\n    about = 1\n    more = 2\n    most = 3\n\n    def add(self):\n{body}\n"
    text += f"\n    @cached\n    def take(self):\n{body}\n"
    parts = (
        Section(1, 33, "class Ledger"),
        Section(6, 18, "def add(self)"),
        Section(20, 33, "def take(self)"),
    )
    cuts = cut(Document("python", text, "ledger", sections=parts), words, 60, 10)
    assert [one.title for one in cuts] == [
        "class Ledger",
        "class Ledger > def add(self)",
        "class Ledger > def take(self)",
    ]
    assert cuts[1].text.startswith("def add") or cuts[1].text.startswith("    def add")
    assert cuts[2].text.lstrip().startswith("@cached\n    def take")


def turn(name: str, size: int) -> str:
    return f"{name}: " + " ".join(f"word{n}" for n in range(size)) + "."


CHATS = [
    "{}: {}",
    "[10:15] {}: {}",
    "(10:15 AM) {}: {}",
    "12/31/26, 9:15 PM - {}: {}",
    "\u200e[31.12.26, 21:15:33] {}: {}",
    "**{}:** {}",
    "[10:15] <{}> {}",
    "2026-11-28 10:15:01 {}: {}",
]


@pytest.mark.parametrize("form", CHATS)
@pytest.mark.parametrize("kind", ["text", "markdown"])
def test_turns_that_fit_are_never_cut_and_one_alone_is_titled_by_its_speaker(form: str, kind: str) -> None:
    sizes = [5, 40, 3, 45, 63, 20, 60, 12, 7, 44, 4]
    lines = [
        form.format(name, " ".join(f"word{at}of{n}" for n in range(size)))
        for at, (name, size) in enumerate(zip(["Anna", "Bob Lee", "Zoë"] * 4, sizes, strict=False))
    ]
    cuts = cut(
        Document(kind, "\n".join(lines), "Chat"), lambda texts: [len(one.split()) for one in texts], 70, 20
    )
    for at, line in enumerate(lines):
        assert any(line in one.text for one in cuts), at
    assert "Chat > Bob Lee" in [one.title for one in cuts]
    assert all(one.title == "Chat" for one in cuts if one.text.count("\n"))


def test_a_turn_that_does_not_fit_is_cut_and_all_of_it_is_titled_by_its_speaker() -> None:
    text = "\n".join(
        [turn("Anna", 4), turn("Bob", 300), turn("Anna", 4), *(turn(name, 3) for name in ("Bob", "Anna") * 2)]
    )
    cuts = cut(Document("text", text, ""), words, 60, 0)
    middle = [one for one in cuts if one.first_line == one.last_line == 2]
    assert len(middle) > 4
    assert {one.title for one in middle} == {"Bob"}


def test_what_has_colons_is_no_dialogue() -> None:
    assert not is_dialogue("Name: x\nSize: 3\nColour: red\nWeight: 4\nPrice: 5\nMaker: z\nPlace: here\n")
    assert not is_dialogue("Note: all of this is prose.\n" + "It goes on and on.\n" * 30)
    assert not is_dialogue("<table>\n<tr>\n<td>x</td>\n</tr>\n</table>\n" * 9)
    assert not is_dialogue("- Returns: a number\n- Takes: a text\n" * 9)
    assert is_dialogue("Q: why?\nA: so.\n" * 4)
    assert is_dialogue("李雷：你好\n韩梅梅：你好吗\n" * 3)


def test_cues_of_subtitles_are_whole_with_their_times_and_their_speaker() -> None:
    cues = [
        f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\nSomebody says {'word ' * 12}number {n}.\n"
        for n in range(1, 7)
    ]
    cuts = cut(Document("subtitles", "\n".join(cues), "Film"), words, 40, 10)
    assert len(cuts) > 2
    for cue in cues:
        assert any(cue.strip() in one.text for one in cuts)
    voiced = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Roger Bingham>We are in New York City\n\n00:03.000 --> 00:04.000\n<v Neil>Right\n"
    titles = [one.title for one in cut(Document("subtitles", voiced, "Film"), words, 16, 0)]
    assert titles == ["Film", "Film > Neil"]


TREE = {
    "meta": {"version": 1},
    "users": [
        {"id": n, "name": f"name{n}", "address": {"street": f"street {n} " * 4, "tags": ["a", "b"]}}
        for n in range(9)
    ],
}


@pytest.mark.parametrize("indent", [1, 4, None])
def test_json_is_cut_at_records_that_carry_their_path(indent: int | None) -> None:
    text = json.dumps(TREE, indent=indent)
    most = max(words([json.dumps(user, indent=indent)])[0] for user in TREE["users"])
    cuts = cut(Document("json", text, ""), words, most + 4, 0)
    for number in range(9):
        record = [one for one in cuts if f'"name{number}"' in one.text]
        assert len(record) == 1 and f"street {number} street {number}" in record[0].text
    assert "users[4]" in [one.title for one in cuts]
    assert {one.title for one in cuts} <= {"", "meta", "users", *(f"users[{n}]" for n in range(9))}


def test_a_large_json_record_is_cut_at_what_it_holds() -> None:
    record = {
        "paths": {
            f"/{name}": {verb: {"summary": f"{verb} {name} " * 12} for verb in ("get", "put")}
            for name in ("a", "b")
        }
    }
    titles = [one.title for one in cut(Document("json", json.dumps(record, indent=1), "api"), words, 40, 0)]
    assert "api > paths./a.put" in titles and "api > paths./b.put" in titles


def test_lines_of_json_are_records_and_a_broken_one_harms_no_other() -> None:
    lines = ['{"id": %d, "said": "%s"}' % (n, f"word{n} " * 10) for n in range(12)]  # noqa: UP031
    lines[3] = lines[3][:-9]
    cuts = cut(Document("jsonl", "\n".join(lines), "log"), words, 50, 0)
    assert len(cuts) > 3
    for line in lines:
        assert any(line in one.text for one in cuts)
    assert {one.title for one in cuts} == {"log"}


def test_a_cell_of_csv_with_line_ends_stays_in_its_row() -> None:
    rows = [f'{n},"first {n}\nsecond {n}\nthird {n}",{"x " * 8}' for n in range(9)]
    cuts = cut(Document("csv", "\n".join(["id,said,more", *rows]), ""), words, 40, 0)
    for row in rows:
        assert any(row.rstrip() in one.text for one in cuts)


def test_rows_of_a_sheet_carry_its_name_and_its_header() -> None:
    text = (
        "Budget\nItem | Cost\n"
        + "\n".join(f"item{n} | {n}" for n in range(40))
        + "\n\nPeople\nName\n"
        + "Anna\n" * 40
    )
    parts = (
        Section(1, 42, "Budget"),
        Section(3, 42, "Item | Cost"),
        Section(44, 85, "People"),
        Section(46, 85, "Name"),
    )
    cuts = cut(Document("xlsx", text, "Budget", sections=parts), words, 40, 0)
    titles = [one.title for one in cuts]
    assert titles[1] == "Budget > Item | Cost" and titles[-1] == "Budget > People > Name"
    assert set(titles) <= {"Budget", "Budget > Item | Cost", "Budget > People", "Budget > People > Name"}


DEEP = {
    "brackets": "[" * (1 << 17),
    "members": '{"a":' * (1 << 15),
    "closed": "]" * (1 << 17),
    "strings": '"' * (1 << 17),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_json_nested_as_deep_as_a_file_is_long_takes_linear_work_and_memory(text: str, kind: str) -> None:
    tracemalloc.start()
    with ends():
        cuts = cut(Document(kind, text), lambda texts: [len(one) // 4 + 1 for one in texts])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(one.text) for one in cuts) >= len(text)
    assert peak < 20 * len(text)


SPANS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 40), st.sampled_from(["a", "b" * 90, ""])), max_size=12
)


@settings(max_examples=100, deadline=None)
@given(
    TEXTS,
    st.sampled_from(["python", "mail", "xlsx", "notebook"]),
    SPANS,
    st.integers(5, 100),
    st.integers(0, 40),
)
def test_whatever_sections_a_document_has_nothing_of_it_is_lost(text, kind, spans, budget, overlap) -> None:  # type: ignore[no-untyped-def]
    parts = tuple(sorted(Section(line, line + size, title) for line, size, title in spans))
    document = Document(kind, text, "T", sections=parts)
    check(document, cut(document, words, budget, overlap), budget)


SIZES = st.lists(st.integers(1, 60), min_size=12, max_size=40)
ENTRIES = {
    "text": lambda at, said: f"{('Anna', 'Bob', 'Zoë')[at % 3]}: {said}",
    "markdown": lambda at, said: f"**{('Anna', 'Bob', 'Zoë')[at % 3]}:** {said}",
    "csv": lambda at, said: f"{at},{said}",
    "jsonl": lambda at, said: json.dumps({"id": at, "said": said}),
}


@pytest.mark.parametrize("kind", ENTRIES)
@settings(max_examples=60, deadline=None)
@given(sizes=SIZES, budget=st.integers(10, 60), overlap=st.integers(0, 30))
def test_a_turn_or_a_record_that_fits_is_in_one_passage(kind, sizes, budget, overlap) -> None:  # type: ignore[no-untyped-def]
    entries = [
        ENTRIES[kind](at, " ".join(f"w{at}x{n}" for n in range(size))) for at, size in enumerate(sizes)
    ]
    document = Document(kind, "\n".join(entries), "")
    cuts = cut(document, words, budget, overlap)
    check(document, cuts, budget)
    for entry in entries:
        if words([entry])[0] <= budget:
            assert any(entry in one.text for one in cuts), entry


def test_what_weighs_nothing_to_a_model_fills_passages_all_the_same() -> None:
    """Zero width spaces are no tokens to a model, and a long run of letters is one."""

    def letters(texts: list[str]) -> list[int]:
        return [len(re.findall("[a-z]+", text)) for text in texts]

    for text in ("\u200b\n" * 20_000, "\u200b\n\n" * 20_000, "a" * 40_000, ("\u0301" * 300 + "\n") * 100):
        sizes = [len(one.text) for one in cut(Document("text", text), letters, 200, 40)]
        assert max(sizes) <= 200 * 40 and sum(sizes) >= len("".join(text.split()))


def test_a_cue_without_words_keeps_its_time() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n00:00:03,000 --> 00:00:04,000\nHello.\n"
    assert cut(Document("subtitles", text), words)[0].text == text.strip()
