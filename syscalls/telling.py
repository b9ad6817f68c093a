"""telling: the words of a text that say what it is about.

    telling("What is the budget for advertising?")
    {"budget", "advertising"}

A word is in lower case and without the ending of a plural; of writing without blanks (Chinese, Japanese, Thai) each two characters are one.
What says little is left out: the small words of seven languages, and what has one letter. Where nothing else is there, they are all there
is, and count.

Pure.
"""

import re
from collections import Counter

WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]")

# English, German, French, Spanish, Italian, Dutch, Portuguese
_LITTLE = """
a about after all also am an and any are as at be been before but by can could did do does doing done for from get go had has have he her
him his how i if in into is it its just like me more most much many my no not now of on once one or our out over own s said say says shall
she should so some such t than that the their them then there these they this those to too under up us very was we were what when where
which while who whom whose why will with within without would you your
aber als am an auch auf aus bei bin bis da das dass dem den der des die dies diese doch du ein eine einem einen einer er es für hat habe
haben ich ihr im in ist ja kann kein keine man mein mit nach nicht noch nur oder ob schon sein sich sie sind so über um und uns unser
viel vom von vor war waren warum was weil wem wen wenn wer werden wie wieviel wir wird wo wurde zu zum zur
au aux avec ce ces cette combien comment dans de du elle en est et eux il ils je la le les leur lui ma mais mes mon ne nos notre nous on
ou où par pas plus pour pourquoi qu quand que quel quelle qui sa se ses son sont sur ta te tes tu un une vos votre vous y
al como con cuál cuándo cuánto dónde el ella ellos eso esta este hay las lo los más mi muy nos o para pero por qué quién se si sin
su sus tu unos y ya
alla anche che chi ci come cosa da dal dei del della di dove è fra gli ha ho il io loro ma mi nel nella non per perché più quale quando
quanto questa questo sono su sul tra ti uno
aan bij dat de dit een en er het hij hoe hoeveel ik is je met mijn naar niet nog of om ook op te tot uit van veel voor waar wanneer was wat
we wie wij ze zijn
ao com da das do dos e ela ele em essa esse eu foi isso mais na nas no nos não o os ou para pela pelo por quais qual quanto quem se são
seu sua tem um uma
"""


def bag(text: str) -> Counter[str]:
    """The words of a text, as often as they are there."""
    found: Counter[str] = Counter()
    for word in WORD.findall(text.casefold()):
        if UNSPACED.search(word):
            found.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        else:
            found[stem(word)] += 1
    return found


def telling(text: str) -> frozenset[str]:
    """The telling words of a text, as `bag` has them; all of them where none is."""
    words = bag(text)
    return frozenset(word for word in words if word not in LITTLE) or frozenset(words)


def stem(word: str) -> str:
    """What a word and its plural have in common; `word` in lower case."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return (
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    )


LITTLE = frozenset(stem(word) for word in _LITTLE.split())
