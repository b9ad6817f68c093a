"""What sentences mean: the prompts of our own, and what can be said of any sentence whatever it is."""

import json
import pathlib
import signal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syscalls.arguments import options_of
from syscalls.asking.calls import BY_WORD, WORDS, again, read
from syscalls.asking.conditions import expression
from syscalls.asking.intents import PLAIN, understood
from syscalls.asking.masks import MARK, said
from syscalls.asking.model import checked
from syscalls.asking.names import nearest
from syscalls.asking.plan import planned
from syscalls.asking.proposals import MOST, VALID, Proposals
from syscalls.asking.reading import Missing, Reading
from syscalls.asking.words import prototypes
from syscalls.control import understood as of_ctl
from syscalls.errors import InvalidArgument
from syscalls.table import CALLS

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


PROMPTS = ROOT / "scripts/asking/prompts"
OWN = rows(PROMPTS / "own.jsonl")
TEMPLATES = rows(ROOT / "scripts/eval/data/parser/templates.jsonl")


@pytest.mark.parametrize("call", WORDS)
def test_the_papers_templates_are_understood_all_of_them(call):
    wrong = []
    for row in TEMPLATES:
        if row["call"] == call:
            got = understood(row["prompt"])
            if got.word != call or read(call, got.slots) != read(call, row["arguments"]):
                wrong.append((row["prompt"], got))
    assert not wrong


def test_what_must_be_refused_gives_no_plan():
    assert not [
        (row["prompt"], got) for row in OWN if row.get("refused") and (got := understood(row["prompt"])).word
    ]


def test_no_plan_of_our_own_prompts_is_another_one_than_was_meant():
    wrong = []
    for row in OWN:
        if not row.get("refused"):
            got = understood(row["prompt"])
            if got.word and (got.word != row["call"] or set(got.slots) != set(row["arguments"])):
                wrong.append((row["prompt"], got))
    assert not wrong


def test_of_our_own_prompts_nearly_all_are_understood():
    meant = [row for row in OWN if not row.get("refused")]
    assert sum(understood(row["prompt"]).word == row["call"] for row in meant) >= 0.95 * len(meant)


@pytest.mark.parametrize("name", ["a", "b"])
def test_of_prompts_that_others_wrote_nearly_all_are_understood_and_what_must_be_is_refused(name):
    prompts = rows(PROMPTS / f"{name}.jsonl")
    meant = [row for row in prompts if row.get("call")]
    got = {row["prompt"]: understood(row["prompt"]) for row in prompts}
    assert [row["prompt"] for row in prompts if not row.get("call") and got[row["prompt"]].word] == []
    assert sum(got[row["prompt"]].word == row["call"] for row in meant) >= 0.95 * len(meant)


SENTENCES = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.one_of(
            st.sampled_from([word for row in OWN for word in row["prompt"].split()]),
            st.text(alphabet="\"'`“”‘’\ue000q\ue100\n\t/.-$();|&\\ ", max_size=8),
        ),
        max_size=25,
    ).map(" ".join),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SENTENCES)
@example("\ue000f\ue100")
@example("delete \ue000f\ue100 and \ue000p\ue101")
@example("'" * 3000)
@example("a.b/" * 900)
@example("in the folder " * 250)
@example("version 1 to " * 300)
def test_no_sentence_raises_and_every_plan_reads_as_itself(sentence):
    got = understood(sentence)
    assert bool(got.word) != bool(got.why)
    if got.word:
        plan = planned(got.word, got.slots)
        assert again(plan.line) == (plan.word, plan.values)
        assert of_ctl(plan.line)[0].word == got.word


# Words that a pattern could once read in two ways each, so that a few dozen of them took longer than anybody lives.
SLOW = (
    "all the ", "group ", "a.md and ", "a.md then ", "a.md, and also ", "those ", "rank ", "show me ", "and ", "both ", "word ",
    "expire ", "lifetime ", "name it ", "copy a.md over to ", "concerning ", "the topic of ", "anything ", "be ", "the state of ",
    "to the ", "text: ", "by ", "if ", "call: x; ", "1 ", "1.", "ok, ", "then ", "(", "as if it was just ", "please ",
)  # fmt: skip
BEFORE = (
    "",
    "find files that contain ",
    "group files about x ",
    "roll a.md ",
    "link to a.md ",
    "list files about x but not ",
    "replace a.md with b.md ",
)


