"""The prompt language: what is hard, what is soft, and that nothing is an error."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syscalls.prompt import LONE, continues, describe, parse
from syscalls.when import when

WORDY = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "AND",
                "OR",
                "NOT",
                "(",
                ")",
                "-",
                '"',
                "“",
                "”",
                "in:",
                "in:a/",
                'in:"a b',
                "type:pdf",
                "-type:pdf",
                "after:2025",
                "before:banana",
                "limit:0",
                "limit:7",
                "mode:foo",
                "by:me",
                "word",
                "-word",
                '"a phrase"',
                '-"x y"',
                "don't",
                "f(x)",
                "🤷",
                "what?",
                "\0",
                "\udcff",
                "∕",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@given(WORDY)
@example("(" * 3000 + ")" * 3000)
@example("NOT " * 3000 + "a")
@example(" OR ".join("abcdefgh" * 50))
def test_no_prompt_is_an_error(text):
    prompt = parse(text)
    assert 1 <= prompt.limit <= 1000
    assert prompt.mode in ("both", "words", "meaning")
    assert len(prompt.words) <= 256
    assert isinstance(describe(prompt.condition), str)


@pytest.mark.parametrize(
    "question",
    [
        "What's new in C++? (see: the FAQ)",
        'who said "hello',
        'a 5" pipe',
        "either/or – which one?",
        "¿qué? 🤷",
        "sign in: how",
        "time: 10:30",
        "built-in e-mail - does it work?",
        "cats and dogs or not",
        "is it 'quoted'?",
        "a (b) c",
        "--verbose flag",
        "What is information science? Give definitions where possible.",
    ],
)
def test_natural_questions_have_no_conditions_and_keep_their_meaning(question):
    prompt = parse(question)
    assert prompt.condition is None
    assert prompt.notes == (() if question.count('"') != 1 or '5"' in question else (LONE,))
    assert prompt.meaning == question


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("refund policy", ""),
        ('refund "two signatures"', '"two signatures"'),
        ("refund “two signatures”", '"two signatures"'),
        ("refund -draft", "NOT draft"),
        ('refund -"first draft" -old', '(NOT "first draft" AND NOT old)'),
        ("a AND b", "(a AND b)"),
        ("a OR b AND c", "(a OR (b AND c))"),
        ("NOT a AND b OR c", "((NOT a AND b) OR c)"),
        ("a (b OR c) d", "(b OR c)"),
        ("(a b) AND c", "((a AND b) AND c)"),
        ("NOT (a OR b)", "NOT (a OR b)"),
        ("x AND read/write", '(x AND "read write")'),
    ],
)
def test_operators_make_conditions_and_words_beside_each_other_do_not(text, condition):
    assert describe(parse(text).condition) == condition


def test_words_are_the_positive_ones_without_their_punctuation():
    prompt = parse('What\'s the "refund policy", (v1.2)? -draft NOT old in:papers/ type:pdf')
    assert prompt.words == ("What's", "the", "refund", "policy", "v1.2")
    assert "draft" not in prompt.meaning and "old" not in prompt.meaning and "in:" not in prompt.meaning


def test_fields_are_read_and_may_be_quoted():
    prompt = parse(
        'budget in:"my papers/" in:/notes type:PDF,.docx after:2025 before:2026-03-01 by:me limit:50 mode:words'
    )
    assert prompt.within == ("my papers", "notes")
    assert prompt.types == ("pdf", "docx")
    assert prompt.after == when("2025")[0] and prompt.before == when("2026-03-01")[0]
    assert (prompt.by, prompt.limit, prompt.mode) == ("me", 50, "words")
    assert prompt.words == ("budget",) and prompt.notes == ()


@pytest.mark.parametrize(
    "field",
    [
        "before:banana",
        "after:2025-13",
        "limit:0",
        "limit:x",
        "limit:-3",
        "mode:foo",
        "in:../up",
        "type:,",
        "-type:pdf",
        "by:a/b",
    ],
)
def test_a_field_that_makes_no_sense_is_a_word_and_a_note_says_so(field):
    prompt = parse(f"budget {field}")
    assert len(prompt.notes) == 1 and field.lstrip("-") in prompt.notes[0]
    assert (prompt.after, prompt.before, prompt.within, prompt.types, prompt.by) == (None, None, (), (), None)


def test_a_limit_beyond_the_most_is_the_most_and_says_so():
    prompt = parse("budget limit:5000")
    assert prompt.limit == 1000 and "limit:1000" in prompt.notes[0]


@pytest.mark.parametrize(
    "text", ["cats AND", "OR cats", "(cats", "cats)", "NOT", "cats AND OR dogs", "in:a/ cats ("]
)
def test_what_does_not_parse_is_searched_as_words(text):
    prompt = parse(text)
    assert prompt.condition is None and len(prompt.notes) == 1
    assert prompt.within == (("a",) if "in:" in text else ())


def test_exclusions_and_phrases_hold_where_operators_do_not_parse():
    prompt = parse('refund "two signatures" -draft (')
    assert describe(prompt.condition) == '("two signatures" AND NOT draft)'
    assert "draft" not in prompt.words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refund in:policies", True),
        ("in:a", True),
        ('refund in:"my papers', True),
        ('in:"my papers"', True),
        ("x in:a∕b", True),
        ("refund in:policies after:2025", False),
        ("refund", False),
        ("sign in: how", False),
        ("login:x", False),
        ("in:", True),
        ("json in:", True),
        ("in: json", False),
    ],
)
def test_a_slash_continues_a_prompt_after_in_only(text, expected):
    assert continues(text) is expected


@pytest.mark.parametrize(
    ("text", "lone"),
    [
        ('"two signatures', True),
        ('two signatures"', True),
        ("refund “two", True),
        ('a 5" pipe', False),
        ('"a b" "c"', False),
    ],
)
def test_a_quotation_mark_without_a_partner_is_said(text, lone):
    assert any("quotation mark" in note for note in parse(text).notes) is lone
