"""terms: what a word is, the same for the index and for whoever reads the text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syscalls import terms
from syscalls.terms import LONGEST, fulfils, occurs, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't parse_config v1.2", "don t parse config v1 2"),
        ("parseHeader built-in C++", "parseheader built in c"),
        ("Café Zürich ﬁle Ａ straße İstanbul", "cafe zurich file a strasse istanbul"),
        ("мой мои Ёлка о́н", "мой мои ёлка он"),
        ("km² ½ note¹ Foo™ ①", "km 2 1 2 note 1 foo 1"),
        ("全文検索 abc検 ｶﾞｷﾞ", "全 文 検 索 abc 検 ガ ギ"),
        ("학교에", "학 교 에"),
        ("हिन्दी में", "हिन्दी में"),
        ("สวัสดี", "ส วั ส ดี"),
        ("re\u00adfund \u200b zero\u200bwidth", "refund zero width"),
        ("🤷\ufe0f -- \u0301 ?!", ""),
        ("\ud800\0a\x7fb", "a b"),
        ("a" * 300, "a" * LONGEST),
    ],
)
def test_a_word_is_a_run_of_letters_and_digits(text, words):
    assert tokens(text) == words.split()


@given(st.text(max_size=80))
def test_words_are_their_own_words(text):
    words = tokens(text)
    assert tokens(" ".join(words)) == words
    assert all(words) and not any(" " in word for word in words)


@given(st.text(max_size=40))
def test_how_a_letter_is_coded_does_not_matter(text):
    text = text.replace("\u2126", "")
    assert tokens(unicodedata.normalize("NFD", text)) == tokens(unicodedata.normalize("NFC", text))


@given(st.lists(st.text(max_size=30), max_size=5))
def test_what_stands_on_lines_of_their_own_does_not_mix(lines):
    assert tokens("\n".join(lines)) == [word for line in lines for word in tokens(line)]


@given(st.text(alphabet="aé, \n\u0338=\u0301検b-", max_size=60), st.integers(1, 20))
def test_a_text_in_pieces_has_the_same_words(text, size):
    whole = tokens(text)
    kept, terms.CHUNK = terms.CHUNK, size
    try:
        assert tokens(text) == whole
    finally:
        terms.CHUNK = kept


def test_a_phrase_is_in_order_and_a_prefix_ends_it():
    words = tokens("refunds need two signatures")
    assert occurs(["two", "signatures"], words) and not occurs(["signatures", "two"], words)
    assert occurs(["two", "sign"], words, prefix=True) and not occurs(["two", "sign"], words)
    assert not occurs(["need", "signatures"], words)


def test_a_condition_is_fulfilled_by_the_text_or_by_the_path_but_no_phrase_by_both():
    text, path = tokens("refunds need two signatures"), tokens("policies/draft.md")
    tree = ("and", (("word", "draft"), ("phrase", "two signatures")))
    assert fulfils(tree, text, path) and not fulfils(tree, text)
    assert not fulfils(("phrase", "signatures policies"), text, path)
    assert fulfils(("not", ("prefix", "refunds need thr")), text, path)
    assert fulfils(None) and fulfils(("word", "?!")) and not fulfils(("not", ("word", "?!")), text)
