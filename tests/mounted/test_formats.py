"""Formats and languages in a real mount: what is in a workbook, a notebook, a mailbox, a chat or a foreign text is found by its words."""

import json
import mailbox
import os
from email.message import EmailMessage

import pytest
from documents_made import ENCRYPTED, locked, row, xlsx
from mounted_helpers import WORDS_ONLY, Mounted
from PIL import Image, ImageDraw, ImageFont

from lsfs.engine.formats import picture

LANGUAGES = {
    "german.txt": ("Die Rückerstattung erfolgt über die Straße.", ["Rückerstattung", "ruckerstattung", '"uber die"']),
    "french.txt": ("Le café de l’été dernier, naïveté comprise.", ["cafe", "été", "naivete"]),
    "russian.txt": ("Возврат средств занимает четырнадцать дней.", ["возврат", "СРЕДСТВ", '"четырнадцать дней"']),
    "greek.txt": ("Η επιστροφή χρημάτων διαρκεί δύο εβδομάδες.", ["επιστροφή", '"χρηματων διαρκει"', "χρημάτων"]),
    "chinese.txt": ("退款需要两个工作日才能到账。", ["退款", "工作日", '"两个工作日"']),
    "japanese.txt": ("返金には二週間かかります。データベース設計。", ["返金", "二週間", "データベース"]),
    "korean.txt": ("환불은 이주일이 걸립니다.", ["환불", "이주일"]),
    "thai.txt": ("การคืนเงินใช้เวลาสองสัปดาห์", ["การคืนเงิน", "สองสัปดาห์"]),
    "arabic.txt": ("يستغرق استرداد الأموال أسبوعين كاملين.", ["استرداد", "الأموال"]),
    "hebrew.txt": ("ההחזר הכספי אורך שבועיים.", ["הכספי", "שבועיים"]),
    "hindi.txt": ("धनवापसी में दो सप्ताह लगते हैं।", ["धनवापसी", "सप्ताह"]),
    "old-russian.txt": ("Возмещение расходов производится ежемесячно бухгалтерией.", ["возмещение", "ежемесячно"]),
}  # fmt: skip


