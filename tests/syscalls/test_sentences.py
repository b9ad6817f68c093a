"""A passage as sentences: where they end, what a line means, and in which line each begins."""

import pathlib
import re

import pytest

from syscalls.sentences import LONGEST, sentences, spans

ROOT = pathlib.Path(__file__).parents[2]


def split(text):
    return [text[start:end] for start, end in spans(text)]


def said(text, name="a.md", kind="prose"):
    return [one.text for one in sentences(text, 1, name) if one.kind == kind]


@pytest.mark.parametrize(
    "text",
    [
        "Refunds need two signatures.| They are paid within a week.",
        "See Dr. Li, Mr. J. R. Smith or Prof. Ng.| They know.",
        "It costs 3.50 (approx. 4) in the U.S. market.| No. 5 is sold out.",
        'Some, e.g. Fig. 3, i.e. the last, are odd.| "Really?" she asked.| Yes!| "No." He left.',
        "Version 2.1.3 of a.py is at https://example.org/a.b.| It works.",
        "Call `x.y. Z` first.| Then wait…| Is it done?| Done.",
        "It was sold in 1999.| In 2001 it was bought.",
        "Das war am 3. Mai, z. B. bei Nr. 7.| Der 24. Dezember ist frei.| Bzw. frei ist der 25. Dezember.",
        "Elle est née le 4. Juin, M. Dupont aussi.| Pourquoi ?| On ne sait pas.",
        "¿Qué pasa?| Nada.| ¡Vamos!| La Sra. Gómez llega a las 5 p. m. de hoy.",
        "彼は来た。|彼女は「はい。」と言った。|終わり！",
        "यह पहला वाक्य है।| यह दूसरा है।",
        "هل جاء؟| نعم.",
        "One without an end",
        "It is done (see above.)| Next.",
        "He wrote “Stop.”| She did.",
    ],
)
def test_sentences_end_where_a_reader_ends_them(text):
    assert split(text.replace("|", "")) == [part.strip() for part in text.split("|")]


def test_a_line_that_was_broken_by_hand_is_put_together_and_cited_by_its_first():
    found = sentences("Refunds above 500\nneed two signatures. Ask\nAnna Li first.\n", 7, "a.txt")
    assert [(one.text, one.line) for one in found] == [
        ("Refunds above 500 need two signatures.", 7),
        ("Ask Anna Li first.", 8),
    ]


def test_marks_of_lines_belong_to_no_sentence():
    text = "- First item here\n  goes on.\n- [x] Second item.\n1. Third item.\n\n> Quoted text\n> goes on.\n"
    assert said(text) == ["First item here goes on.", "Second item.", "Third item.", "Quoted text goes on."]


def test_headings_tables_and_code_are_told_from_prose():
    text = "# A heading\n\nProse stands here.\n\nOther heading\n-----\n\n"
    text += "| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\nrm -r x. Then\n```\nAfter it.\n"
    assert said(text) == ["Prose stands here.", "After it."]
    assert said(text, kind="heading") == ["A heading", "Other heading"]
    assert said(text, kind="row") == ["| a | b |", "| 1 | 2 |"]
    assert said(text, kind="code") == ["rm -r x. Then"]


def test_front_matter_is_no_text():
    assert said("---\ntitle: A thing. Here\ntags: [a]\n---\nThe text begins.\n") == ["The text begins."]


def test_a_turn_of_a_dialogue_keeps_its_speaker():
    text = (
        "[10:30] Anna: I moved to Porto. It rains.\nBen Li: Oh no! Really?\nAnna: "
        + "It does rain here. " * 20
    )
    found = said(text, "chat.txt")
    assert found[:2] == ["[10:30] Anna: I moved to Porto. It rains.", "Ben Li: Oh no! Really?"]
    assert found[2] == "Anna: It does rain here." and found[3] == "It does rain here."


