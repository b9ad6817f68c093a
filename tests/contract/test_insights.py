"""What calls rely on in an insight: the fake that their tests use, and the engine with its model."""

import pytest
import trio
from engine_client import Daemon
from insight_fakes import Thinker

from lsfs.config import NO_MODEL
from lsfs.insight import Insight
from syscalls.errors import TryAgain

TEXTS = {
    b"bread.md": "Bake the bread in a hot oven. Knead the bread dough and bake it.",
    b"loaf.md": "The bread dough has to rise. Bake the loaf of bread in the oven.",
    b"tenant.md": "The tenant pays the rent to the landlord. The landlord may end the contract with the tenant.",
    b"lease.md": "The contract with the landlord says when the tenant pays the rent.",
}
SENTENCES = [
    "The tenant pays the rent on Monday.",
    "Bake the bread for an hour.",
    "The tenant pays the rent on each Monday.",
    "The rent goes to the landlord.",
]


class Settings:
    index_enabled, model = True, "all-MiniLM-L6-v2"


class Asked:
    """The daemon's side of an engine that lives in a test: each call is asked over the socket."""

    def __init__(self, daemon):
        self.daemon, self.down = daemon, False

    async def call(self, call, arguments, deadline):
        if self.down:
            raise TryAgain("The engine is down.")
        return self.daemon.call(call, **arguments)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("insights"))
    daemon.start()
    daemon.write({path.decode(): text for path, text in TEXTS.items()})
    daemon.index(*(path.decode() for path in TEXTS))
    daemon.settle()
    yield daemon
    daemon.close()


@pytest.fixture(params=["fake", "real"])
def insight(request):
    if request.param == "fake":
        return Thinker(TEXTS)
    return Insight(Settings(), Asked(request.getfixturevalue("engine")))


def test_what_is_alike_is_nearer_than_what_is_not(insight):
    cosines = trio.run(insight.similar, "who pays the rent", SENTENCES, 30.0)
    assert len(cosines) == len(SENTENCES)
    assert cosines[0] > cosines[1] and all(-1.001 <= one <= 1.001 for one in cosines)
    assert trio.run(insight.similar, "a", [], 30.0) == []


def test_what_matters_comes_first_and_nothing_twice(insight):
    chosen = trio.run(insight.salient, "who pays the rent", SENTENCES, 3, 30.0)
    assert chosen[0] != 1 and not {0, 2} <= set(chosen) and len(chosen) <= 3
    assert trio.run(insight.salient, "who pays the rent", [], 3, 30.0) == []
    assert len(trio.run(insight.salient, "who pays the rent", SENTENCES, 1, 30.0)) == 1


def test_topics_part_the_files_that_are_indexed(insight):
    topics = trio.run(insight.topics, [*TEXTS, b"not-there.md"], 30.0)
    assert sorted(path for topic in topics for path in topic.paths) == sorted(TEXTS)
    assert {frozenset(topic.paths) for topic in topics} == {
        frozenset((b"bread.md", b"loaf.md")),
        frozenset((b"tenant.md", b"lease.md")),
    }
    names = [topic.name for topic in topics]
    assert len(set(names)) == len(names) and all(name and "/" not in name for name in names)
    assert topics == trio.run(insight.topics, list(reversed(TEXTS)), 30.0)
    assert trio.run(insight.topics, [], 30.0) == []


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_without_a_model_there_is_no_answer_and_with_no_engine_one_later(kind):
    class None_(Settings):
        model = NO_MODEL

    asked = Asked(None)
    asked.down = True
    absent = Thinker(absent=True) if kind == "fake" else Insight(None_(), asked)
    down = Thinker(down=True) if kind == "fake" else Insight(Settings(), asked)
    for arguments in (("similar", "a", ["b"]), ("salient", "a", ["b"], 1), ("topics", [b"a"])):
        assert trio.run(getattr(absent, arguments[0]), *arguments[1:], 5.0) is None
        with pytest.raises(TryAgain):
            trio.run(getattr(down, arguments[0]), *arguments[1:], 5.0)
