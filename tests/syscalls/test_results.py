"""Answers as JSON and Markdown."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from syscalls.alike import GONE
from syscalls.prompt import parse
from syscalls.results import advice, from_json, passages_md, results_json
from syscalls.retrieve import MORE, ONLY_NEAR
from syscalls.values import Hit, Passage, Results

PATHS = st.binary(min_size=1, max_size=40).filter(
    lambda path: b"\0" not in path and not path.startswith(b"/") and not path.endswith(b"/")
)


def answer(text="refund", hits=(), **changes):
    values = {"folder": b"", "sequence": 3, "pending": 0, "meaning": "used", "took_ms": 1.25} | changes
    return Results(parse(text), hits=tuple(hits), **values)


HIT = Hit(b"policies/refund.md", 0.5, {"words": 0.5}, (Passage(12, 14, "# Title\ntwo signatures", 0.9),))


def test_results_json_says_what_how_and_from_what():
    said = json.loads(
        results_json(answer('refund "two signatures" in:policies/ after:2025 limit:0', [HIT], pending=2))
    )
    assert said["hits"] == [
        {
            "path": "files/policies/refund.md",
            "score": 0.5,
            "parts": {"words": 0.5},
            "modified": None,
            "author": "",
            "passages": [{"lines": [12, 14], "text": "# Title\ntwo signatures", "score": 0.9}],
        }
    ]
    assert said["read"]["condition"] == '"two signatures"' and said["read"]["in"] == ["policies"]
    assert (
        said["read"]["words"] == ["refund", "two", "signatures", "limit", "0"]
        and len(said["read"]["notes"]) == 1
    )
    assert (said["sequence"], said["pending"], said["meaning"], said["folder"]) == (3, 2, "used", "files")


@given(PATHS, st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_an_answer_of_any_path_and_text_is_utf8_and_can_be_read_back(path, text):
    results = answer(text, [Hit(path, 1.0, {}, (Passage(1, 1, text, 1.0),))])
    results_json(results).decode("utf-8")
    passages_md(results).decode("utf-8")
    restored = from_json(results_json(results))
    assert restored.hits == results.hits and restored.prompt == results.prompt


def test_how_sure_an_answer_is_and_what_was_in_use_are_said_and_read_back():
    sure = answer(hits=[HIT], confidence=0.8123, signals=("words", "meaning"))
    said = json.loads(results_json(sure))
    assert (said["confidence"], said["signals"]) == (0.8123, ["words", "meaning"])
    restored = from_json(results_json(sure))
    assert (restored.confidence, restored.signals) == (0.8123, ("words", "meaning"))
    assert json.loads(results_json(answer("type:md")))["confidence"] is None


def test_an_answer_kept_by_an_older_lsfs_is_read_without_them():
    said = json.loads(results_json(answer(hits=[HIT], confidence=0.8, signals=("words",), like=(b"a",))))
    del said["confidence"], said["signals"], said["like"]
    restored = from_json(json.dumps(said).encode())
    assert (restored.hits, restored.confidence, restored.signals, restored.like) == ((HIT,), None, (), ())


def test_what_hits_are_to_be_like_is_said_as_it_was_written_and_as_it_was_found():
    asked = answer("like:refund.md like:gone.md", [HIT], folder=b"policies", like=(b"policies/refund.md",))
    said = json.loads(results_json(asked))
    assert said["read"]["like"] == ["refund.md", "gone.md"] and said["like"] == ["files/policies/refund.md"]
    assert said["exact"] is False and said["confidence"] is None
    assert replace(from_json(results_json(asked)), took_ms=asked.took_ms) == asked
    assert "Found by words only" in passages_md(replace(asked, meaning="loading")).decode()
    assert "after like:" in passages_md(answer("like:gone.md")).decode()


def test_where_no_file_was_left_to_compare_with_nothing_is_said_of_the_model():
    assert "Found by words only" not in passages_md(answer("like:gone.md", meaning="off")).decode()
    assert "Found by words only" in passages_md(answer("refund like:gone.md", meaning="off")).decode()


def test_where_a_file_to_be_like_was_left_out_that_is_what_to_mend():
    note = GONE.format("gone.md")
    assert advice(replace(parse("like:gone.md type:md"), notes=(note,))).startswith("Name another file")
    assert "leave out type:" in advice(parse("like:a.md type:md"))
    assert "leave out type:" in advice(replace(parse("refund like:gone.md type:md"), notes=(note,)))


def test_passages_begin_with_the_doubt_that_nothing_answers_and_say_it_once():
    asked = answer(hits=[HIT], confidence=0.05, signals=("words", "meaning"))
    lines = passages_md(asked).decode().splitlines()
    assert lines[:2] == ["# refund", ""] and lines[2].startswith("Probably nothing here answers")
    far = replace(
        asked,
        prompt=replace(asked.prompt, notes=(ONLY_NEAR, "another note")),
        hits=(Hit(b"a.md", 0.1, {"meaning": 0.1}),),
    )
    said = passages_md(far).decode()
    assert "no word of it occurs" in said and ONLY_NEAR not in said and "- another note" in said
    assert "Probably" not in passages_md(replace(asked, confidence=0.9)).decode()
    assert ONLY_NEAR in passages_md(replace(far, confidence=0.5)).decode()


def test_a_passage_is_quoted_below_its_path_and_line():
    lines = passages_md(answer(hits=[HIT])).decode().splitlines()
    place = lines.index("## files/policies/refund.md:12")
    assert lines[place + 2 : place + 4] == ["> # Title", "> two signatures"]


def test_passages_of_all_files_are_in_the_order_of_their_scores():
    other = Hit(b"b.md", 0.4, {}, (Passage(1, 1, "best", 0.95), Passage(5, 5, "worst", 0.1)))
    said = passages_md(answer(hits=[HIT, other])).decode()
    assert said.index("b.md:1\n") < said.index("refund.md:12") < said.index("b.md:5\n")


def test_an_incomplete_answer_says_so():
    said = passages_md(answer(hits=[HIT], pending=7, meaning="loading")).decode()
    assert "7 files are not fully indexed yet" in said and "model is still loading" in said


def test_no_hits_say_so_and_what_to_try():
    assert "Nothing found. Try fewer or other words." in passages_md(answer()).decode()
    assert "leave out the quotes" in passages_md(answer('"two signatures"')).decode()
    assert "leave out in:" in passages_md(answer("refund in:a")).decode()


def test_a_name_cannot_forge_a_heading_or_speak_to_the_terminal():
    hit = Hit(b"a\n## files/trusted.md:1\t\x1b[2J.md", 1.0, {}, (Passage(1, 1, "text", 1.0),))
    for hits in ((hit,), (Hit(hit.path, 1.0),)):
        said = passages_md(answer("re\x1bfund", hits)).decode()
        assert "a\\n## files/trusted.md:1\\t\\x1b[2J.md" in said and "\x1b" not in said
        assert "## files/trusted.md:1" not in [line[:24] for line in said.splitlines()]


def test_what_was_read_otherwise_is_still_said_when_an_answer_is_restored():
    asked = answer('"two signatures"')
    asked = replace(
        asked, prompt=replace(asked.prompt, condition=None, exact=False, notes=("searched as words",))
    )
    assert from_json(results_json(asked)).prompt == asked.prompt


def test_a_prompt_of_nothing_but_fields_is_exact():
    assert json.loads(results_json(answer("type:mail", [HIT])))["exact"] is True
    assert json.loads(results_json(answer("rent type:mail", [HIT])))["exact"] is False


def test_an_answer_that_is_cut_does_not_read_as_all_there_is():
    whole = answer("type:md", [HIT])
    assert "- 1 file.\n" in passages_md(whole).decode()
    assert "- The first file.\n" in passages_md(answer("how are refunds signed limit:1", [HIT])).decode()
    assert "- 1 file.\n" in passages_md(answer("how are refunds signed", [HIT])).decode()
    cut = replace(whole, prompt=replace(whole.prompt, notes=(MORE.format(1),)))
    text = passages_md(cut).decode()
    assert "- The first file.\n- there are more files" in text and "limit:all" in text and "index" not in text


def test_nothing_of_a_type_that_there_is_not_is_said_so():
    assert "There is no type banana" in passages_md(answer("type:banana")).decode()
    assert "Only md, banana files were searched" in passages_md(answer("type:md,banana")).decode()


def test_a_file_that_is_not_indexed_by_meaning_yet_is_told_of_as_the_model_is():
    found = Results(parse("like:fresh.md"), b"", (), 1, 1, "loading", 1.0, like=(b"fresh.md",))
    said = passages_md(found).decode()
    assert "has not come to the file after like: yet" in said and "1 file is not fully indexed yet" in said
    assert "after like:" not in passages_md(replace(found, prompt=parse("refunds"), like=())).decode()