def test_a_source_speaks_in_its_comments_and_docstrings():
    text = 'def f(x):\n    """Read the settings file and return them. It is small."""\n'
    text += "    # A comment on the\n    # next line.\n    return g(x)\n"
    assert said(text, "a.py") == [
        "Read the settings file and return them.",
        "It is small.",
        "A comment on the next line.",
    ]
    assert said(text, "a.py", "code") == ["def f(x):", "return g(x)"]


def test_a_piece_of_a_sentence_is_known_as_one():
    whole = [
        (one.text, one.whole) for one in sentences("and ends here. It begins again. It has no", 1, "a.txt")
    ]
    assert whole == [("and ends here.", False), ("It begins again.", True), ("It has no", False)]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "...", "\x00", "a" * 100_000, "x. " * 5_000, "> " * 5_000, "`" * 9_999, "(" * 9_999]
)
def test_whatever_a_file_holds_it_is_split_or_left(text):
    assert all(len(one.text) <= LONGEST for one in sentences(text, 1, "a.md"))


def documents():
    return [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *sorted((ROOT / "syscalls").glob("*.py")),
        *sorted((ROOT / "man").glob("*.7")),
    ]


def marked(line):
    """A line without what marks it: what a sentence over several lines leaves out."""
    return re.sub(r"^\s*(?:>\s?|#+\s?)*", "", line)


def unquoted(text):
    """Without what begins and ends a docstring or a comment."""
    return text.replace('"""', "").replace("'''", "").replace("*/", "")


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_sentence_of_a_real_file_stands_in_it_where_it_says(path):
    text = path.read_text("utf-8")
    lines = text.split("\n")
    found = sentences(text, 1, path.name)
    assert found
    for one in found:
        first, *rest = lines[one.line - 1 : one.line + 40]
        joined = " ".join([first, *map(marked, rest)])
        assert unquoted(one.text) in " ".join(unquoted(joined).split()), one
        assert unquoted(one.text.split()[0]) in unquoted(first)


def test_messages_of_a_chat_are_turns_however_their_day_is_written():
    for stamp in (
        "12/03/2026, 18:04 - ",
        "[12.03.26, 18:04:33] ",
        "3/12/26, 6:04 PM - ",
        "[2026-03-12 18:04] ",
    ):
        text = f"{stamp}Marta: no idea\n{stamp}Paolo: a radio\nwith big buttons\n"
        found = sentences(text, 1, "chat.txt")
        assert [(one.text.removeprefix(stamp.lstrip()), one.line, one.turn) for one in found] == [
            ("Marta: no idea", 1, True),
            ("Paolo: a radio with big buttons", 2, True),
        ], stamp


def test_headers_of_a_mail_are_no_sentences_but_its_subject():
    mail = "From: Otto Brandt <o@x.example>\nTo: Marta\nSubject: Rent from July\nDate: Fri, 06 Mar 2026\n\n"
    mail += "Dear Ms Riva, hello.\n"
    found = sentences(mail, 1, "a.eml")
    assert [(one.text, one.line, one.kind) for one in found] == [
        ("Subject: Rent from July", 3, "heading"),
        ("Dear Ms Riva, hello.", 6, "prose"),
    ]
    assert [one.text for one in sentences("Note: this stays here.\n", 1, "a.txt")] == [
        "Note: this stays here."
    ]


def test_lines_of_a_table_or_of_data_are_rows():
    assert said("item,kg\nrye,40\n", "a.csv", "row") == ["item,kg", "rye,40"]
    assert said('{\n "keep_days": 21\n}', "a.json", "row") == ['"keep_days": 21']
    assert said("Loans\nBank | Amount\n", "a.xlsx", "row") == ["Bank | Amount"]
    assert said("# Sales\nIt sells more.\nimport pandas as pd\n", "a.ipynb") == ["It sells more."]


def test_a_time_behind_a_name_is_that_of_its_turn():
    found = sentences("**Tom** (09:02): threw them away.\n**Irena** (09:04): all of them?\n", 1, "talk.md")
    assert [(one.line, one.turn) for one in found] == [(1, True), (2, True)]