@pytest.mark.parametrize("words", SLOW)
def test_no_sentence_takes_long(words):
    def late(*_):
        raise TimeoutError(words)

    before = signal.signal(signal.SIGALRM, late)
    try:
        for start in BEFORE:
            for most in (PLAIN - 1,) if start else (PLAIN - 1, 4000):
                signal.alarm(20)  # a second is what it takes; in the daemon nothing else is done meanwhile
                understood((start + words * most)[:most])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_what_is_long_stands_in_quotation_marks():
    long = "word and another " * 60
    assert "quotation marks" in understood(f"create a.md with the text {long}").why
    assert understood(f'create a.md with the text "{long}"').slots == {"PATH": "a.md", "text": long}


@pytest.mark.parametrize(
    "prompt",
    [
        "delete a.md at midnight",
        "touch a.md at noon",
        "lock a.md at 5pm",
        "purge a.md in the evening",
        'append "x" to a.md by dawn',
        "rebuild the index overnight",
    ],
)
def test_what_is_to_be_done_at_an_hour_is_not_done_at_once(prompt):
    assert "at once" in understood(prompt).why


def test_an_hour_in_a_quotation_is_only_text():
    assert understood('append "at noon" to a.md').word == "append"


@pytest.mark.parametrize("prompt", ["forget notes.md", "forget the file notes.md", "forget about notes.md"])
def test_who_forgets_a_file_has_not_asked_for_a_purge(prompt):
    assert not understood(prompt).word


NASTY = (
    "a\nlock b.md",
    '"; delete c.md; "', "--token T", "$(reboot)", "`ls`", "x' --live 'y", "-- d.md", "a b", "\\", "é\u202e", "|| rm", "--in-place",
)  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_a_text_stays_one_argument_whatever_it_says(text):
    quote = '"' if '"' not in text else "`" if "`" not in text else "'"
    got = understood(f"Create a file named n.md with the text {quote}{text}{quote}")
    assert (got.word, got.slots) == ("create", {"PATH": "n.md", "text": text})
    plan = planned(got.word, got.slots)
    word, values = again(plan.line)
    assert word == "create" and values == {"PATH": b"n.md", "text": text}


@pytest.mark.parametrize("text", ["a\nlock b.md", "--token T", "$(reboot)", "-x y"])
@pytest.mark.parametrize("word", ["query", "save", "forget"])
def test_a_question_is_one_line_and_no_option(word, text):
    line = planned(word, {"PROMPT": text}).line
    assert "\n" not in line and of_ctl(line)[1] == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "masked", "values"),
    [
        ("Could you please delete notes.md, thanks!", "delete F", ["notes.md"]),
        ("TASK: roll the cnn file back 3 versions", "roll F B", ["cnn", "3"]),
        ("lock 'my notes.md' for an hour and a half", "lock P for L", ["my notes.md", "1.5h"]),
        ("set it to noon on 1 December 2026", "set it to T", ["2026-12-01T12:00"]),
        ("at 6pm on 2026-12-24", "at T", ["2026-12-24T18:00"]),
        (
            "the second version of a.md, v7 and revisions 2 to 4",
            "V of F, V and V to V",
            ["2", "a.md", "7", "2", "4"],
        ),
        ("two dozen owls, twenty-one mice", "N dozen owls, N mice", ["2", "21"]),
        ("either/or w/o e.g. 24/7", "either/or w/o e.g. 24/7", []),
        ("what I did yesterday", "what I did R", ["yesterday"]),
    ],
)
def test_things_become_marks(text, masked, values):
    found = said(text)
    assert MARK.sub(lambda match: match[0][1].upper(), found.text) == masked
    assert [found.thing(mark).value for mark in MARK.findall(found.text)] == values


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("contain 'a'", "a"),
        ("contain both 'a' and 'b'", "a AND b"),
        ("contain 'a' or 'b c'", 'a OR "b c"'),
        ("contain either x, y or z", "x OR y OR z"),
        ("contain 'a' and 'b' but not 'c'", "a AND b AND NOT c"),
        ("contain 'a' or 'b', but never 'c'", "(a OR b) AND NOT c"),
        ("contain heat pumps and boilers", '"heat pumps" AND boilers'),
    ],
)
def test_conditions_in_words(text, condition):
    assert expression(Reading(said(f"find files that {text}"))) == condition


@pytest.mark.parametrize("text", ["contain 'a' and 'b' or 'c'", "do not contain 'a'", "contain"])
def test_a_condition_that_can_be_read_in_two_ways_is_not_read(text):
    with pytest.raises(Missing):
        expression(Reading(said(f"find files that {text}")))


