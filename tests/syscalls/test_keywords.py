"""keywords: an expression is asked as it is, and what is none is refused."""

import json

import pytest
from asked_library import Library, say

from syscalls.errors import Denied, InvalidArgument, NotFolder, NotFound
from syscalls.keywords import reply


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("money", ["policies/refund.md", "policies/travel.md", "src/pay.py"]),
        ("money card", ["policies/refund.md", "src/pay.py"]),
        ("money AND NOT (card OR hotel)", []),
        ('"train flight" OR onion', ["policies/travel.md", "recipes/soup.md"]),
        ("money type:py", ["src/pay.py"]),
    ],
)
def test_every_file_that_fulfils_it_is_a_line(expression, paths):
    answer = say(reply, {"EXPRESSION": expression})
    assert sorted(answer.split()) == sorted(f"files/{path}" for path in paths)


def test_the_question_is_one_that_anybody_can_ask_below_query():
    library = Library()
    say(reply, {"EXPRESSION": "money -card"}, library)
    assert library.asked == [("mode:words limit:all (money AND NOT card)", None, False)]


def test_only_the_folder_is_asked():
    assert say(reply, {"EXPRESSION": "money AND goods OR hotel", "in": b"policies"}).count("\n") == 1
    assert say(reply, {"EXPRESSION": "onion", "in": b"policies"}) == ""


def test_as_json_it_says_that_it_is_exact_and_what_is_pending():
    answer = json.loads(say(reply, {"EXPRESSION": "onion", "json": True}))
    assert answer["exact"] is True and answer["pending"] == 0 and answer["read"]["limit"] == "all"
    assert [hit["path"] for hit in answer["hits"]] == ["files/recipes/soup.md"]


@pytest.mark.parametrize("expression", ["", "a AND", "(a", "?!", "a mode:meaning"])
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(InvalidArgument):
        say(reply, {"EXPRESSION": expression})


@pytest.mark.parametrize(
    ("folder", "error"), [(b"gone", NotFound), (b"closed", Denied), (b"faq.md", NotFolder)]
)
def test_a_folder_that_cannot_be_asked_is_refused(folder, error):
    with pytest.raises(error):
        say(reply, {"EXPRESSION": "a", "in": folder})
