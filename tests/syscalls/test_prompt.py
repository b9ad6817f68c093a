"""The prompt language: what is hard, what is soft, and that nothing is an error."""

import contextlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syscalls.errors import InvalidArgument
from syscalls.names import normal
from syscalls.prompt import LONE, MOST_ALIKE, MOST_HITS, continued, continues, demanded, describe, parse
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
                "like:a.md",
                'like:"a b',
                "-like:a",
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
                "ref*",
                '"two sig*"',
                "**",
                "-a*",
                "limit:all",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@settings(deadline=None)
@given(WORDY)
@example("(" * 3000 + ")" * 3000)
@example("NOT " * 3000 + "a")
@example(" OR ".join("abcdefgh" * 50))
def test_no_prompt_is_an_error(text):
    prompt = parse(text)
    assert 1 <= prompt.limit <= MOST_HITS
    assert prompt.mode in ("both", "words", "meaning")
    assert len(prompt.words) <= 256
    assert isinstance(describe(prompt.condition), str)
    assert not prompt.exact or prompt.condition is not None
    with contextlib.suppress(InvalidArgument):
        again = parse(demanded(text))
        assert again.exact and again.condition is not None and again.notes == ()


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
        ("refund*", "refund*"),
        ("refund* policy", "refund*"),
        ("a* OR -b*", "(a* OR NOT b*)"),
        ('"two sign*", who?', '"two sign*"'),
        ("who wrote refund*?", "refund*"),
        ("read/wri*", '"read wri*"'),
        ("don't*", "don't*"),
        ("検索*", "検索*"),
        ("*", ""),
        ("**bold** *emphasised* *args a**b 2*3 **kwargs x **", ""),
        ('x AND "AND" AND NOT "OR,"', '(x AND "AND" AND NOT "OR")'),
        ("AND, OR x", '("AND" OR x)'),
    ],
)
def test_operators_make_conditions_and_words_beside_each_other_do_not(text, condition):
    assert describe(parse(text).condition) == condition


def test_words_are_the_positive_ones_without_their_punctuation():
    prompt = parse('What\'s the "refund policy", (v1.2)? -draft NOT old in:papers/ type:pdf')
    assert prompt.words == ("What's", "the", "refund", "policy", "v1.2")
    assert "draft" not in prompt.meaning and "old" not in prompt.meaning and "in:" not in prompt.meaning


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("refund", False), ("refund AND policy", True), ("refund AND policy mode:words in:a/", True), ("refund -draft", False),
        ("-draft", True), ("refund*", True), ("refund* policy", False), ('"two signatures"', True), ("a (b OR c)", False),
        ("type:pdf", False), ("a AND (b", False), ("(b OR c) limit:all", True), ("", False),
    ],
)  # fmt: skip
def test_a_prompt_of_nothing_but_conditions_is_exact(text, exact):
    assert parse(text).exact is exact


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("refund", '"refund"'),
        ("refund policy", "(refund AND policy)"),
        ('a "b c" OR d', '(a AND ("b c" OR d))'),
        ("sign* -draft", "(sign* AND NOT draft)"),
        ("NOT (a b)", "NOT (a AND b)"),
        ("(((a)))", '"a"'),
        ("AND, x", '("AND" AND x)'),
        ("don't", '"don\'t"'),
        ('a type:pdf,md in:policies/ in:"my papers" x', "(a AND x)"),
    ],
)
def test_every_word_of_an_expression_is_a_condition(expression, condition):
    prompt = parse(demanded(expression))
    assert describe(prompt.condition) == condition
    assert prompt.exact and prompt.limit == MOST_HITS and prompt.mode == "words" and prompt.notes == ()
    if "type" in expression:
        assert prompt.types == ("pdf", "md") and prompt.within == ("policies", "my papers")


@pytest.mark.parametrize(
    "expression",
    [
        "", "  ", "(", "a)", "a AND", "OR b", "NOT", "a AND OR b", '"two signatures', "?!", "a AND 🤷", "a - b", "type:pdf",
        "a before:banana", "a limit:5", "a mode:meaning", "a -type:pdf", "a like:b", "a OR type:pdf", "()", "a AND ()", "*", "a AND \u0301",
        "(" * 70 + "a" + ")" * 70, " ".join(f"w{n}" for n in range(65)), '"' + " ".join("abc"[n % 3] for n in range(300)) + '"',
    ],
)  # fmt: skip
def test_an_expression_that_could_not_be_exact_is_refused_with_a_sentence(expression):
    with pytest.raises(InvalidArgument) as caught:
        demanded(expression)
    assert str(caught.value).endswith(".")