def test_every_call_that_can_be_asked_for_has_samples_and_a_row():
    assert set(prototypes()) == set(WORDS) == set(BY_WORD)
    assert set(WORDS) == {call.word for call in CALLS} - {"ask", "help"}
    assert all(len(lines) >= 14 for lines in prototypes().values())


def test_the_calls_from_before_there_were_types_take_what_their_description_says():
    for word, call in BY_WORD.items():
        row = next(row for row in CALLS if row.word == word)
        assert row is call or not row.typed
        assert [one.name for one in options_of(call)][-1] == "json"


# What a language model answers ------------------------------------------------------------------------------------------


def test_a_model_may_choose_what_the_sentence_says():
    answer = 'Sure: {"call": "lock", "arguments": {"PATH": "plan.md", "for": "2h"}}'
    assert checked(answer, "I want plan.md to sleep for two hours") == (
        "lock",
        {"PATH": "plan.md", "for": "2h"},
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no",
        "[]",
        '{"call": null}',
        '{"call": "ask", "arguments": {"PROMPT": ["x"]}}',
        '{"call": "rm", "arguments": {}}',
        '{"call": "lock", "arguments": {"PATH": "other.md"}}',
        '{"call": "lock", "arguments": {"PATH": "plan"}}',
        '{"call": "lock", "arguments": {"PATH": "plan.md", "for": "3h"}}',
        '{"call": "lock", "arguments": {"PATH": {"a": 1}}}',
        '{"call": "lock", "arguments": [1]}',
        '{"call": "delete", "arguments": {"token": "plan.md"}}',
        '{"call": "purge", "arguments": {"PATH": "plan.md", "everywhere": true}}',
        '{"call": "lock", "arguments": {"PATH": "plan.md", "colour": "plan.md"}}',
        '{"call": "delete", "arguments": {"PATH": "plan.md"}}',
    ],
)
def test_a_model_may_choose_nothing_else(answer):
    with pytest.raises(InvalidArgument):
        checked(answer, "I want plan.md to sleep for two hours")


def test_a_model_does_not_overrule_a_denial():
    with pytest.raises(InvalidArgument):
        checked('{"call": "lock", "arguments": {"PATH": "plan.md"}}', "whatever you do, never lock plan.md")


# Names and tokens -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"cnn", [b"papers/cnn.txt"]),
        (b"budget", [b"budget.csv", b"old/budget-2025.csv"]),
        (b"budget.csv", [b"budget.csv"]),
        (b"notes.md", [b"a/notes.md", b"b/notes.md"]),
        (b"A/Notes.md", [b"a/notes.md"]),
        (b"the budget sheet", [b"budget.csv", b"old/budget-2025.csv"]),
        (b"meeting notes", [b"meeting-notes.md"]),
        (b"the file", []),
        (b"nothing", []),
        (b"/", []),
    ],
)
def test_a_name_is_what_is_there(text, found):
    paths = [
        b"papers",
        b"papers/cnn.txt",
        b"budget.csv",
        b"old/budget-2025.csv",
        b"a/notes.md",
        b"b/notes.md",
        b"meeting-notes.md",
    ]
    assert nearest(text, paths) == found


def test_a_token_is_good_once_for_ten_minutes_and_for_one_user():
    now = [0.0]
    proposals = Proposals(lambda: now[0])
    token = proposals.keep(("status",), 500)
    with pytest.raises(InvalidArgument):
        proposals.take(token, 0)
    assert proposals.take(token, 500) == ("status",)
    with pytest.raises(InvalidArgument):
        proposals.take(token, 500)
    late = proposals.keep(("status",), 500)
    now[0] += VALID
    with pytest.raises(InvalidArgument):
        proposals.take(late, 500)


def test_there_are_never_more_proposals_than_a_mount_can_hold():
    proposals = Proposals(lambda: 0.0)
    tokens = [proposals.keep((str(number),), 1) for number in range(MOST + 5)]
    assert len(proposals.kept) == MOST
    assert proposals.take(tokens[-1], 1) == (str(MOST + 4),)


def test_who_asks_much_ends_nobody_elses_token():
    proposals = Proposals(lambda: 0.0)
    token = proposals.keep(("status",), 1)
    for _ in range(MOST + 5):
        proposals.keep(("scan",), 2)
    assert proposals.take(token, 1) == ("status",)
