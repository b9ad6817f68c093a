"""Whether a passage bears out what a language model says to have from it."""

import pytest

from syscalls.support import denies, lacking, names, numbers

PASSAGE = (
    "Refunds over 500 euros need two signatures. They are paid to the original card within 30 days.\n"
    "Anna Li approves travel to Berlin; hotels up to 1,200 a week need no approval."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Refunds over 500 euros need two signatures.",
        "A refund of more than 500 euros needs 2 signatures.",
        "Travel to Berlin is approved by Anna Li.",
        "Hotels up to 1200 a week need no approval.",
        "Money is refunded to the original card within 30 days.",
        "Anna Li does not reject travel to Berlin.",
        "Refunds are paid within thirty days.",
        "Customers get refunds to the original card within 30 days.",
        "Once approved, travel to Berlin is fine.",
        "Refunds exceeding 500\u20ac need two signatures.",
        "Twenty-one or two hundred: refunds need two signatures.",
    ],
)
@pytest.mark.parametrize("near", [None, 0.7])
def test_what_stands_there_is_borne_out(sentence, near):
    assert lacking(sentence, PASSAGE, near) is None


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Refunds over 700 euros need two signatures.", "700"),
        ("Refunds are paid within 30.5 days.", "30.5"),
        ("Travel to Paris is approved by Anna Li.", "Paris"),
        ("Travel to Berlin is approved by NASA.", "NASA"),
        ("The weather will be sunny tomorrow with some clouds.", "words"),
        ("Refunds over 500 euros do not need two signatures.", "denies"),
        ("Hotels up to 1200 a week need approval.", "denies"),
        ("Refunds over 500 euros need seven signatures.", "seven"),
        ("Refunds under 500 euros need two signatures.", "opposite"),
        ("Refunds over 500 dollars need two signatures.", "500"),
        ("They are paid to the original card within 30 weeks.", "30"),
        ("They are paid to the original card within 500 days.", "500"),
        ("Refunds over 500 million euros need two signatures.", "500"),
        ("Anna Li rejects travel to Berlin.", "opposite"),
        ("Bob approves travel to Berlin.", "Bob"),
        ("Anna Li rarely approves travel to Berlin.", "denies"),
    ],
)
@pytest.mark.parametrize("near", [None, 0.9])
def test_a_number_a_name_or_a_denial_that_is_not_there_is_found(sentence, why, near):
    assert why in lacking(sentence, PASSAGE, near)


def test_what_is_about_something_else_is_found_by_the_model_alone():
    assert lacking("Refunds need signatures.", PASSAGE, 0.1) == "it is about something else"


def test_german_nouns_are_no_names():
    passage = "Die Kunden erhalten das Geld und die Waren mit der Post. Der Antrag ist mit einer Unterschrift gültig."
    assert (
        lacking("Ein Antrag mit Unterschrift ist gültig und die Kunden erhalten Geld.", passage, 0.8) is None
    )


def test_numbers_are_the_same_however_they_are_written():
    assert numbers("1,200 and 1'200 and 1.5 and 1,5 and two") == {"1200", "1.5", "2"}
    assert numbers("v2 in 2026-11-28 at 10:30", spelled=False) == {"2026-11-28", "10:30"}


def test_names_and_denials():
    assert names("The plan of Anna Li for NASA") == ["Anna", "Li", "NASA"]
    assert denies("It isn't there.") and denies("Nobody came.") and not denies("It is not without a reason.")


@pytest.mark.parametrize("text", ["", "...", "1" * 5_000, "\x00", "漢字", "A" * 5_000])
def test_whatever_is_written_there_is_an_answer(text):
    assert lacking(text, "", None) is None or isinstance(lacking(text, "", None), str)
    assert lacking(text, text, 1.0) is None
