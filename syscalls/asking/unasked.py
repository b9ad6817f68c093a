"""unasked: sentences that ask for nothing, whoever reads them, by how they are built: what was done is told or thanked for, something is
denied in the middle, supposed, wondered about, left to somebody else, or said in another language.

Few rules, for kinds of sentences and not for single ones; where a request may follow in another clause, none of them refuses. They see
marks for what stands in quotation marks, and for names (`masks`), and take time that is linear in the length.
"""

import re

from syscalls.asking.masks import MARK

# Where one of these is said, something may be asked for in the same breath.
_WISHED = re.compile(
    r"\b(?:please|pls|plz|kindly|want\w*|wish|need\w*|must|like you|would like|should|to be|let|let's|can you|could you|would you|will you|can i|could i|may i|can we|back|again|mistake\w*|accident\w*|wrong\w*|undelete\w*|restor\w*|recover\w*"
    r"|undo\w*|undone|rollback|revert\w*|roll|rescue|longer|done with|which|what|who|where|how|show|find|search|list|give|tell|get|help|so|lost|missing|gone|broken|instead|outside|behind|past|bypass\w*|direct\w*|extern\w*|disk|elsewhere|others|can go|go|cancel|catch|pick|notice|kick|cross|mend|fix|as if|as though|look|ruin\w*|too|through|without|too far|noticed)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"(?:[,;:.!?–—]\s?|\s-\s|\b(?:and|then|now|but|so)\s)(?:(?:and|then|now|but|also|so|just)\s)*(?:take|make|put|bring|set|add|give|create|build|open|read|get|append|replace|overwrite|delete|remove|erase|trash|touch|group|join"
    r"|merge|concatenate|compare|diff|watch|monitor|summari[sz]e|link|share|revoke|lock|freeze|protect|un-?lock|unfreeze|convert|translate|log|purge|destroy|wipe|snapshot|save|keep|remember|forget|scan|rescan|rebuild|reindex|turn|drop|look|check|update|stop|do)\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:[.;!?–—]|\s-\s)\s*\S|:|\?|\bplease\b|,\s*(?:so |just )?\w+ (?:it|them|this|that)\b|\bso\b",
    re.IGNORECASE,
)
_DONE = r"(?!need|want|decid|plan|agree|wait|intend|tri|suppos|ask|call|nam|requir|wish|request|order|meant)\w+(?:ed|en|wn|ept|ade|ung|ead|ought|ut|ack)"
_WHO = r"(?:i|we|he|she|they|you|somebody|someone|(?:my|our|his|her|your) (?!\w+(?:ed|en)\b)\w+|the (?:agent|user|assistant|script|team|intern|admin\w*|client|boss|manager|colleague|editor|bot|job|system|owner|others?)|(?!what|which|who|how|everything|something|anything|nothing|all|files?|some)(?-i:[A-Z])[a-z]+(?= ha[sd]\b))"
_LEAD = r"(?:(?:step|task|report|note|log|status|update|fyi|for your information|as agreed|yesterday|today|earlier|this morning|last (?:night|week|month)|\ue000r.)(?: \ue000n.)?[,:. ]\s?)*"
_REPORTED = re.compile(
    rf"{_LEAD}(?:{_WHO}\s(?:have|has|had)\s(?:just\s|already\s|now\s|finally\s|recently\s)*{_DONE}|{_WHO}(?:'ve|'s)\s(?:just\s|already\s|now\s|finally\s)*{_DONE}"
    rf"|{_WHO}\s(?:just\s|already\s|finally\s|recently\s)*(?!need|seed|feed|decid|plan|agree|wait|intend|tri|ask|want|call|wish|request|requir)(?:\w\w+ed|made|took|put|gave|wrote|brought|built|set)|(?:(?:the|a|my|our|your|this) (?:[\w'-]+ ){{1,2}}(?:(?:of|on|to|in|for|named|called) )?)?(?:the )?(?:\ue000[fpdq].|(?<=\w ))\s?(?:has been|have been|had been|was|got|is being|was being)\s(?:just\s|already\s|all\s|being\s)*{_DONE})\b",
    re.IGNORECASE,
)
_THANKED = re.compile(
    r"(?:many |so |ok |okay )?(?:thanks|thank you|thx|cheers|good that|nice that|great that|glad (?!if\b|to\b)\w+|happy that|well done|nice work|good job|congrat\w*|too bad|what an? (?:lovely|nice|great|terrible|mess|good|bad|beautiful|horrible|silly|strange|wonderful|shame|pity))\b",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\s*(?:many |so |ok |okay,? )?(?:thanks|thank you|thx|cheers)(?: so much| very much| a lot)?,? for\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"(?:and |but |so |now )?(?:if (?:i|we|you|one|he|she|they|somebody|someone|nobody)\b(?!.*\b(?:which|what) (?:ones?|files?)\b).*(?:\b(?:would|could|might)\b|\b(?:what|who|how|does|do|is|are|can|will) \w+)|(?:had|were|should) (?:i|we|he|she|they|somebody|someone)\b|(?:suppos(?:e|ing)|assum(?:e|ing)|imagin(?:e|ing)|hypothetically)\b"
    r"|(?!.*\b(?:possible|nice|great|good|lovely|handy|useful|helpful|fine|ok|okay)\b)would (?:a|an|the|this|that|deleting|purging|rebuilding|undoing)\b|(?:i|we)(?:'d| would| could| might) (?:have (?:\w+ed|had|been|taken|made)|rather not|never)\b)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:(?:please|ok|okay|no|and|but|so|then|well)[, ]+)*(?:(?:i|we|you|he|she|they|it) (?:(?:do not|don't|dont|does not|doesn't|did not|didn't|never|won't|will not) (?:really |actually )?(?:want|need|have|intend|plan|wish|mean|ask)\b(?! to (?:keep|lose|remember|see|have))(?! (?:anyone|anybody|others|people|any|this|it|them|that)\b)"
    r"|(?:shouldn't|should not|needn't|need not|mustn't|must not|ought not|oughtn't|had better not|'d better not|would rather not|'d rather not|had rather not|am not|are not|'re not|'m not)\b)|i'd (?:rather|better) (?:not|you did|you)|(?:let's )?(?:not|rather not|better not)\b(?! only)|let us not|(?:there is |there's )?no need\b|it (?:is not|isn't|is un|was not) ?necessary|under no circumstances|by no means|skip (?:the |this |that )?(?:re)?(?:scan|build|index|lock|unlock|delet|remov|purg|snapshot)\w*|none of (?:the|my|our|these|those)\b.* (?:should|must|may|shall|is to|are to)\b)",
    re.IGNORECASE,
)
_NO_MORE = re.compile(
    r"\b(?:longer|any ?more|again|but|just|only|instead)\b|[;.–—]",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?:please |could you |can you |would you |will you |kindly |and )*(?:(?:tell|ask|remind|order|instruct|warn|beg|invite|persuade|order|make|have|get|let)\s(?!me\b|us\b|it\b|lsfs\b|you\b|yourself\b|\ue000)(?:(?-i:[A-Z])\w+|him|her|them|(?:my|our|his) \w+|the (?:\w+ ){1,2}?(?=to|whether|if|that))\s(?:to|whether|if|that|know)\b|(?:have|let|make)\s(?:(?-i:[A-Z])[a-z]+|him|her)\s(?:delete|remove|lock|unlock|purge|rebuild|undo|join|merge|create|convert|append|share|summari[sz]e|scan|restore|roll)\b"
    r"|(?!nobody|none|every|nothing|all|files?)(?:(?-i:[A-Z])[a-z]+|my \w+|somebody|someone|he|she|they|mum|dad) (?:should|must|ought to|has to|have to|needs to|shall) (?:please )?(?:delete|remove|lock|unlock|purge|rebuild|undo|join|merge|create|convert|append|share|summari[sz]e|scan|restore|roll|take|make|save|forget)\b)",
    re.IGNORECASE,
)
_AGAINST = re.compile(  # what is to be done is not to be done, or not decided
    r"(?!show|list|tell|see|check|which|what|how|preview).*\bwithout (?:really |actually )?(?:delet|remov|join|merg|(?:re)?build|roll|lock|unlock|purg|forgett|creat)\w*ing (?:it|them)\b"
    r"|(?:please )?(?:delete|remove|forget|trash|bin|lock|replace|overwrite|keep) .*\bbut (?:keep (?:it\b|\ue000[fpd])|leave (?:it|its)\b|let every\w+\b|(?:don't|do not) (?:change|tell|touch)\b)|.*\b(?:(?:can't|cannot|can not) decide|(?:i'm|i am|we are|we're|maybe not,?|and|,) not sure(?: yet)?(?: (?:if|whether|that|she|he)\b|[.!]*$))",
    re.IGNORECASE,
)
_IDLE = re.compile(  # a file, or what there is of it, is or has something
    r"(?:(?:the|my|our|this) (?:[\w'-]+ ){1,2}(?:of|on|in|for|named|called) )?(?:the |my |our )?\ue000[fpdq]. (?:is|has|seems|contains|weighs|belongs)\b(?! to\b| requested| \ue000q)|(?:the )?(?:status|index|log|trash|lock|link|snapshot)s? (?:is|are|was) |(?:report|note|status|log|step \ue000n.)[:.]? .* (?:completed|finished|done)\b|nothing (?:has|is|was)\b",
    re.IGNORECASE,
)
_WONDERED = re.compile(
    r"(?:could|can|may|will|would) (?:someone|anyone|anybody|somebody|people|others) (?:with|who|else|still)\b|(?:have|did) we ever\b|what (?:kinds?|sorts?|types?) of (?:group|search|lock|link|snapshot|quer|undo|format)\w*|what (?:does|do|did) (?:the |a )?[^ ]+ (?:mean|stand for)\b|what (?:might|would|could) .* (?:becomes?|be lost)\b|how (?:large|big|full|fast|old|heavy|long) (?:is|are) (?:the|my|our|a) (?:disk|mount|drive|index|trash|phone|computer)\b",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"(?:alle|als|archivo|arquivo|auf|aus|avec|bestand|bitte|carpeta|cartella|che|crée|da|dans|das|datei|della|dem|den|der|des|"
    r"deze|di|dossier|du|een|ein|eine|einen|et|favor|fichier|für|gli|het|il|ist|las|les|lo|los|ma|meine|mes|met|mich|mis|mit|"
    r"moi|mon|naar|nel|nella|nicht|niet|não|oder|ordner|os|ou|para|pas|pasta|plaît|por|pour|questo|s'il|sind|složku|sur|todas|"
    r"todos|tous|toutes|um|uma|un|una|und|une|uno|von|voor|vous|vytvoř|wie|wo|zu|zum|zur"
    r")"
)
_NATIVE = re.compile(
    r"(?:a|about|all|an|and|are|as|at|by|file|files|folder|for|from|in|into|is|it|me|my|not|of|on|or|please|that|the|this|to|what|"
    r"which|with"
    r")"
)
_ELSEWHERE = re.compile(
    r"(?:bitte|lösche?|öffne|zeige?|sperre?|erstelle?|stelle|suche|mach|gib|supprime[rz]?|crée[rz]?|ouvre[rz]?|montre[rz]?|affiche[rz]?|cherche[rz]?|verrouille[rz]?|borra|bórrame|abre|crea|elimina|muestra|busca|bloquea|apri|cancella|mostra|cerca|blocca|verwijder|maak|toon|zoek|vergrendel|apaga|abra|mostre|procure|otevři|smaž)\b",
    re.IGNORECASE,
)


def unasked(text: str) -> str:
    """Why a sentence asks for nothing, "" where it may. text: with marks."""
    if _foreign(text):
        return "This is in a language that is not understood; say it in English."
    told = _REPORTED.match(text) or _THANKED.match(text)
    if told and not (
        _WISHED.search(text, told.end()) or _CLAUSE.search(text, told.end()) or _MORE.search(text, told.end())
    ):
        return "This tells something, and asks for nothing. Say what is to be done."
    idle = _IDLE.match(text)
    if idle and not (
        _WISHED.search(text) or _CLAUSE.search(text, idle.end()) or _MORE.search(text, idle.end())
    ):
        return "This tells something, and asks for nothing. Say what is to be done."
    if _WONDERED.match(text):
        return "This asks something that no file answers. Say what is to be done."
    if _AGAINST.match(text):
        return "This says what is to be done, and that it is not. Say which."
    if _SUPPOSED.match(text):
        return "This only supposes something. Say what is to be done."
    if _LEFT.match(text):
        return "This is for somebody else to do; nothing is done."
    denied = _DENIED.match(text)
    if denied and not (_NO_MORE.search(text) or _MORE.search(text) or _CLAUSE.search(text, denied.end())):
        return "This says what is not to be done; nothing is."
    return ""


def thanked(prompt: str) -> bool:
    """Whether it is only said what somebody is thanked for. prompt: as it was written, with what `masks` leaves out."""
    match = _THANKS.match(prompt)
    return match is not None and not any(one.search(prompt, match.end()) for one in (_WISHED, _CLAUSE, _MORE))


def _foreign(text: str) -> bool:
    """Whether more words are of other languages than of English, and two at least, or the first is a verb of one."""
    letters = [char for char in MARK.sub("", text) if char.isalpha()]
    if sum(char > "\u036f" and not "\u1e00" <= char <= "\u1fff" for char in letters) > 0.6 * max(
        1, len(letters)
    ):
        return True
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    other, here = (sum(known.fullmatch(one) is not None for one in words) for known in (_FOREIGN, _NATIVE))
    return other > 1 and other > here or bool(_ELSEWHERE.match(text)) and not here
