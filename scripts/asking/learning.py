"""learning: the network of `syscalls.asking.network` with torch, its training, and the file that it becomes.

Vectors of words (`pieces`) stay as they are; all else is learned from aligned prompts, each time a little different (`varied`). The chain
of tags is a conditional random field (Lafferty et al. 2001).
"""

import json
import random
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy
import torch
from torch import nn
from torch.nn import functional

from scripts.asking.pieces import AT, TAGS, Piece, Prompt, Vectors, left
from scripts.asking.varied import Other
from syscalls.asking.calls import WORDS
from syscalls.asking.features import ROWS
from syscalls.asking.network import MAGIC
from syscalls.asking.roles import roles

EMBEDDED, HIDDEN, MIXED = 48, 96, 64
NETWORKS = ((1, 12, 0), (2, 10, 1))  # layers, epochs, seed of each network
BATCH, RATE, DROPPED = 48, 3e-3, 0.4
RARE = 4  # frames that are met less often are not learned


class Net(nn.Module):
    def __init__(self, frames: int, table: Any, layers: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(table, freeze=True)
        self.rows = nn.Embedding(ROWS, EMBEDDED, padding_idx=0)
        nn.init.normal_(self.rows.weight, std=0.1)
        self.rows.weight.data[0] = 0
        self.units = nn.GRU(
            table.shape[1] + EMBEDDED,
            hidden,
            num_layers=layers,
            batch_first=True,
            bidirectional=True,
            dropout=DROPPED if layers > 1 else 0,
        )
        self.drop = nn.Dropout(DROPPED)
        self.attention, self.frame = nn.Linear(2 * hidden, 1), nn.Linear(4 * hidden, frames)
        self.doubt, self.sure = nn.Linear(2 * hidden, 1), nn.Linear(4 * hidden, 1)
        self.of_frame = nn.Embedding(frames, MIXED)
        self.mixed, self.tagged = nn.Linear(2 * hidden, MIXED), nn.Linear(MIXED, len(TAGS))
        self.between = nn.Parameter(torch.zeros(len(TAGS), len(TAGS)))
        self.start = nn.Parameter(torch.zeros(len(TAGS)))

    def forward(self, words: Any, rows: Any, there: Any) -> tuple[Any, Any, Any]:
        inputs = self.drop(torch.cat([self.words(words), self.rows(rows).sum(2)], -1))
        packed = nn.utils.rnn.pack_padded_sequence(
            inputs, there.sum(1), batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.units(packed)[0], batch_first=True, total_length=words.shape[1]
        )
        states = self.drop(states)
        most = states.masked_fill(~there[..., None], -1e9).max(1)[0]
        frame = self.frame(torch.cat([self._mean(self.attention, states, there), most], -1))
        sure = self.sure(torch.cat([self._mean(self.doubt, states, there), most], -1)).squeeze(-1)
        return states, frame, sure

    def _mean(self, attention: nn.Linear, states: Any, there: Any) -> Any:
        share = attention(states).squeeze(-1).masked_fill(~there, -1e9).softmax(1)
        return (share[..., None] * states).sum(1)

    def tags(self, states: Any, frame: Any) -> Any:
        return self.tagged(self.drop(torch.relu(self.mixed(states) + self.of_frame(frame)[:, None, :])))


def _barred() -> tuple[Any, Any]:
    between, start = torch.zeros(len(TAGS), len(TAGS)), torch.zeros(len(TAGS))
    for at, tag in enumerate(TAGS):
        if tag[0] == "I":
            start[at] = -1e4
            for before, other in enumerate(TAGS):
                if other[2:] != tag[2:]:
                    between[before, at] = -1e4
    return between, start


BETWEEN, START = _barred()
_MOST_TAGS = max(1 + 2 * len(roles(call)) for call in WORDS)
_OF: dict[str, tuple[list[int], list[bool], dict[int, int]]] = {}
for _call in WORDS:
    _ids = [0, *(AT[f"{kind}-{role}"] for role in roles(_call) for kind in "BI")]
    _more = _MOST_TAGS - len(_ids)
    _OF[_call] = (
        _ids + [0] * _more,
        [True] * len(_ids) + [False] * _more,
        {one: at for at, one in enumerate(_ids)},
    )


def unlikelihood(net: Net, scores: Any, tags: Any, there: Any, calls: Sequence[str]) -> Any:
    """Minus the log of how likely the tags of each sentence are, among those that its call knows."""
    ids = torch.tensor([_OF[call][0] for call in calls])
    missing = ~torch.tensor([_OF[call][1] for call in calls])
    tags = torch.tensor(
        [[_OF[call][2].get(one, 0) for one in line] for call, line in zip(calls, tags.tolist(), strict=True)]
    )
    between = (net.between + BETWEEN)[ids[:, :, None], ids[:, None, :]]
    scores = (
        scores.gather(2, ids[:, None, :].expand(-1, scores.shape[1], -1)) + missing.float()[:, None, :] * -1e4
    )
    each = torch.arange(len(ids))
    total = (net.start + START)[ids] + scores[:, 0]
    right = total[each, tags[:, 0]]
    for at in range(1, scores.shape[1]):
        here = there[:, at]
        total = torch.where(
            here[:, None], torch.logsumexp(total[:, :, None] + between, 1) + scores[:, at], total
        )
        step = between[each, tags[:, at - 1], tags[:, at]] + scores[each, at, tags[:, at]]
        right = right + torch.where(here, step, torch.zeros(()))
    return torch.logsumexp(total, 1) - right


def arrays(lines: Sequence[list[Piece]]) -> tuple[Any, Any, Any, Any]:
    long = max(1, *(len(line) for line in lines)) if len(lines) > 1 else max(1, len(lines[0]))
    wide = max([1, *(len(some) for line in lines for _, some, _ in line)])
    words, rows = numpy.zeros((len(lines), long), "int64"), numpy.zeros((len(lines), long, wide), "int64")
    there, tags = numpy.zeros((len(lines), long), bool), numpy.zeros((len(lines), long), "int64")
    for at, line in enumerate(lines):
        there[at, 0] = True
        for place, (one, some, tag) in enumerate(line):
            words[at, place], tags[at, place], there[at, place] = one, tag, True
            rows[at, place, : len(some)] = some
    return torch.from_numpy(words), torch.from_numpy(rows), torch.from_numpy(there), torch.from_numpy(tags)


def trained(
    prompts: Sequence[Prompt],
    frames: Sequence[str],
    vectors: Vectors,
    *,
    epochs: int,
    seed: int,
    layers: int,
    say: Any = None,
) -> Net:
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = random.Random(seed)
    of = {one: at for at, one in enumerate(frames)}
    learned = [one for one in prompts if one.frame in of or not one.one.call]
    other = Other(learned, vectors)
    net = Net(len(frames), torch.from_numpy(vectors.table()), layers)
    optimizer = torch.optim.AdamW(
        [one for one in net.parameters() if one.requires_grad], lr=RATE, weight_decay=0.01
    )
    steps = epochs * (len(learned) // BATCH + 2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    net.train()
    for epoch in range(epochs):
        rng.shuffle(learned)
        batches = []
        for at in range(0, len(learned), BATCH * 20):
            some = sorted(learned[at : at + BATCH * 20], key=lambda one: len(one.pieces))
            batches += [some[place : place + BATCH] for place in range(0, len(some), BATCH)]
        rng.shuffle(batches)
        total = 0.0
        for batch in batches:
            lines, vague = zip(*(other.of(one, rng) for one in batch), strict=True)
            words, rows, there, tags = arrays(lines)
            frame = torch.tensor([of.get(one.frame, 0) for one in batch])
            wanted = torch.tensor(
                [bool(one.one.call) and not no for one, no in zip(batch, vague, strict=True)]
            )
            states, guessed, sure = net(words, rows, there)
            loss = functional.binary_cross_entropy_with_logits(sure, wanted.float() * 0.98 + 0.01)
            if wanted.any():
                loss = loss + functional.cross_entropy(guessed[wanted], frame[wanted], label_smoothing=0.03)
            taught = wanted & torch.tensor([one.teaches_tags for one in batch])
            if taught.any():
                scores = net.tags(states, frame)
                calls = [one.one.call for one, yes in zip(batch, taught.tolist(), strict=True) if yes]
                loss = (
                    loss + 0.3 * unlikelihood(net, scores[taught], tags[taught], there[taught], calls).mean()
                )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        if say is not None:
            say(f"epoch {epoch + 1}: {total / len(batches):.3f}")
    return net.eval()


def kept(prompts: Sequence[Prompt]) -> list[str]:
    """The frames that are learned."""
    counts = Counter(one.frame for one in prompts if one.one.call)
    return sorted(one for one, count in counts.items() if count >= RARE)


def packed(
    nets: Sequence[Net], frames: Sequence[str], vectors: Vectors, prompts: Sequence[Prompt], digest: str
) -> bytes:
    """Networks as the file that `syscalls.asking.network` reads."""
    scales = [float(net.rows.weight.detach().abs().max()) / 127 for net in nets]
    head = {
        "digest": digest, "words": vectors.words, "vector": int(vectors.whole.shape[1]), "rows": ROWS, "embedded": EMBEDDED,
        "by_word": vectors.scale, "frames": [json.loads(one) for one in frames], "tags": TAGS, "left": left([one.one for one in prompts]),
        "networks": [{"layers": net.units.num_layers, "by_row": scale} for net, scale in zip(nets, scales, strict=True)],
    }  # fmt: skip
    body = [vectors.whole.tobytes()]
    for net, by_row in zip(nets, scales, strict=True):
        body.append(numpy.round(net.rows.weight.detach().numpy() / by_row).astype("int8").tobytes())
        for layer in range(net.units.num_layers):
            for back in ("", "_reverse"):
                for kind in ("ih", "hh"):
                    weight, bias = (
                        getattr(net.units, f"{name}_{kind}_l{layer}{back}").detach().numpy()
                        for name in ("weight", "bias")
                    )
                    body.append(_matrix(weight, bias))
        for one in (net.attention, net.frame, net.doubt, net.sure, net.mixed, net.tagged):
            body.append(_matrix(one.weight.detach().numpy(), one.bias.detach().numpy()))
        for table in (net.of_frame.weight, net.between, net.start[None, :]):
            values = table.detach().numpy().astype("float32")
            body.append(numpy.array(values.shape, "int32").tobytes() + values.tobytes())
    text = json.dumps(head, separators=(",", ":")).encode()
    return MAGIC + zlib.compress(len(text).to_bytes(4, "little") + text + b"".join(body), 9)


def _matrix(weight: Any, bias: Any) -> bytes:
    scale = numpy.maximum(numpy.abs(weight).max(1), 1e-6) / 127
    whole = (numpy.round(weight / scale[:, None]) + 128).astype("uint8")
    return (
        numpy.array(weight.shape, "int32").tobytes()
        + scale.astype("float32").tobytes()
        + bias.astype("float32").tobytes()
        + whole.T.tobytes()
    )
