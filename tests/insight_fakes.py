"""What a model says of texts and files, without one: the port `syscalls.ports.Insight`; tests/contract holds it to what the real one does.

Texts are near to each other where they share words of three letters; files are of one topic where their texts are near.
"""

import math
import re
from collections import Counter

from syscalls.errors import TryAgain
from syscalls.values import Topic


def near(one, other):
    bags = [Counter(re.findall(r"\w{3,}", text.lower())) for text in (one, other)]
    product = sum(count * bags[1][word] for word, count in bags[0].items())
    lengths = [math.sqrt(sum(count * count for count in bag.values())) or 1.0 for bag in bags]
    return product / (lengths[0] * lengths[1])


class Thinker:
    """`texts`: by path, of the files that are indexed. absent: there is no model; down: the engine is not there. What was asked is in
    `asked`."""

    def __init__(self, texts=(), *, absent=False, down=False):
        self.texts, self.absent, self.down = dict(texts), absent, down
        self.asked = []

    def _begin(self, *asked):
        self.asked.append(asked)
        if self.down:
            raise TryAgain("The engine is starting again; ask in a moment.")
        return not self.absent

    async def similar(self, text, texts, deadline):
        if not self._begin("similar", text):
            return None
        return [near(text, one) for one in texts]

    async def salient(self, question, sentences, most, deadline):
        if not self._begin("salient", question):
            return None
        order = sorted(range(len(sentences)), key=lambda n: (-near(question, sentences[n]), n))
        chosen = []
        for n in order:
            if len(chosen) < most and all(near(sentences[n], sentences[m]) < 0.8 for m in chosen):
                chosen.append(n)
        return chosen

    async def topics(self, paths, deadline, sequence=None):
        if not self._begin("topics", tuple(paths)):
            return None
        groups = []
        for path in sorted(set(paths) & self.texts.keys()):
            own = next((g for g in groups if near(self.texts[g[0]], self.texts[path]) > 0.5), None)
            groups.append([path]) if own is None else own.append(path)
        groups.sort(key=lambda group: (-len(group), group[0]))
        names = []
        for group in groups:
            words = Counter(w for path in group for w in re.findall(r"[a-z]{4,}", self.texts[path].lower()))
            name = "-".join(sorted(words, key=lambda word: (-words[word], word))[:3]) or "other"
            names.append(name if name not in names else f"{name}-{len(names)}")
        return [Topic(name, tuple(group)) for name, group in zip(names, groups, strict=True)]
