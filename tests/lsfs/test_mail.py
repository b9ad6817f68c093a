"""Mail: decoded, in the lines of the file, each message of a mailbox by itself."""

import base64
import email
import mailbox
import os
import re
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import count
from pathlib import Path

import pytest
from documents_made import parsed
from hypothesis import given, settings
from hypothesis import strategies as st

from lsfs.engine.extract import Extractor, extract
from lsfs.engine.formats import mail
from lsfs.engine.passages import cut
from lsfs.engine.reader import of_bytes


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(timeout=60) as one:
        yield one


def message(subject: str, text: str = "", **more: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Anna Müller <anna@example.org>"
    made["To"] = "Bob <bob@example.org>"
    made["Subject"] = subject
    made["Date"] = "Sat, 28 Nov 2026 10:15:00 +0100"
    made["X-Spam"] = "hidden words"
    if text:
        made.set_content(text, **more)
    return made


@pytest.mark.parametrize("coding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_message_gives_decoded_headers_and_text_in_the_lines_of_the_file(
    extractor: Extractor, coding: str, end: bytes
) -> None:
    said = "Dear Bob,\n\n" + ("the refund is on its way. " * 8 + "\n") * 3 + "\nYours\n"
    text = said if coding == "7bit" else said.replace("refund", "Rückzahlung")
    data = (
        message("Rückzahlung im März", text, cte=coding)
        .as_bytes()
        .replace(b"\r\n", b"\n")
        .replace(b"\n", end)
    )
    document = parsed(extractor, data, b"a.eml")
    lines, source = document.text.split("\n"), data.split(b"\n")
    assert (document.type, document.title) == ("mail", "Rückzahlung im März")
    shown = [line for line in lines if line][:4]
    assert shown == [
        "From: Anna Müller <anna@example.org>",
        "To: Bob <bob@example.org>",
        "Subject: Rückzahlung im März",
        "Date: Sat, 28 Nov 2026 10:15:00 +0100",
    ]
    assert source[lines.index(shown[1])].startswith(b"To: Bob"), "a header stands where it stands in the file"
    assert len(lines) <= len(source)
    assert " ".join(text.split()) in " ".join(document.text.split())
    assert "hidden" not in document.text
    if coding != "base64":
        assert source[lines.index("Yours")].startswith(b"Yours")


def test_parts_alternatives_and_attachments(extractor: Extractor) -> None:
    made = message("Parts", "The plain words.\n")
    made.add_alternative("<html><p>The marked words.</p></html>", subtype="html")
    made.add_attachment(b"\x89PNG" + bytes(300), maintype="image", subtype="png", filename="Übersicht.png")
    made.add_attachment("Attached words.\n", filename="notes.txt")
    inner = message("Inner", "Forwarded words.\n")
    made.add_attachment(inner)
    document = parsed(extractor, made.as_bytes(), b"a.eml")
    for word in (
        "The plain words.",
        "Attachment: Übersicht.png",
        "Attachment: notes.txt",
        "Attached words.",
        "Subject: Inner",
    ):
        assert word in document.text, word
    assert "Forwarded words." in document.text
    assert "marked" not in document.text, "what the plain part says is said once"
    assert document.title == "Parts"


def test_html_alone_is_read_as_a_page(extractor: Extractor) -> None:
    made = message("Page")
    made.set_content(
        "<html><style>p {color: red}</style><p>The <b>marked</b> words.</p></html>", subtype="html"
    )
    text = parsed(extractor, made.as_bytes(), b"a.eml").text
    assert "The marked words." in text and "color" not in text


def test_a_message_in_an_old_encoding_and_with_raw_headers(extractor: Extractor) -> None:
    data = (
        b"From: =?koi8-r?B?6dfBzg==?= <i@example.org>\nSubject: " + "Café".encode("latin-1") + b"\n"
        b"Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: 8bit\n\n"
        + "Привет".encode("koi8-r")
    )
    document = parsed(extractor, data, b"a.eml")
    assert document.text.split("\n")[0] == "From: Иван <i@example.org>"
    assert document.text.endswith("Привет") and document.title == "Café"


def mbox(tmp_path: Path) -> bytes:
    box = mailbox.mbox(tmp_path / "box")
    for number in range(3):
        box.add(
            message(
                f"Subject {number}",
                f"Body {number}\n\nFrom here on it is quoted.\n" + f"word{number} " * 60 + "\n",
            )
        )
    box.close()
    return (tmp_path / "box").read_bytes()


@pytest.mark.parametrize("name", [b"box.mbox", b"Inbox"])
def test_each_message_of_a_mailbox_is_a_section_with_its_subject(
    extractor: Extractor, tmp_path: Path, name: bytes
) -> None:
    data = mbox(tmp_path)
    document = parsed(extractor, data, name)
    lines, source = document.text.split("\n"), data.decode().split("\n")
    assert document.type == "mail"
    assert [section.title for section in document.sections or ()] == ["Subject 0", "Subject 1", "Subject 2"]
    for number in range(3):
        assert source[lines.index(f"Body {number}")] == f"Body {number}"
    assert "From here on it is quoted." in lines
    cuts = cut(document, lambda texts: [len(one.split()) for one in texts], 50, 10)
    for one in cuts:
        assert not ("word0" in one.text and "word1" in one.text)
    assert {one.title for one in cuts} == {"Subject 0", "Subject 1", "Subject 2"}


def test_mail_is_known_by_its_headers_and_a_memo_is_none() -> None:
    assert of_bytes(message("x", "y").as_bytes(), b"1732787700.M1P2.host:2,S").type == "mail"
    assert of_bytes(b"From: me\nTo: you\nDate: today\n\nBuy bread.\n", b"memo.txt").type == "text"
    assert of_bytes(b"From here it is far.\n", b"notes").type == "text"
    assert of_bytes(b"# From: x\nMessage-ID: y\nReceived: z\n", b"how.md").type == "markdown"


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: x\n\n" + b"\n" * (8 << 20),
        b"Subject: x\n" + b"X: y\n" * (1 << 20),
        b"To: a" + b",\n b@example.org" * (1 << 19),
        b"Subject: " + b"=?utf-8?q?a?= " * 40_000 + b"\n\nbody",
        b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * (1 << 19),
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000)),
        b"Content-Type: message/rfc822\n\n" * 20_000,
        b"Content-Type: text/plain; charset=nonsense\nContent-Transfer-Encoding: base64\n\n!!!=\xff",
        b"Content-Type: multipart/mixed; boundary=\n\n--\nx",
        b"\xff\xfe: \x80\n\n\x81",
        b": \n: \n",
        b"",
    ],
    ids=[
        "lines",
        "headers",
        "addresses",
        "words",
        "parts",
        "nested",
        "messages",
        "base64",
        "boundary",
        "bytes",
        "names",
        "empty",
    ],
)
def test_hostile_mail_is_text_or_a_sentence(extractor: Extractor, data: bytes) -> None:
    extraction = extract(of_bytes(b"From a Sat Nov 28 10:15:00 2026\n" + data, b"a.mbox"), extractor)
    assert extraction.state == "text" or (
        extraction.state == "failed" and (extraction.error or "").endswith(".")
    )
    assert parsed(extractor, b"Subject: next\n\nfine", b"a.eml").title == "next"


