"""semantic and integrated: by meaning alone, and by meaning among the files that have some words."""

import json

import pytest
from asked_library import Library, say

from syscalls import integrated, semantic
from syscalls.errors import InvalidArgument


def test_as_many_as_are_wanted_are_asked_for_by_meaning():
    library = Library()
    assert say(semantic.reply, {"PROMPT": "money", "k": 1}, library) == "files/policies/refund.md"
    assert library.asked == [("money mode:meaning", None, False)]
    assert len(say(semantic.reply, {"PROMPT": "money", "k": 1 << 30}).split("\n")) == len(library.files)
    for prompt in ("money mode:words", "money NOT", "money -", 'money in:"', "money (", "money OR"):
        answer = json.loads(say(semantic.reply, {"PROMPT": prompt, "json": True}))
        assert answer["read"]["mode"] == "meaning" and answer["read"]["limit"] == 20, prompt


def test_words_say_which_and_meaning_says_in_which_order():
    given = {"WORDS": "goods AND NOT month", "PROMPT": "money"}
    assert say(integrated.reply, given) == "files/policies/refund.md"
    assert say(integrated.reply, {"WORDS": "goods OR onion", "PROMPT": "lentil", "k": 2}) == (
        "files/recipes/soup.md\nfiles/faq.md"
    )
    assert (
        json.loads(say(integrated.reply, given | {"json": True}))["hits"][0]["path"]
        == "files/policies/refund.md"
    )


@pytest.mark.parametrize("words", ["a AND (b", "AND", "", "   ", "((", "-"])
def test_words_that_are_no_expression_are_refused(words):
    with pytest.raises(InvalidArgument):
        say(integrated.reply, {"WORDS": words, "PROMPT": "money"})


def test_nothing_found_is_no_line():
    assert say(integrated.reply, {"WORDS": "zebra", "PROMPT": "money"}) == ""
