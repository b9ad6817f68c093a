"""topics: files by what they are about: a partition of their vectors, each part named by its most telling words.

Ward's method joins the vectors to a tree; it is cut where the silhouette is best (Rousseeuw 1987; by cosines, from the sums of the parts,
so that no matrix of all pairs is needed for it), into MOST parts at most; where no cut says more than SENSE, all files are one topic.
Words are weighed by class-based tf-idf: often in this part, seldom in the others. Average linkage was tried: it splits off single
files and leaves the rest in one part.

Above SAMPLE files a sample chosen by the vectors themselves is joined, and the others go to the nearest mean.

Threading: pure functions. The same files in the same order give the same topics; who calls sorts them.
"""

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from lsfs.index.words import STOPWORDS, pieces

MOST = 12
SAMPLE = 2_000
SENSE, CLEAR = 0.02, 0.12  # of a silhouette: for parts at all, and for parts of a part
MANY, SHARE = 24, 0.3  # files, and the share of all, from which a part is looked at again
ALIKE = 0.35  # the cosine from which two files are about one thing
WORDS = 3  # of a name
LONGEST = 24  # characters of a word of a name
SETTLED = 5  # times at most that files move to the nearest mean

_WORD = re.compile(r"[^\W\d_](?:[^\W_]|['\u2019](?=[^\W\d_]))*")
# beside those of search: what is frequent in any prose, and of the languages that notes are often written in; not what is a thing in
# another of them, such as `car`
_STOP = """
able according across actually almost along already although always among another around away back become became began behind best
better beyond bring came cannot come comes could couldn't day days didn't doesn't don't done either else enough especially even ever
every everyone everything example far feel find first found get gets getting give given gives go goes going gone good got great hard
help hi hey however i'd i'll i'm i've include includes including instead isn't it's just keep kind know known last later least less
let let's like likely little long look looking lot made make makes making many may maybe mean means might much must need needed
needs never new next nothing now often oh ok okay old one ones part per perhaps possible put quite rather really right said say says
see seem seems seen set several shall show since something sometimes soon still such sure take taken takes tell thank thanks that's
there's they're thing things think though thought three time times today together told took toward try trying two upon us use used
useful user uses using usually want wanted wants was wasn't way ways we'll we're we've well went whether within without won't work
would wouldn't yeah year years yes yet you'd you'll you're you've http https www com org html png jpg md txt pdf
aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist da damit dann das dass dein dem den denn der des
dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch euer für
gegen habe haben hatte hier hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja jede jedem jeden jeder
jedes kann kein keine können man mehr mein mit muss müssen nach nicht noch nun nur ob oder ohne sehr sein seine seinem seinen seiner
seit sich sie sind so soll sollen sondern über um und uns unser unter viel vom von vor waren wegen weil wenn wer werden wie
wieder wir wird wurde wurden zu zum zur zwischen
au aux avec ce ces cette comme dans de des deux donc du elle elles en est et eux il ils je la le les leur leurs lui mais mes moi
mon ne nos notre nous ont ou où par pas plus pour qu que qui sa sans ses sont sur ta tes tous tout très tu un une vos votre
vous été être
al algo como con cuando cual desde donde dos el ella ellos entre eran esa ese eso esta está este esto fue fueron hasta la
las lo los más mi mis muy nada ni nos o para pero por porque pues que qué quien se ser si sin sobre su sus también tan todo todos
una uno unos y ya
che chi ci come con da dal dalla degli dei del della delle di dove e è gli ha hanno i il io l la le lei loro lui ma mi nel nella noi
non o per però più quando quello questa questo se si sono sono su sua sul suo tra un una uno voi
ao aos as com da das do dos e ela ele eles em essa esse esta este foi isso isto já mais mas na nas não no nos num o os ou para pela
pelo por que quem são se sem seu sua também te tem um uma você
aan als bij dan dat de deze dit een en er het hij ik in is je kan maar met mijn naar niet nog of om onder ook op over te tot
uit van veel voor was wat we werd wij wordt worden ze zich zij zijn zo
def elif str int bool dict tuple kwargs args argv const void null none true false self async await len import return var impl struct enum
"""
_STOPPED = STOPWORDS | frozenset(_STOP.split())


def parts(vectors: np.ndarray) -> list[list[int]]:
    """The rows of `vectors` (each of length 1), the largest part first."""
    count = len(vectors)
    if count < 3:
        apart = count == 2 and float(vectors[0] @ vectors[1]) < ALIKE
        return [[0], [1]] if apart else [list(range(count))] if count else []
    sample = _sample(vectors)
    labels = _settled(vectors, sample, _divided(vectors[sample]))
    found: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        found[int(label)].append(row)
    return sorted(found.values(), key=lambda rows: (-len(rows), rows[0]))


def _sample(vectors: np.ndarray) -> np.ndarray:
    """Rows that stand for all, the same whatever else is there."""
    if len(vectors) <= SAMPLE:
        return np.arange(len(vectors))
    order = sorted(
        range(len(vectors)),
        key=lambda row: hashlib.blake2b(vectors[row].tobytes(), digest_size=8).digest() + row.to_bytes(4),
    )
    return np.array(sorted(order[:SAMPLE]))


