"""What the learned reader makes of sentences, and how it agrees with the grammar: values are what was said, and doubt is refused."""

import importlib.util
import json
import pathlib
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syscalls.asking import agreed
from syscalls.asking.agreed import alike, considered, understood, weighed
from syscalls.asking.calls import BY_WORD, WORDS, again, read
from syscalls.asking.contrary import contrary
from syscalls.asking.intents import Understood
from syscalls.asking.intents import understood as by_grammar
from syscalls.asking.learned import MOST, Guess, guesses, weights
from syscalls.asking.masks import said as masked
from syscalls.asking.network import MAGIC, Matrix, loaded
from syscalls.asking.plan import planned
from syscalls.asking.roles import PATHS, role_of, said
from syscalls.asking.roles import given as filled
from syscalls.asking.sound import sound
from syscalls.asking.tokens import plain, tokens
from syscalls.asking.unasked import unasked

ROOT = pathlib.Path(__file__).parents[2]
PROMPTS = ROOT / "scripts/asking/prompts"


def rows(name):
    return [json.loads(line) for line in (PROMPTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


FRESH = [row for name in "dhmq" for row in rows(name)]


def aligned():
    spec = importlib.util.spec_from_file_location("aligned", ROOT / "scripts/asking/aligned.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["aligned"] = module
    spec.loader.exec_module(module)
    return module


# The weights ------------------------------------------------------------------------------------------------------------


def test_the_weights_belong_to_the_prompts_and_the_code_that_they_are_made_from():
    assert weights().head["digest"] == aligned().digest(), "run scripts/asking/train"


def test_the_weights_are_small_and_there_at_once():
    data = (ROOT / "syscalls/asking/learned.bin").read_bytes()
    assert len(data) < 2 << 20
    started = time.process_time()
    loaded(data)
    assert time.process_time() - started < 1.0  # a tenth of a second here; others may be busy


@pytest.mark.parametrize("data", [b"", b"no weights", MAGIC[:-1]])
def test_what_has_no_weights_is_not_loaded(data):
    with pytest.raises(ValueError):
        loaded(data)


def test_a_matrix_of_bytes_times_a_vector():
    matrix = Matrix(2, 3, [128 + one for one in (1, -4, 2, 5, -3, 6)], [0.5, 2.0], [0.25, -1.0])
    assert matrix.times([64, -128, 640]) == pytest.approx(
        [0.5 * (1 - 4 - 30) + 0.25, 2.0 * (-4 - 10 + 60) - 1.0]
    )


# What is read -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Lock my.md for 2 hours.", "wfwll."),
        ('Save "a b", please!', "wq.w."),
        ("put x.md's text in a/b", "wfwwwf"),
        ("version 3, e.g. 5 versions ago", "vv.w.bbb"),
        ("a two-sentence summary", "wn.ww"),
        ("Task: mtime(a.md)", "w.w.f."),
        ("delete a(b).md", "wf"),
    ],
)
def test_tokens_have_kinds(text, kinds):
    found = tokens(plain(text))
    assert "".join(one.kind for one in found) == kinds
    assert [text[one.start : one.end] for one in found] == [one.text for one in found]


@pytest.mark.parametrize(
    ("role", "text", "what"),
    [
        ("count", "a dozen", "12"),
        ("version", "third", "3"),
        ("back", "the previous version", "1"),
        ("older", "v7", "v7"),
        ("older", "monday", "monday"),
        ("time", "1 December 2026", "2026-12-01"),
        ("time", "yesterday", None),
        ("for", "an hour and a half", "1.5h"),
        ("for", "2 hours ago", None),
        ("format", "Markdown", "md"),
        ("format", "klingon", None),
        ("and*", "refund", "refund*"),
        ("and", "heat pump", '"heat pump"'),
        ("path", "a.md b.md", None),
        ("expr", "rye NOT wheat", "rye NOT wheat"),
        ("expr", "rye or wheat", None),
        ("expr", "rye AND 1887 under deeds", None),
        ("time", "the second of February 2024", "2024-02-02"),
        ("time", "3 March 2026 at 8 o'clock in the evening", "2026-03-03T20:00"),
        ("newer", "the sixth", "v6"),
    ],
)
def test_tokens_are_read_as_their_role_says(role, text, what):
    assert said(role, plain(text), tokens(plain(text))) == what


def test_the_first_of_a_join_in_place_is_what_grows():
    found = [("path", "b.md"), ("into", "a.md"), ("path", "b.md")]
    assert filled("join", {"in-place": True}, found) == {"in-place": True, "PATH": ["a.md", "b.md"]}


def test_what_is_joined_into_one_of_its_files_is_joined_in_place():
    found = [("path", "a.md"), ("path", "b.md"), ("into", "b.md")]
    assert filled("join", {}, found) == {"PATH": ["b.md", "a.md"], "in-place": True}


def marked(text, **roles):
    """The tokens of a text, tagged where they say something."""
    found = tokens(plain(text))
    tags = ["O"] * len(found)
    for role, some in roles.items():
        words = some.split()
        at = next(
            at for at in range(len(found)) if [one.text for one in found[at : at + len(words)]] == words
        )
        tags[at : at + len(words)] = [f"B-{role}"] + [f"I-{role}"] * (len(words) - 1)
    return found, tags


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("files with valve and pressure", {"and": "valve", "or": "pressure"}, {"and": "valve"}),
        ("question: how do we pay; in x", {"question": "how do we pay"}, {"question": "we pay"}),
        ("question: how do we pay; in x", {"question": "how do we pay"}, {"question": "how do we"}),
        ("open the folder Final Grades", {"path": "Final Grades"}, {"path": "Grades"}),
    ],
)
def test_tags_that_leave_a_part_of_a_thing_are_not_sound(text, good, bad):
    assert sound({}, *marked(text, **good)) and not sound({}, *marked(text, **bad))