def test_a_key_in_an_attachment_is_a_secret_all_the_same(extractor: Extractor) -> None:
    made = message("Key", "Here it is.\n")
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + base64.b64encode(os.urandom(300)).decode() + "\n"
    made.add_attachment(key, filename="id_rsa.txt", cte="base64")
    assert b"PRIVATE KEY" not in made.as_bytes()
    assert extract(of_bytes(made.as_bytes(), b"a.eml"), extractor).state == "secret"


PIECES = st.sampled_from(
    ["\n", "word\n", "\nword\n", "Subject: s\n", "From: a\n", " folded\n", "-- \n"]
    + [f"{mark}\n" for name in "bc" for mark in (f"--{name}", f"--{name}\n", f"\n--{name}--")]
    + [f"Content-Type: {kind}\n\nword\n" for kind in ("text/plain", "text/x-patch")]
    + ["Content-Type: message/rfc822\n\n"]
    + [f"Content-Type: multipart/mixed; boundary={name}\n\n--{name}\n" for name in "bc"]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=25))
def test_whatever_python_takes_for_text_is_found_in_its_own_line(pieces: list[str]) -> None:
    numbers = count()
    source = "Subject: first\n" + re.sub("word", lambda _: f"word{next(numbers)}", "".join(pieces))
    whole = email.message_from_string(source)
    if any(part.defects for part in whole.walk()):
        return  # it guesses then, and so do we
    document = mail.parse(source.encode())
    said, lines = document.text.split("\n"), source.split("\n")
    for part in whole.walk():
        for word in re.findall(r"word\d+", "" if part.is_multipart() else str(part.get_payload())):
            assert word in said[lines.index(word)].split()
    assert all(
        1 <= section.line <= section.last <= len(said) <= len(lines) for section in document.sections or ()
    )


@pytest.mark.parametrize(
    "source",
    [
        "word\nother\n",
        "  word: other\n",
        "Subject: s\n\nother\n\nFrom March 2024 on we charge\nword\n",
        "Content-Type: multipart/mixed; boundary=never\n\nother\nword\n",
        "Content-Type: multipart/mixed\n\nother\nword\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nword: x\n--b--\n".replace("word:", "word"),
        "Content-Type: message/rfc822\nother word\n",
    ],
    ids=["no mail", "no header", "From", "cut off", "no boundary", "no blank line", "no message"],
)
def test_mail_that_is_none_by_the_book_keeps_its_words(source: str) -> None:
    document = mail.parse(b"From a Sat Nov 28 10:15:00 2026\n" + source.encode())
    assert len(document.sections or ()) == 1
    at = next(at for at, line in enumerate(source.split("\n"), 1) if "word" in line)
    assert "word" in document.text.split("\n")[at]


def test_an_alternative_of_several_parts_is_read_whole_and_what_is_attached_to_the_other_too() -> None:
    source = (
        "Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\n\nfirst\n--b\nContent-Type: text/x-patch\n\nsecond\n--b--\n--a\nContent-Type: multipart/mixed; boundary=c\n\n"
        "--c\nContent-Type: text/html\n\n<p>again</p>\n--c\nContent-Type: text/csv\n"
        "Content-Disposition: attachment; filename=t.csv\n\nthird\n--c--\n--a--\n"
    )
    text = mail.parse(source.encode()).text
    assert text.split() == ["first", "second", "Attachment:", "t.csv", "third"]
