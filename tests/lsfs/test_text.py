"""text: what lsfs reads in a file, for whoever wants to check an answer by reading."""

import subprocess
import sys

import docx
from reportlab.pdfgen import canvas

from lsfs.engine.text import text_of


def test_the_text_of_plain_and_rich_files(tmp_path):
    (tmp_path / "a.md").write_text("# Café\n\nrefunds")
    document = docx.Document()
    document.add_paragraph("Two signatures")
    document.save(str(tmp_path / "b.docx"))
    page = canvas.Canvas(str(tmp_path / "c.pdf"))
    page.drawString(72, 700, "Refund policy")
    page.save()
    (tmp_path / "d.bin").write_bytes(bytes(range(256)) * 20)
    assert text_of(tmp_path / "a.md") == "# Café\n\nrefunds"
    assert "Two signatures" in text_of(tmp_path / "b.docx")
    assert "Refund policy" in text_of(str(tmp_path / "c.pdf"))
    assert text_of(tmp_path / "d.bin") is None and text_of(tmp_path / "gone") is None
    run = [sys.executable, "-m", "lsfs.engine.text"]
    assert (
        subprocess.run([*run, tmp_path / "a.md"], capture_output=True).stdout.decode() == "# Café\n\nrefunds"
    )
    assert subprocess.run([*run, tmp_path / "d.bin"], capture_output=True).returncode == 1