def _divided(vectors: np.ndarray) -> np.ndarray:
    """A label for each row. A part that has much of all is cut again where it has clear parts itself: the first cut of a folder with notes
    and sources says no more than that."""
    labels = _cut(vectors, MOST, SENSE)
    whole: set[int] = set()  # those that have no parts
    while True:
        kinds, sizes = np.unique(labels, return_counts=True)
        large = [
            (int(size), -int(kind))
            for kind, size in zip(kinds, sizes, strict=True)
            if size > max(MANY, len(vectors) * SHARE) and int(kind) not in whole
        ]
        if not large or len(kinds) == MOST:
            return labels
        kind = -max(large)[1]
        rows = np.flatnonzero(labels == kind)
        inner = _cut(vectors[rows], MOST - len(kinds) + 1, CLEAR)
        if inner.max() == inner.min():
            whole.add(kind)
        else:
            labels = labels.copy()
            labels[rows] = labels.max() + inner


def _cut(vectors: np.ndarray, most: int, sense: float) -> np.ndarray:
    """A label for each row: the tree of all joins, cut where the parts, `most` at most, stand most clearly apart."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(vectors.astype(np.float64), "ward")
    best = sense
    chosen: np.ndarray = np.ones(len(vectors), dtype=int)
    for count in range(2, min(most, len(vectors) - 1) + 1):
        labels = fcluster(tree, count, "maxclust")
        value = silhouette(vectors, labels)
        if value > best + 1e-6:
            best, chosen = value, labels
    return chosen


def silhouette(vectors: np.ndarray, labels: np.ndarray) -> float:
    """How much nearer, by cosine, rows are to their own part than to the next one: from -1 to 1, the mean over all."""
    kinds, own = np.unique(labels, return_inverse=True)
    if len(kinds) < 2:
        return 0.0
    member: np.ndarray = np.zeros((len(vectors), len(kinds)), dtype=np.float64)
    rows = np.arange(len(vectors))
    member[rows, own] = 1
    sizes = member.sum(0)
    sums = vectors @ (member.T @ vectors).T
    apart = 1 - sums / sizes
    within = 1 - (sums[rows, own] - 1) / np.maximum(sizes[own] - 1, 1)
    apart[rows, own] = np.inf
    other = apart.min(1)
    scale = np.maximum(np.maximum(within, other), 1e-12)
    return float(np.where(sizes[own] > 1, (other - within) / scale, 0.0).mean())


def _settled(vectors: np.ndarray, sample: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """All rows by their nearest mean, which then moves: a join that was made early is not for ever."""
    means = _means(vectors[sample], labels)
    found = np.argmax(vectors @ means.T, 1)
    for _ in range(SETTLED):
        means = _means(vectors, found)
        again = np.argmax(vectors @ means.T, 1)
        if np.array_equal(again, found):
            break
        found = again
    return found


def _means(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    means = np.stack([vectors[labels == kind].sum(0) for kind in np.unique(labels)])
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def names(groups: Sequence[Sequence[str]]) -> list[str]:
    """A name for each group of files, given by their texts: its most telling words, joined by `-`. Names are unique, also where case does
    not count, and fit a file's name."""
    said: list[dict[str, float]] = []
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for texts in groups:
        weights: dict[str, float] = defaultdict(float)
        for text in texts:
            counts: Counter[str] = Counter()
            for word in words(text):
                stem = _stem(word.lower())
                counts[stem] += 1
                spelled[stem][word] += 1
            for stem, count in counts.items():
                weights[stem] += 1 + math.log(count)  # a long file says its words often, and is one file
        said.append(weights)
    total: dict[str, float] = defaultdict(float)
    for weights in said:
        for stem, weight in weights.items():
            total[stem] += weight
    average = sum(total.values()) / max(1, len(said))
    found: list[str] = []
    taken: set[str] = set()
    for weights, texts in zip(said, groups, strict=True):
        shared = 2 if len(texts) > 3 else 1  # what one file alone says tells nothing of the others
        telling = sorted(
            weights,
            key=lambda stem: (
                weights[stem] < shared,
                -weights[stem] * math.log(1 + average / total[stem]),
                stem,
            ),
        )
        found.append(_name([_usual(spelled[stem]) for stem in telling[: WORDS + 20]], taken))
        taken.add(found[-1].casefold())
    return found


def words(text: str) -> Iterable[str]:
    """The words of a text that can tell something."""
    for match in _WORD.finditer(text):
        word = match[0]
        unspaced = pieces(word) if not word.isascii() else ()
        for one in unspaced or (word,):
            if (len(one) > 2 or not one.isascii()) and one.lower().replace("\u2019", "'") not in _STOPPED:
                yield one


def _stem(word: str) -> str:
    """What a word and its plural have in common."""
    word = word.removesuffix("'s").removesuffix("\u2019s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _usual(spellings: Counter[str]) -> str:
    """A word as it is written most often; where it is ever written small, it is large only because sentences begin with it."""
    counts: Counter[str] = Counter()
    for word, count in spellings.items():
        counts[word.lower()] += count
    small = min(counts, key=lambda word: (-counts[word], word))
    if small in spellings:
        return small
    return min((w for w in spellings if w.lower() == small), key=lambda word: (-spellings[word], word))


def _name(telling: list[str], taken: set[str]) -> str:
    clean = [word.replace("'", "").replace("\u2019", "")[:LONGEST] for word in telling]
    for count in range(WORDS, len(clean) + 1):
        name = "-".join([*clean[: WORDS - 1], clean[count - 1]])
        if name.casefold() not in taken:
            return name
    base = "-".join(clean[:WORDS]) or "other"
    number, name = 2, base
    while name.casefold() in taken:
        name, number = f"{base}-{number}", number + 1
    return name
