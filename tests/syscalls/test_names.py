"""Prompts as file names, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syscalls.names import LongNames, decode_name, encode_name, is_probe, normal


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("/%2F5∕.@")), max_size=120))
def test_a_name_leads_back_to_its_prompt(prompt):
    name = encode_name(prompt)
    if name is not None:
        assert decode_name(name) == normal(prompt)
        assert 0 < len(name) <= 255 and b"/" not in name and b"\0" not in name and not name.startswith(b".")


@given(st.binary(min_size=1, max_size=255))
def test_every_name_is_some_prompt(name):
    decode_name(name).encode("utf-8")


@given(st.text(min_size=1, max_size=400))
def test_every_prompt_has_a_name_that_leads_to_it(prompt):
    names = LongNames()
    name = names.name(prompt)
    assert (names.prompt(name) or decode_name(name)) == normal(prompt)


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("a∕b".encode(), "a/b"),
        (b"a%2Fb", "a/b"),
        (b"a%2fb", "a/b"),
        (b"a%252Fb", "a%2Fb"),
        (b"100% sure", "100% sure"),
        (b"100%25", "100%"),
        (b"n\xff", "n\ufffd"),
    ],
)
def test_a_slash_is_written_in_two_ways(name, prompt):
    assert decode_name(name) == prompt


@pytest.mark.parametrize(
    "prompt",
    ["", "  ", ".hidden", "x" * 256, "a\0b", "two\nlines", "desktop.ini", "@0123456789abcdef", "\ud800"],
)
def test_some_prompts_fit_no_name(prompt):
    assert encode_name(prompt) is None


@pytest.mark.parametrize("name", [b".git", b"Thumbs.db", b"AUTORUN.INF", b"folder.jpg", b".Trash-1000"])
def test_dotted_names_and_probes_are_not_prompts(name):
    assert is_probe(name)


def test_the_long_names_kept_are_bounded():
    names = LongNames()
    first = names.name("x" * 300)
    for number in range(5000):
        names.name(f"{number} " + "x" * 300)
    assert names.prompt(first) is None and len(names._prompts) <= 4096