@pytest.mark.parametrize(
    ("call", "text", "slots", "more"),
    [
        ("summarise", "owls in short, no language model", {"PROMPT": "owls"}, {"no-llm": True}),
        ("delete", "only a dry run: delete what is about owls", {"matching": "owls"}, {"dry-run": True}),
        ("purge", "purge a.md everywhere", {"PATH": "a.md"}, {"everywhere": True}),
    ],
)
def test_a_flag_that_is_said_is_not_left_out(call, text, slots, more):
    found = tokens(plain(text))
    assert contrary(call, slots, found, ["O"] * len(found))
    assert not contrary(call, {**slots, **more}, found, ["O"] * len(found))


def test_the_file_that_is_to_be_kept_is_not_purged():
    found = tokens(plain("purge the history of a.md but keep the present file"))
    assert contrary("purge", {"PATH": "a.md", "live": True}, found, ["O"] * len(found))


@pytest.mark.parametrize(
    "sentence", ["delete that file", "lock it", "purge the other file", "roll that file back by 2 versions"]
)
def test_what_names_no_file_is_refused(sentence):
    assert not understood(sentence).word


def test_an_argument_that_is_said_twice_is_no_call():
    assert filled("lock", {}, [("path", "a.md"), ("for", "2h"), ("for", "3h")]) is None


def as_said(prompt, word, slots):
    """Whether each argument stands in the sentence, or is read in it."""
    text = plain(prompt)
    found = tokens(text)
    runs = [found[at:end] for at in range(len(found)) for end in range(at + 1, min(len(found), at + 60) + 1)]
    kinds = {one.name: one for one in (*BY_WORD[word].arguments, *BY_WORD[word].options)}
    for name, some in slots.items():
        role = role_of(word, name)
        for one in some if isinstance(some, list) else [some]:
            if one is True or role is None or one == "files" or "|" in kinds[name].kind:
                continue
            parts = one.split("/") if role in PATHS else [one]
            if not (all(part in text for part in parts) or any(said(role, text, run) == one for run in runs)):
                return False
    return True


SENTENCES = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.one_of(
            st.sampled_from([word for row in FRESH for word in row["prompt"].split()]),
            st.text(alphabet="\"'`“”‘’\ue000q\ue100\n\t/.-$();|&\\ ", max_size=8),
        ),
        max_size=25,
    ).map(" ".join),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SENTENCES)
