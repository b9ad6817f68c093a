"""The lines of typed calls: what is understood, what is refused, and that a line says again what was understood."""

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from syscalls.arguments import duration, given, line
from syscalls.errors import InvalidArgument
from syscalls.table import Argument, Call, Option

CALL = Call(
    "act", "act", "syscalls.act",
    (Argument("PATH", "file", True, "a file"), Argument("MORE", "text", False, "more", many=True)), "Acts.", "",
    options=(Option("for", "duration", "how long"), Option("how", "both|either", "how"), Option("k", "number", "how many"),
             Option("at", "time", "when"), Option("all", "flag", "all of it"), Option("name", "name", "a name")),
    typed=True,
)  # fmt: skip


def test_a_line_is_read_as_a_shell_reads_it():
    assert given(CALL, "'files/my notes/a.md' x 'y z' --for 2h --all --how both --k 3") == {
        "PATH": b"my notes/a.md", "MORE": ("x", "y z"), "for": 7200.0, "all": True, "how": "both", "k": 3,
    }  # fmt: skip


def test_what_follows_two_dashes_is_words():
    assert given(CALL, "-- a --all")["MORE"] == ("--all",)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "PATH"), ("a --for soon", "--for"), ("a --how none", "--how"), ("a --k 0", "--k"), ("a --at then", "--at"),
     ("../a", "PATH"), ("a --name x/y", "--name"), ("a --bogus", "--bogus"), ("a --k 1 --k 2", "--k"), ("'a", "quote")],
)  # fmt: skip
def test_what_is_not_understood_is_refused_and_named(text, said):
    with pytest.raises(InvalidArgument, match=said):
        given(CALL, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("2 hours", 7200), ("3 days", 259200), ("1w", 604800), ("1.5h", 5400)],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2 fortnights", "-1h", "0s", "2h soon"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration|wait"):
        duration(text)


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..") and name.strip("/") == name)


@generated(
    st.fixed_dictionaries(
        {"PATH": NAMES.map(lambda name: ("sub/" + name).encode())},
        optional={
            "MORE": st.lists(
                st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))), min_size=1
            ).map(tuple),
            "for": st.integers(1, 10**9).map(lambda milliseconds: milliseconds / 1000),
            "how": st.sampled_from(["both", "either"]),
            "k": st.integers(1, 2**31 - 1),
            "at": st.integers(0, 4 * 10**18),
            "all": st.just(True),
            "name": NAMES,
            "json": st.just(True),
        },
    )
)
def test_a_line_says_again_what_was_understood(values):
    said = line(CALL, values)
    assert said.startswith("act ")
    assert given(CALL, said.removeprefix("act ")) == values


ASK = Call(
    "find", "find", "syscalls.find", (Argument("IN", "name", True, "where"), Argument("PROMPT", "prompt", False, "what")), "Finds.", "",
    options=(Option("k", "number", "how many"),), typed=True,
)  # fmt: skip


def test_a_question_that_comes_last_need_not_be_quoted():
    assert given(ASK, "here who signs a refund --k 3") == {
        "IN": "here",
        "PROMPT": "who signs a refund",
        "k": 3,
    }
    assert given(ASK, "here") == {"IN": "here"}
    assert given(ASK, line(ASK, {"IN": "here", "PROMPT": "a  --k b"}).removeprefix("find ")) == {
        "IN": "here",
        "PROMPT": "a  --k b",
    }
