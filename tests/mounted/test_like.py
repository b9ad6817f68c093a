"""more like this: the files that are like one, with the tools that people use."""

import json
import os
import subprocess
import sys

from mounted_helpers import as_nobody, reachable, root

FILES = {
    "notes/refunds.md": "# Refunds\n\nA customer who sends the goods back gets the money within 30 days, to the card.\n",
    "notes/returns and money.md": "# Returns\n\nGoods that a customer sends back are checked, then the money is paid.\n",
    "notes/garden.md": "# Garden\n\nTomatoes want sun, water and a stick to climb on.\n",
    "notes/01-claims.md": "# Claims\n\nBroken goods: the customer sends a picture, and has the money back or new goods.\n",
    "letters/claim.txt": "Dear customer, we have the goods that you sent back, and pay the money to your card.\n",
    "letters/hello.txt": "Dear aunt, the mountains are white and the lake is cold.\n",
    "empty.md": "",
}


def sh(mounted, lines, ok=0):
    """Shell lines at the top of the mount; what they print, line by line."""
    binary = mounted.path.parent / "bin"
    done = subprocess.run(
        ["bash", "-c", lines],
        cwd=mounted.path,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{binary}:{os.environ['PATH']}"},
    )
    assert done.returncode == ok, f"{lines}: {done.stdout}{done.stderr}"
    return (done.stdout + done.stderr).splitlines()


def numbered(listed):
    return [name.partition("-")[2] for name in listed if name[:2].isdigit()]


def test_a_user_asks_for_more_like_this(mount, tmp_path):
    folder = tmp_path / "folder"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/lsfs").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m lsfs "$@"\n')
    (tmp_path / "bin/lsfs").chmod(0o755)
    mounted = mount(folder)
    mounted.indexed()

    alike = {"claim.txt", "returns and money.md", "01-claims.md"}
    listed = numbered(sh(mounted, 'ls query/"like:notes/refunds.md"'))
    assert set(listed[:3]) == alike and set(listed) == alike | {"garden.md", "hello.txt"}
    assert numbered(sh(mounted, 'ls query/"like:files/notes/refunds.md"')) == listed
    assert "refunds.md" not in sh(mounted, 'readlink query/"like:notes/refunds.md"/0*')[0]
    found = numbered(sh(mounted, 'ls files/notes/.query/"like:refunds.md"'))
    assert set(found[:2]) == alike - {"claim.txt"} and found[2:] == ["garden.md"]
    assert numbered(sh(mounted, 'ls query/"like:notes/01-claims.md in:letters"'))[0] == "claim.txt"
    assert numbered(sh(mounted, "ls query/'like:\"notes/returns and money.md\" type:md limit:2'"))
    assert "claim.txt" in sh(mounted, "lsfs query like:notes/refunds.md in:letters")[0]
    both = sh(mounted, 'ls query/"like:notes/refunds.md like:letters/claim.txt tomatoes in:notes/ type:md"')
    assert set(numbered(both)) == {"returns and money.md", "01-claims.md", "garden.md"}
    answer = json.loads("\n".join(sh(mounted, 'cat query/"like:notes/refunds.md"/results.json')))
    assert answer["read"]["like"] == ["notes/refunds.md"] and answer["like"] == ["files/notes/refunds.md"]
    assert answer["meaning"] == "used" and answer["confidence"] is None
    assert "Probably" not in "\n".join(sh(mounted, 'cat query/"like:notes/refunds.md"/*.md'))
    assert sh(mounted, 'head -1 query/"like:notes/refunds.md"/why.tsv')[0].startswith(
        "rank\tfile\tscore\twords"
    )

    said = sh(mounted, "lsfs query like:notes/gone.md", ok=1)
    assert any("`like:notes/gone.md` was left out: there is no file" in line for line in said)
    assert any("name a file with text" in line for line in sh(mounted, "lsfs query like:empty.md", ok=1))

    sh(
        mounted,
        "mkdir snapshots/before; echo 'Tomatoes climb a stick in the garden sun.' > files/notes/refunds.md",
    )
    mounted.indexed()
    assert numbered(sh(mounted, 'ls query/"like:notes/refunds.md"'))[0] == "garden.md"
    assert numbered(sh(mounted, 'ls snapshots/before/query/"like:notes/refunds.md"')) == listed


@root
def test_a_file_that_another_user_may_not_read_tells_him_nothing(mount, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    reachable(folder)
    (folder / "secret.md").write_text("The wombat is bought by the zoo.\n")
    (folder / "one.md").write_text("A wombat was seen at the zoo.\n")
    (folder / "two.md").write_text("The lake is cold.\n")
    os.chmod(folder / "secret.md", 0o600)
    mounted = mount(folder, "--allow-other", conf="[engine]\nmodel = none\n")
    reachable(mounted.path)
    mounted.indexed()

    def look(name):
        directory = mounted.query / f"like:{name} seen"
        answer = json.loads((directory / "results.json").read_text())
        return json.dumps(
            {key: answer[key] for key in ("read", "like", "hits", "signals", "confidence")}
        ).replace(name, "NAME")

    mine = json.loads(look("secret.md"))
    assert mine["like"] == ["files/NAME"] and "wombat" in json.dumps(mine["hits"])
    his, gone = (json.loads(as_nobody(lambda name=name: look(name))) for name in ("secret.md", "absent.md"))
    assert his == gone and his["like"] == [] and his["hits"]

    os.chmod(mounted.files / "secret.md", 0o644)
    assert json.loads(as_nobody(lambda: look("secret.md")))["like"] == ["files/NAME"]
    os.chmod(mounted.files / "secret.md", 0o600)
    assert json.loads(as_nobody(lambda: look("secret.md"))) == his