@example("")
@example("\ue000f\ue100")
@example("'" * 3000)
@example("a.b/" * 900)
@example('"' + "x" * 3000 + '"')
@example("\ud800 lock \udfff")
def test_no_sentence_raises_and_every_guess_is_a_call_of_what_was_said(sentence):
    for one in guesses(sentence):
        read(one.word, one.slots)
        assert as_said(sentence, one.word, one.slots)
    got = understood(sentence)
    assert bool(got.word) != bool(got.why)
    if got.word:
        plan = planned(got.word, got.slots)
        assert again(plan.line) == (plan.word, plan.values)


def test_a_guess_takes_no_path_that_was_not_said():
    for row in FRESH[::40]:
        for one in guesses(row["prompt"]):
            assert as_said(row["prompt"], one.word, one.slots), (row["prompt"], one)


def test_what_is_too_long_is_no_guess_and_takes_no_time():
    started = time.process_time()
    assert guesses("lock a.md and " * 4000) == () == guesses("lock " * (MOST + 1))
    assert time.process_time() - started < 1.0


def test_the_time_grows_with_the_length_and_no_faster():
    def lasts(count):
        guesses("lock notes.md " * count)
        started = time.process_time()
        for _ in range(3):
            guesses("list the words " * count)
        return time.process_time() - started

    assert lasts(24) < 12 * lasts(6) + 0.1


# How the readers agree --------------------------------------------------------------------------------------------------


def guess(word, slots, sure=True):
    frame, tags, trust = (-0.01, -0.01, 5.0) if sure else (-2.0, -4.0, -4.0)
    return Guess(word, slots, frame, tags, trust, (), 0, 0, frame, tags, trust)


LOCK, PLAN = {"PATH": "plan.md"}, {"PATH": "plan.txt"}


def test_readers_that_say_the_same_propose_one_thing():
    (only,) = considered("", Understood("lock", LOCK), (guess("lock", LOCK),))
    assert (only.word, only.slots, only.side) == ("lock", LOCK, "same") and only.likely > 0.9


def test_readers_that_differ_both_propose_and_the_unsure_one_is_less_likely():
    found = considered("", Understood("lock", PLAN), (guess("unlock", LOCK, sure=False),))
    assert [(one.word, one.side) for one in found] == [("unlock", "other"), ("lock", "grammar")]
    assert found[0].likely < 0.5


def test_one_reader_alone_is_believed_where_it_is_sure():
    sure, unsure = (
        considered("", Understood(why="?"), (guess("lock", LOCK, sure),))[0] for sure in (True, False)
    )
    assert sure.side == unsure.side == "alone" and sure.likely > unsure.likely
    assert unsure.likely < weighed()["least"]


def test_what_is_doubtful_is_refused_with_what_both_made_of_it(monkeypatch):
    monkeypatch.setattr(agreed, "by_grammar", lambda prompt: Understood("lock", PLAN))
    monkeypatch.setattr(agreed, "guesses", lambda prompt: (guess("unlock", LOCK, sure=False),))
    monkeypatch.setattr(agreed, "weighed", lambda: {**weighed(), "least": 1.1})
    got = understood("whatever")
    assert not got.word and set(got.nearest) == {"lock plan.txt", "unlock plan.md"}


def test_what_the_grammar_refuses_for_good_stays_refused(monkeypatch):
    monkeypatch.setattr(agreed, "guesses", lambda prompt: (guess("lock", LOCK),))
    for sentence in (
        "don't lock plan.md",
        "how do I lock plan.md?",
        "I locked plan.md",
        "never lock plan.md",
    ):
        got = understood(sentence)
        assert not got.word and got.final


@pytest.mark.parametrize(
    "sentence",
    [
        "lock a.md and delete b.md", "what would happen if I purged a.md?", "email notes.md to Anna", "delete it", "roll back",
        "print a.md on the printer in the office", "what does 'purge a.md' mean?", "Bitte lösche a.md", "don't you dare delete a.md",
        "convert a.md", "good morning",
    ],
)  # fmt: skip
def test_what_must_not_be_done_is_refused(sentence):
    assert not understood(sentence).word