def test_a_phrase_longer_than_the_index_knows_is_words():
    prompt = parse('"' + " ".join("abc"[n % 3] for n in range(300)) + '"')
    assert prompt.condition is None and "256 words" in prompt.notes[0] and not prompt.exact


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


def test_a_limit_may_be_any_number_or_all():
    assert parse("budget limit:5000").limit == 5000
    assert parse("budget limit:all").limit == parse("budget limit:999999999").limit == MOST_HITS
    assert parse("budget limit:all").notes == ()


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
        ("like:notes", True),
        ('refund LIKE:"my notes', True),
        ("like:notes/a.md refund", False),
        ("unlike:notes", False),
    ],
)
def test_a_slash_continues_a_prompt_after_in_and_like_only(text, expected):
    assert continues(text) is expected


def test_the_field_that_a_slash_continues_is_known():
    assert [continued(text) for text in ("in:a like:b", "like:b in:a", "like:b a", "")] == [
        "like",
        "in",
        "",
        "",
    ]


@pytest.mark.parametrize("text", ['in:"{}" ', 'in:"{}" x', "in:“{}", "in:{})"])
def test_the_longest_line_is_looked_through_once_for_the_field_that_it_ends_in(text):
    assert continues(text.format("a" * 60_000)) is (text == "in:“{}")
    assert continues(text.format("") * 10_000) is (text == "in:“{}")


def test_what_stands_in_quotes_is_no_field():
    assert continued('in:"a like:b"') == "in" and continued('in:"a like:b" c') == ""


def test_like_takes_paths_and_demands_nothing():
    prompt = parse('like:notes/a.md LIKE:"/my notes/./b c.md" like:notes/a.md refunds in:notes/ type:md')
    assert prompt.like == ("notes/a.md", "my notes/b c.md") and prompt.within == ("notes",)
    assert (prompt.words, prompt.meaning, prompt.notes) == (("refunds",), "refunds", ())
    assert parse("like:a.md").condition is None and parse("like:a.md").words == ()
    assert not parse('like:a.md "two signatures"').exact and parse('"two signatures"').exact


@pytest.mark.parametrize(
    "field",
    [
        "like:../up.md",
        "like:/",
        "like:.",
        'like:"a\0b"',
        "-like:a.md",
        "like:" + "a/" * 220 + "b",
        "like:" + "z" * 5000,
    ],
)
def test_a_like_that_can_be_no_file_is_a_word(field):
    prompt = parse(f"budget {field}")
    assert prompt.like == () and len(prompt.notes) == 1 and "searched as a word" in prompt.notes[0]


def test_files_are_compared_with_so_many_at_most():
    prompt = parse(" ".join(f"like:{number}" for number in range(MOST_ALIKE + 2)))
    assert len(prompt.like) == MOST_ALIKE and len(prompt.notes) == 2


@given(st.lists(st.text(min_size=1, max_size=30), max_size=4), st.booleans())
def test_any_path_that_can_be_quoted_is_read_as_it_is(names, words):
    paths = [re.sub('["“”\0]', "", normal(name)).strip() for name in names]
    paths = [path for path in paths if path and "/" not in path and path not in (".", "..")]
    prompt = parse(" ".join([*(f'like:"x/{path}"' for path in paths), *["refund"] * words]))
    assert prompt.like == tuple(dict.fromkeys(f"x/{path}" for path in paths)) and prompt.notes == ()
    assert prompt.words == ("refund",) * words and prompt.condition is None


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


@pytest.mark.parametrize(
    ("text", "types", "words"),
    [
        ("type:md, txt rent", ("md", "txt"), ("rent",)),
        ("type:pdf,  docx , txt", ("pdf", "docx"), ("txt",)),
        ("type:pdf, .docx, txt?", ("pdf", "docx", "txt"), ()),
        ("type:md, what is it", ("md",), ("what", "is", "it")),
        ("rent in:md, txt", (), ("rent", "txt")),
    ],
)
def test_a_list_of_types_may_have_blanks_after_its_commas(text, types, words):
    prompt = parse(text)
    assert (prompt.types, prompt.words, prompt.text) == (types, words, text)
    if types and not words:
        assert prompt.meaning == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type:banana", "groups: doc, data"),
        ("rent type:md,picure", "near are picture"),
        ("type:chat", "text, markdown, json"),
        ("type:.md", ""),
        ("type:DOCX,code", ""),
    ],
)
def test_a_type_that_there_is_not_is_said_with_near_ones(text, said):
    notes = " ".join(parse(text).notes)
    assert (
        (said in notes and f"`{text.rpartition(',')[2].rpartition(':')[2]}`" in notes) if said else not notes
    )
    assert demanded("refund type:banana")  # a suffix of the user's own is no mistake in an expression
