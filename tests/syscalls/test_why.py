"""why: each hit with what its score is made of, a line each, whatever the names are."""

import json

from hypothesis import given
from hypothesis import strategies as st

from syscalls.confidence import SIGNALS
from syscalls.prompt import parse
from syscalls.results import results_json
from syscalls.values import Hit, Passage, Results
from syscalls.why import COLUMNS, why_table, why_tsv

PATHS = st.binary(min_size=1, max_size=40).filter(lambda path: b"\0" not in path and path.strip(b"/") == path)
USED = ("words", "near", "context", "meaning", "path", "speaker")
BEST = Hit(
    b"policies/refund.md",
    0.51,
    {"words": 0.5, "meaning": 0.25, "path": 1.0},
    (Passage(12, 14, "best", 0.9), Passage(1, 2, "second", 0.1)),
)
NAMED = Hit("退款.pdf".encode(), 0.2, {"path": 0.125})


def answer(*hits, signals=USED):
    return Results(parse("refund"), b"", hits, 3, 0, "used", 1.0, signals)


def table(results):
    header, *rows = why_tsv(results).decode().splitlines()
    return [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]


def test_a_row_says_rank_file_score_every_signal_and_the_lines_of_the_best_passage():
    best, named = table(answer(BEST, NAMED))
    assert list(best) == ["rank", "file", "score", *SIGNALS, "lines"] and len(set(COLUMNS)) == len(COLUMNS)
    assert best == {
        "rank": "1", "file": "files/policies/refund.md", "score": "0.510000", "words": "0.500000", "near": "0.000000",
        "context": "0.000000", "meaning": "0.250000", "path": "1.000000", "speaker": "0.000000", "date": "-", "name": "-", "lines": "12-14",
    }  # fmt: skip
    assert (named["rank"], named["file"], named["path"], named["lines"]) == (
        "2",
        "files/退款.pdf",
        "0.125000",
        "-",
    )


def test_the_numbers_are_those_of_results_json():
    results = answer(BEST, NAMED)
    for row, hit in zip(table(results), json.loads(results_json(results))["hits"], strict=True):
        assert float(row["score"]) == hit["score"] and row["file"] == hit["path"]
        assert {name: float(row[name]) for name in hit["parts"]} == hit["parts"]


def test_where_nothing_was_ranked_no_signal_was_in_use():
    (row,) = table(answer(Hit(b"a.md", 0.0, dict.fromkeys(SIGNALS, 0.0)), signals=()))
    assert [row[name] for name in SIGNALS] == ["-"] * len(SIGNALS)


def test_nothing_found_is_a_header_alone():
    assert why_tsv(answer()).decode() == "\t".join(COLUMNS) + "\n"


def test_a_name_cannot_forge_a_row_or_speak_to_the_terminal():
    hit = Hit(b"a\n1\tfiles/trusted.md\t1.0\x1b[2J", 0.5, {"words": 1.0})
    (row,) = table(answer(hit))
    assert row["file"] == "files/a\\n1\\tfiles/trusted.md\\t1.0\\x1b[2J"
    assert "\x1b" not in why_table(answer(hit)) and len(why_table(answer(hit)).splitlines()) == 2


@given(st.lists(PATHS, max_size=5))
def test_every_row_of_any_names_is_a_line_of_utf8_with_as_many_columns(paths):
    text = why_tsv(answer(*(Hit(path, 0.5, {}) for path in paths))).decode("utf-8")
    lines = text.split("\n")
    assert lines.pop() == "" and len(lines) == 1 + len(paths) == 1 + len(text.splitlines()[1:])
    assert {line.count("\t") for line in lines} == {len(COLUMNS) - 1}


def test_the_table_for_people_says_the_same_aligned():
    said = why_table(answer(BEST, NAMED)).splitlines()
    cells = [line.split() for line in said]
    shorter = [[*row[:2], *(cell[:-3] if "." in cell else cell for cell in row[2:])] for row in
               (line.split("\t") for line in why_tsv(answer(BEST, NAMED)).decode().splitlines()[1:])]  # fmt: skip
    assert cells == [list(COLUMNS), *shorter]
    ends = [said[0].index(name) + len(name) for name in ("score", "words", "lines")]
    assert all(line[end - 1] != " " for line in said[:2] for end in ends)
    assert len(said[2]) == len(said[1]) - 2, "a wide character takes two columns"