def write_mbox(path: os.PathLike) -> None:
    box = mailbox.mbox(path)
    for subject, text in (("Wombat sightings", "Zwei Würmer. " * 40), ("Numbat dinner", "Termites again.")):
        made = EmailMessage()
        made["From"], made["Subject"] = "Ānna <anna@example.org>", subject
        made.set_content(text + "\n", cte="base64")
        box.add(made)
    box.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A mount without a model, of one file of each format and language."""
    root = tmp_path_factory.mktemp("formats")
    folder, path = root / "folder", root / "mount"
    folder.mkdir()
    path.mkdir()
    (folder / ".lsfs").mkdir(mode=0o700)
    (folder / ".lsfs/lsfs.conf").write_text(WORDS_ONLY)
    rows = row(1, "Ledger item", "Cost") + row(2, "Quokka feeding", 120) + row(3, "Desk", 7)
    (folder / "animals.xlsx").write_bytes(xlsx({"Animals": rows}))
    write_mbox(folder / "animals.mbox")
    cell = {
        "cell_type": "code",
        "source": "bilby = 3",
        "outputs": [{"output_type": "stream", "text": "potoroo counted"}],
    }
    (folder / "animals.ipynb").write_text(
        json.dumps({"nbformat": 4, "cells": [cell, cell | {"source": "dunnart()"}]})
    )
    turns = [
        f"{name}: {animal} {'and so on ' * 20}."
        for animal in ("dingo", "emu", "koala")
        for name in ("Anna", "Bob")
    ]
    (folder / "chat.txt").write_text("\n".join(turns))
    records = {"animals": [{"id": n, "name": f"animal{n}", "said": f"growl{n} " * 30} for n in range(9)]}
    (folder / "animals.json").write_text(json.dumps(records))
    (folder / "zoo.py").write_text("class Zoo:\n    def feed_echidna(self):\n        return 1\n")
    (folder / "hostile.java").write_text("echidna<" * 60_000)
    (folder / "locked.xlsx").write_bytes(ENCRYPTED)
    (folder / "locked.odt").write_bytes(locked("text"))
    for name, (text, _) in LANGUAGES.items():
        (folder / name).write_text(text, encoding="koi8-r" if name.startswith("old-") else "utf-8")
    mounted = Mounted(folder, path, folder / ".lsfs", ())
    try:
        mounted.mount().indexed()
        yield mounted
        mounted.umount()
        assert "Traceback" not in mounted.log(), mounted.log()
    finally:
        mounted.clean()


@pytest.mark.parametrize(
    ("prompt", "path"),
    [
        ("quokka feeding", "animals.xlsx"),
        ('"Quokka feeding"', "animals.xlsx"),
        ("wombat würmer", "animals.mbox"),
        ('"termites again"', "animals.mbox"),
        ("potoroo", "animals.ipynb"),
        ("emu", "chat.txt"),
        ("growl4", "animals.json"),
        ("feed_echidna", "zoo.py"),
        ("type:xlsx quokka", "animals.xlsx"),
        ("type:spreadsheet quokka", "animals.xlsx"),
        ("type:doc quokka", "animals.xlsx"),
        ("type:mail wombat", "animals.mbox"),
        ("type:notebook bilby", "animals.ipynb"),
    ],
)
def test_what_a_format_says_is_found(place, prompt, path):
    assert place.found(prompt)[0] == path


def test_hits_say_where_they_are(place):
    def first(prompt: str) -> dict:
        return place.ask(prompt)["hits"][0]["passages"][0]

    assert first("dunnart")["lines"] == [1, 2], "of a notebook the places are cells"
    lines = (place.files / "animals.mbox").read_text().split("\n")
    start, end = first("termites")["lines"]
    assert "Subject: Numbat dinner" in lines[start - 1 : end], "of mail they are the lines of the file"
    assert "Termites again." in first("termites")["text"]


def test_the_status_says_of_encrypted_documents_that_they_are(place):
    said = {entry["path"]: entry["error"] for entry in place.status()["errors"]}
    assert said["locked.xlsx"] == "The workbook is encrypted with a password."
    assert said["locked.odt"] == "The document is encrypted with a password."
    assert place.found("locked type:xlsx") == ["locked.xlsx"], "by its name"


def test_a_source_that_no_grammar_survives_is_found_by_its_words_and_the_engine_lives(place):
    assert "hostile.java" in place.found("echidna")
    assert place.status()["engine"]["starts"] == 1


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_text_is_found_by_the_words_of_its_language(place, name):
    for prompt in LANGUAGES[name][1]:
        assert place.found(prompt)[:1] == [name], prompt


def write_picture(path: os.PathLike) -> None:
    made = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(made).text(
        (40, 40), "Refund policy: two signatures", fill="black", font=ImageFont.load_default(36)
    )
    made.save(path)


def test_a_picture_is_found_by_its_path_alone(mount, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_picture(folder / "scan.png")
    mounted = mount(folder, conf=WORDS_ONLY)
    mounted.indexed()
    assert mounted.found("signatures") == [] and mounted.found("scan") == ["scan.png"]
    assert mounted.status()["errors"] == []


@pytest.mark.skipif(picture.available(), reason="OCR is installed here")
def test_ocr_that_is_not_installed_is_said_in_status(mount, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_picture(folder / "scan.png")
    mounted = mount(folder, conf=WORDS_ONLY + "[index]\nocr = yes\n")
    status = mounted.indexed()
    assert any("lsfs[ocr]" in error["error"] and "scan.png" in error["path"] for error in status["errors"])


@pytest.mark.skipif(not picture.available(), reason="no OCR here: pip install 'lsfs[ocr]'")
def test_with_ocr_a_picture_is_found_by_its_words(mount, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_picture(folder / "scan.png")
    mounted = mount(folder, conf=WORDS_ONLY + "[index]\nocr = yes\n")
    mounted.indexed()
    assert mounted.found("type:image signatures") == ["scan.png"]
    assert mounted.found('"two signatures" type:png') == ["scan.png"]