@pytest.mark.parametrize(
    "sentence",
    [
        "I have already purged token.json, all of its versions.",
        "yesterday we merged a.md and b.md into c.md", "the agent has joined a.md and b.md",
        "thanks for the summary on bees", "the index was rebuilt an hour ago",
        "cnn.txt has four versions", "we shouldn't drop the snapshot alpha-2",
        "I do not want a.md to be overwritten with b.md",
        "none of the files about bees should be removed", "under no circumstances rebuild the index",
        "if I locked plan.md for a week, could Anna still read it?",
        "would a rebuild of the index take long?", "tell Sam to unlock plan.md",
        "Tom should take a snapshot on his laptop", "Supprime le dossier build", "payroll.xlsx を二時間ロックして",
        "what kinds of grouping exist", "delete a.md without removing it", "delete a.md but keep it where it is",
    ],
)  # fmt: skip
def test_what_asks_for_nothing_is_refused_for_good(sentence):
    got = understood(sentence)
    assert got.final and not got.word and got.why


@pytest.mark.parametrize(
    "sentence",
    [
        "I've finished with draft.md, throw it away", "someone deleted a.md, bring it back", "nobody should delete plan.md until Friday",
        "I don't need a.md any more", "we have decided to delete old.txt",
        "search for das Kapital and der Spiegel", "Thanks! Now lock a.md",
        "if I deleted the files about chess, which ones would go?",
        "have a.md converted to html", "not the word cat but dog: list the files",
    ],
)  # fmt: skip
def test_what_asks_for_something_is_not_refused_for_good(sentence):
    assert not unasked(masked(sentence).text)


@pytest.mark.parametrize(
    "words", ["if i ", " a", " would what", "a.md is ", "tell Bob to ", "the x of ", "report: ", "what does "]
)
def test_no_sentence_takes_long_to_be_nothing(words):
    began = time.process_time()
    unasked(words * 1000)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("sentence", "path"),
    [
        ("Create the folder taxes/2027 please", "taxes/2027/"),
        ("Make a new folder called holiday.", "holiday/"),
        ("mkdir data/raw", "data/raw/"),
        ("Add a subfolder clients/novak", "clients/novak/"),
    ],
)
def test_the_grammar_makes_a_folder_too(sentence, path):
    got = by_grammar(sentence)
    assert (got.word, got.slots) == ("create", {"PATH": path})


@pytest.mark.parametrize("call", WORDS)
def test_the_papers_templates_are_understood_all_of_them(call):
    path = ROOT / "scripts/eval/data/parser/templates.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["call"] == call:
            got = understood(row["prompt"])
            assert got.word == call and alike(call, got.slots, row["arguments"]), (row, got)


@pytest.mark.parametrize(
    ("sentence", "path"),
    [
        ("set up an empty directory named drafts, please", "drafts/"),
        ("create a new file drafts.md", "drafts.md"),
    ],
)
def test_a_folder_is_made_where_a_folder_is_asked_for(sentence, path):
    got = understood(sentence)
    assert (got.word, got.slots) == ("create", {"PATH": path})
    assert again(planned(got.word, got.slots).line)[1] == {"PATH": path.encode()}


def test_a_translation_whose_format_is_said_by_its_name_is_a_plan():
    assert "b.html" in planned("translate", {"PATH": "a.md", "into": "b.html"}).says


def test_the_same_call_in_other_words_is_alike():
    assert alike("combine", {"A": "the owls", "B": "mice"}, {"A": "Owls?", "B": "mice", "how": "both"})
    assert alike("group", {"NAME": "owls", "by": "type"}, {"PROMPT": "owls", "by": "type"})
    assert alike("log", {"PATH": "files"}, {})
    assert not alike("lock", LOCK, PLAN)


@pytest.mark.parametrize(
    ("sentence", "word", "slots"),
    [
        ("delete old.txt", "delete", {"PATH": ["old.txt"]}),
        ("please remove notes/a.md", "delete", {"PATH": ["notes/a.md"]}),
        ("undo", "undo", {}),
        ("lock plan.md", "lock", {"PATH": "plan.md"}),
        ("show me a.md", "get", {"PATH": "a.md"}),
        ("copy a.md to b.md", "create", {"PATH": "b.md", "from": "a.md"}),
        ("compare a.md with b.md", "compare", {"PATH": "a.md", "with": "b.md"}),
        ("create the folder x", "create", {"PATH": "x/"}),
        ("status", "status", {}),
        ("don't delete old.txt", "", {}),
        ("delete", "", {}),
    ],
)
def test_the_plainest_sentences_are_understood(sentence, word, slots):
    found = understood(sentence)
    assert (found.word, dict(found.slots)) == (word, slots)
