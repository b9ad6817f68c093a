"""The index follows the folder, through the mount and behind it, and never does the same work twice."""

import os
import shutil
import signal

import pytest
from mounted_helpers import write_library

SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture
def notes(mount, tmp_path):
    """An indexed mount of the library, for this test alone."""
    folder = tmp_path / "notes"
    folder.mkdir()
    write_library(folder)
    mounted = mount(folder)
    mounted.indexed()
    return mounted


def test_the_index_follows_files_by_words_at_once_and_by_meaning_soon(notes):
    (notes.files / "refunds-2.md").write_text("Refunds over 500 need two signatures.\n")
    assert notes.found("two signatures")[0] == "refunds-2.md", "a closed file is found by its words at once"
    notes.indexed()
    assert "refunds-2.md" in notes.found("who has to approve big repayments")[:3]

    (notes.folder / "behind.md").write_text("The lighthouse keeper feeds forty-one gulls.\n")
    notes.until(lambda: "behind.md" in notes.found("lighthouse gulls"))
    (notes.folder / "behind.md").write_text("The lighthouse keeper moved to a submarine.\n")
    notes.until(lambda: "behind.md" in notes.found('"moved to a submarine"'))
    assert (notes.files / "behind.md").read_text() == "The lighthouse keeper moved to a submarine.\n"
    (notes.folder / "behind.md").unlink()
    notes.until(lambda: "behind.md" not in notes.found("lighthouse submarine"))
    assert not (notes.files / "behind.md").exists()

    os.rename(notes.files / "refunds-2.md", notes.files / "policies" / "big.md")
    hits = notes.found('"two signatures" mode:words')
    assert hits == ["policies/big.md"], "a rename is seen by the very next question"
    (notes.files / "policies" / "big.md").unlink()
    assert notes.found('"two signatures" mode:words') == [], "so is a removal"


def test_nothing_is_embedded_twice(notes):
    first = notes.indexed()["embeddings"]
    assert first >= 9
    os.rename(notes.files / "recipes", notes.files / "cooking")
    os.rename(notes.folder / "faq.md", notes.folder / "questions.md")
    shutil.copy(notes.files / "refund-policy.md", notes.files / "copy.md")
    os.utime(notes.files / "policies/travel.md")
    notes.until(lambda: {"copy.md", "questions.md"} <= set(notes.found("refund")))
    assert "cooking/bread.md" in notes.found("sourdough starter")
    assert notes.indexed()["embeddings"] == first

    notes.umount()
    (notes.folder / "policies").rename(notes.folder / "rules")
    (notes.folder / "recipes.txt").write_text("Everybody has thirty days of paid leave a year.\n")
    notes.mount()
    assert "rules/travel.md" in notes.found("hotels flights approval") or notes.indexed()
    assert "rules/travel.md" in notes.found("hotels flights approval")
    assert notes.indexed()["embeddings"] == 0, "a remount reads what changed and embeds nothing that is known"

    notes.umount()
    shutil.rmtree(notes.state / "index")
    notes.mount()
    assert notes.indexed()["embeddings"] == 0, "a lost index is made again from the durable vectors"
    assert notes.found("how do I bake")[0] == "cooking/bread.md"
    (notes.path / "ctl").write_text("rebuild\n")
    notes.indexed()
    assert notes.found("how do I bake")[0] == "cooking/bread.md"
    assert notes.status()["embeddings"] == 0


def test_a_killed_engine_costs_nothing_but_a_moment(notes):
    before = notes.status()["engine"]["pid"]
    os.kill(before, signal.SIGKILL)
    assert (notes.files / "faq.md").read_text().startswith("# Questions")
    (notes.files / "written.md").write_text("Written while the engine was away: quokka.\n")
    assert "written.md" in notes.found("quokka"), "the next question waits for the new engine and is answered"
    status = notes.indexed()
    assert status["engine"]["pid"] not in (None, before)
    assert status["engine"]["starts"] == 2
    assert any("engine ended" in error["error"] for error in status["errors"]), (
        "and /status says that it happened"
    )


def test_kill_minus_nine_of_everything_then_mount_converges(notes):
    for number in range(30):
        (notes.files / f"late-{number}.md").write_text(
            f"Late file {number} about marmalade number {number}.\n"
        )
    notes.kill_all()
    notes.until(notes.dead)
    (notes.folder / "late-3.md").unlink()
    (notes.folder / "meanwhile.md").write_text("Written while nothing was mounted: pangolin.\n")
    notes.mount()
    notes.indexed()
    found = notes.found("marmalade limit:100")
    assert sorted(hit for hit in found if hit.startswith("late-")) == sorted(
        f"late-{number}.md" for number in range(30) if number != 3
    )
    assert notes.found("pangolin")[0] == "meanwhile.md"


def test_secrets_and_what_lsfsignore_names_are_never_found(notes):
    (notes.files / ".env").write_text("PASSWORD=xylophonist\n")
    (notes.files / ".ssh").mkdir()
    (notes.files / ".ssh" / "config").write_text("Host xylophonist\n")
    (notes.files / "innocent.txt").write_text(SECRET + "xylophonist\n")
    (notes.files / "diary.md").write_text("Dear xylophonist\n")
    (notes.files / "open.md").write_text("An open xylophonist\n")
    (notes.files / ".lsfsignore").write_text("diary.md\n")
    notes.until(lambda: notes.found("xylophonist mode:words"), lambda hits: hits == ["open.md"])
    notes.indexed()
    assert notes.found("xylophonist mode:words") == ["open.md"]
    assert not {".env", ".ssh/config", "innocent.txt", "diary.md"} & set(notes.found("xylophonist limit:100"))
    assert b"PASSWORD" not in (notes.query / "xylophonist" / "passages.md").read_bytes()
    made = [*(notes.state / "index").rglob("*"), *notes.state.glob("vectors.db*")]
    vectors = b"".join(path.read_bytes() for path in made if path.is_file())  # (history has what was written)
    assert b"b3BlbnNzaC1rZXktdjEAAAAA" not in vectors and b"PASSWORD=" not in vectors
    (notes.files / ".lsfsignore").unlink()
    notes.until(lambda: "diary.md" in notes.found("xylophonist mode:words"))


def test_a_symlink_out_of_the_folder_is_shown_and_never_followed(notes, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "treasure.md").write_text("The zanzibar treasure.\n")
    (notes.files / "way-out").symlink_to(outside)
    (notes.files / "way-out.md").symlink_to(outside / "treasure.md")
    assert os.readlink(notes.files / "way-out") == str(outside)
    notes.indexed()
    assert notes.found("zanzibar treasure mode:words") == []


def test_a_broken_document_is_recorded_and_costs_nothing_else(notes):
    (notes.files / "broken.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(5000))
    (notes.files / "fine.md").write_text("A fine wombat.\n")
    assert notes.found("wombat")[0] == "fine.md"
    status = notes.indexed()
    assert any("broken.pdf" in (error["path"] or "") for error in status["errors"])


def test_uninstalled_the_folder_is_what_the_mount_showed(notes):
    (notes.files / "new").mkdir()
    (notes.files / "new" / "file").write_bytes(os.urandom(100_000))
    shown = {
        path.relative_to(notes.files): path.read_bytes() for path in notes.files.rglob("*") if path.is_file()
    }
    notes.umount()
    shutil.rmtree(notes.state)
    assert shown == {
        path.relative_to(notes.folder): path.read_bytes()
        for path in notes.folder.rglob("*")
        if path.is_file()
    }
