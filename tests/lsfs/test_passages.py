"""Passages: nothing is lost, nothing is too long, and each says truly where it stands."""

import re
from itertools import count

import pytest
from endings import ends
from hypothesis import given, settings
from hypothesis import strategies as st

from lsfs.engine import passages
from lsfs.engine.document import Cut, Document
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
