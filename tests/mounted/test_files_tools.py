"""/files: the tools people use do in it what they do on a disk."""

import filecmp
import os
import sqlite3
import subprocess


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def same(one, two):
    """Nothing differs, whatever diff compares."""
    run("diff", "-r", "--no-dereference", one, two)
    return True


def tree(folder):
    (folder / "docs/deep").mkdir(parents=True)
    for number in range(40):
        (folder / f"docs/file{number}.txt").write_text(f"line {number}\n" * number)
    (folder / "docs/deep/data").write_bytes(os.urandom(200_000))
    os.symlink("file1.txt", folder / "docs/link")
    os.chmod(folder / "docs/file3.txt", 0o755)


def test_a_tree_copied_in_and_out_is_the_same(pair, tmp_path):
    tree(tmp_path)
    run("cp", "-a", tmp_path / "docs", pair.live / "docs")
    assert same(tmp_path / "docs", pair.backing / "docs")
    run("cp", "-a", pair.live / "docs", tmp_path / "again")
    assert same(tmp_path / "docs", tmp_path / "again")
    run("rm", "-r", pair.live / "docs")
    assert os.listdir(pair.backing) == []


def test_tar_packs_and_unpacks(pair, tmp_path):
    tree(pair.live)
    os.link(pair.live / "docs/file1.txt", pair.live / "docs/hard")
    run("tar", "-C", pair.live, "-cf", tmp_path / "a.tar", "docs")
    run("tar", "-C", tmp_path, "-xf", tmp_path / "a.tar")
    assert same(tmp_path / "docs", pair.backing / "docs")
    assert os.stat(tmp_path / "docs/hard").st_nlink == 2
    (pair.live / "out").mkdir()
    run("tar", "-C", pair.live / "out", "-xf", tmp_path / "a.tar")
    assert same(pair.live / "out/docs", pair.live / "docs")


def test_git_commits_clones_and_sees_a_clean_tree(pair):
    environment = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    identity = (
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "-c",
        "safe.directory=*",
        "-c",
        "init.defaultBranch=main",
    )

    def git(*arguments, cwd):
        return run("git", *identity, *arguments, cwd=cwd, env=environment)

    repository = pair.live / "repository"
    repository.mkdir()
    tree(repository)
    git("init", "-q", cwd=repository)
    git("add", ".", cwd=repository)
    git("commit", "-qm", "one", cwd=repository)
    (repository / "docs/file7.txt").write_text("changed\n")
    assert git("status", "--porcelain", cwd=repository) == " M docs/file7.txt\n"
    git("commit", "-qam", "two", cwd=repository)
    git("checkout", "-q", "HEAD~1", cwd=repository)
    git("checkout", "-q", "main", cwd=repository)
    git("gc", "-q", cwd=repository)
    git("clone", "-q", repository, pair.live / "clone", cwd=pair.live)
    git("fsck", "--strict", cwd=pair.live / "clone")
    assert git("status", "--porcelain", cwd=pair.live / "clone") == ""
    assert (pair.backing / "clone/docs/file7.txt").read_text() == "changed\n"


def test_sqlite_keeps_its_promises_in_both_journal_modes(pair):
    for mode in ("delete", "wal"):
        path = pair.live / f"{mode}.db"
        one, two = sqlite3.connect(path, timeout=10), sqlite3.connect(path, timeout=10)
        assert one.execute(f"pragma journal_mode={mode}").fetchone() == (mode,)
        one.execute("create table t(x)")
        for number in range(30):
            with one if number % 2 else two as connection:
                connection.execute("insert into t values(?)", (number,))
        assert two.execute("select sum(x) from t").fetchone() == (435,)
        assert one.execute("pragma integrity_check").fetchone() == ("ok",)
        one.close()
        two.close()
        connection = sqlite3.connect(pair.backing / f"{mode}.db")
        assert connection.execute("select count(*) from t").fetchone() == (30,)
        connection.close()


def test_sed_in_place_and_saving_as_editors_do(pair):
    path = pair.live / "file"
    path.write_text("one\ntwo\n")
    run("sed", "-i", "s/two/three/", path)
    assert path.read_text() == (pair.backing / "file").read_text() == "one\nthree\n"
    os.rename(
        path, pair.live / "file~"
    )  # vim: the old one aside, a new one in its place, synced, the old one removed
    with open(path, "x") as stream:
        stream.write("saved\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.unlink(pair.live / "file~")
    assert path.read_text() == (pair.backing / "file").read_text() == "saved\n"


def test_what_python_compiles_it_can_import(pair):
    (pair.live / "package").mkdir()
    for number in range(20):
        (pair.live / f"package/module{number}.py").write_text(f"value = {number}\n")
    run("python3", "-m", "compileall", "-q", "package", cwd=pair.live)
    assert run("python3", "-c", "import package.module7 as m; print(m.value)", cwd=pair.live) == "7\n"


def test_shell_redirections_write_what_they_say(pair):
    script = "echo one > f; echo two >> f; cat f f > g; : > empty; printf x | tee h > /dev/null; exec 3<> f; echo ONE >&3"
    run("bash", "-c", script, cwd=pair.live)
    assert (pair.backing / "f").read_text() == "ONE\ntwo\n"
    assert (pair.backing / "g").read_text() == "one\ntwo\none\ntwo\n"
    assert (pair.backing / "h").read_text() == "x"
    assert filecmp.cmp(pair.live / "g", pair.backing / "g", shallow=False)
