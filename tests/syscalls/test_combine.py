"""combine: what answers both questions, either, or only the first; however many steps there are."""

import json
from dataclasses import replace

import pytest
import trio
from asked_library import ME, Library, paths, say

from syscalls import combine as module
from syscalls.combine import MOST_STEPS, combine, either, reading
from syscalls.confidence import LOW, confidence
from syscalls.errors import Denied, InvalidArgument, NotFolder, NotFound


def found(*chain, library=None, **more):
    library = library or Library()
    return trio.run(lambda: combine(chain, ask=library.ask, folder=b"", viewer=ME, **more))


def test_and_ranks_by_the_second_what_the_first_demands():
    assert paths(found("mode:words refund", "and", "money card")) == ["policies/refund.md", "faq.md"]
    assert paths(found("type:md", "and", "money limit:1")) == ["policies/refund.md"]


def test_a_second_question_of_fields_alone_keeps_the_order_of_the_first():
    assert paths(found("money card", "and", "type:md")) == [
        path for path in paths(found("money card")) if path.endswith(".md")
    ]
    assert paths(found("card money function", "and", "type:py,md limit:1")) == ["src/pay.py"]
    assert paths(found("type:md", "and", "in:policies")) == ["policies/refund.md", "policies/travel.md"]


def test_and_the_other_way_round_keeps_the_hits_of_the_plain_question_that_have_the_words():
    results = found("money card limit:3", "and", "mode:words refund")
    assert paths(results) == ["policies/refund.md"]
    assert (
        "`money card limit:3` demands nothing, so its first 3 hits count as what answers it"
        in results.prompt.notes
    )


def test_all_that_fulfils_a_condition_counts_not_its_first_hits():
    many = {b"%03d.md" % number: "refund" for number in range(300)} | {b"last.md": "refund money"}
    assert paths(found("mode:words refund", "and", "money limit:1", library=Library(many))) == ["last.md"]
    assert len(found("mode:words refund", "and", "money limit:1000", library=Library(many)).hits) == 301


def test_or_puts_two_answers_beside_each_other_what_has_both_first():
    results = found("mode:words money", "or", "mode:words refund")
    assert paths(results)[0] == "policies/refund.md"
    assert sorted(paths(results)) == ["faq.md", "policies/refund.md", "policies/travel.md", "src/pay.py"]
    assert all(0 < hit.score <= 1 for hit in results.hits) and results.hits[0].score == 1.0


@pytest.mark.parametrize(
    ("one", "other", "both"), [(0.1, 0.7, 0.7), (0.7, 0.1, 0.7), (None, 0.1, None), (0.1, None, None)]
)
def test_either_is_answered_as_surely_as_the_surer_of_the_two(one, other, both):
    first, second = found("money"), found("lentil")
    joined = either(
        replace(first, confidence=one, signals=("words", "meaning")),
        replace(second, confidence=other, signals=("words", "path")),
    )
    assert (joined.confidence, joined.signals) == (both, ("words", "meaning", "path"))


def test_what_a_limit_leaves_is_as_sure_as_it_is():
    library = Library()
    ask = library.ask

    async def sure(text, *arguments, **how):
        answer = await ask(text, *arguments, **how)
        parts = {"words": 0.05 if text == "money" else 0.9}
        hits = tuple(replace(hit, parts=parts) for hit in answer.hits[:2])
        return replace(answer, hits=hits, signals=("words",), confidence=confidence(hits, ("words",)))

    library.ask = sure
    both = found("money", "or", "lentil", library=library)
    shown = found("money", "or", "lentil", library=library, limit=1)
    assert shown.hits[0].parts == {"words": 0.05} and shown.confidence < LOW < both.confidence


def test_not_leaves_out_what_answers_the_second():
    assert paths(found("mode:words money", "not", "mode:words refund")) == [
        "policies/travel.md",
        "src/pay.py",
    ]
    assert paths(found("mode:words money", "not", "lentil limit:1")) == [
        "policies/refund.md", "policies/travel.md", "src/pay.py",
    ]  # fmt: skip
    assert paths(found("lentil limit:2", "not", "mode:words lentil")) == ["faq.md"]


def test_what_no_file_fulfils_leaves_everything_as_it_is():
    assert paths(found("mode:words refund", "not", '"no such phrase"')) == ["faq.md", "policies/refund.md"]
    assert paths(found("mode:words nothing", "and", "money")) == []


def test_steps_are_taken_from_the_left():
    chain = ("mode:words money", "or", "mode:words refund", "not", "in:policies", "and", "card")
    results = found(*chain)
    assert paths(results) == ["src/pay.py", "faq.md"]
    assert results.prompt.text == "((mode:words money OR mode:words refund) AND NOT in:policies) AND card"
    assert paths(found("mode:words money", "and", "card", "not", "mode:words refund")) == [
        "src/pay.py", "policies/travel.md",
    ]  # fmt: skip


def test_what_may_not_be_read_is_not_in_the_answer():
    library = Library(closed=[b"policies/refund.md"])
    for word in ("and", "or", "not"):
        assert "policies/refund.md" not in paths(found("mode:words money", word, "lentil", library=library))


def test_a_search_is_made_once():
    library = Library()
    found("money", "or", "refund", "not", "money", library=library)
    assert len(library.asked) == len({str(one) for one in library.asked})


def test_what_is_no_chain_or_too_long_is_refused():
    for chain in ((), ("a", "and"), ("a", "xor", "b"), ("a", *("and", "b") * (MOST_STEPS + 1))):
        with pytest.raises(InvalidArgument):
            found(*chain)
    assert found("a", *("and", "b") * MOST_STEPS)


def test_a_chain_is_read_as_it_is_done():
    assert reading(("a",)) == "a" and reading(("a", "not", "b", "or", "c")) == "(a AND NOT b) OR c"


def test_the_reply_has_a_path_a_line_and_all_of_it_as_json():
    given = {"A": "mode:words money", "B": "mode:words refund"}
    assert say(module.reply, given) == "files/policies/refund.md"
    assert say(module.reply, given | {"how": "only"}) == "files/policies/travel.md\nfiles/src/pay.py"
    answer = json.loads(say(module.reply, given | {"how": "either", "json": True}))
    assert answer["prompt"] == "mode:words money OR mode:words refund" and len(answer["hits"]) == 4
    assert say(module.reply, given | {"in": b"policies"}) == "files/policies/refund.md"


@pytest.mark.parametrize(("path", "error"), [(b"gone", NotFound), (b"closed", Denied), (b"a.md", NotFolder)])
def test_a_place_that_cannot_be_asked_says_why(path, error):
    with pytest.raises(error):
        say(module.reply, {"A": "a", "B": "b", "in": path})
