"""asking: a sentence as the very command line that it asks for; what `lsfs ask` stands on.

    masks, numbers   the sentence, and what in it is a file, a quotation, a number, a time: each one mark
    fillers          what is said around a wish out of politeness, and why
    lexicon          the words that each call is asked for with (lexicon.txt), in the short form of `patterns`
    words            prototypes.txt: sentences for each call, whose words count as understood
    reading, saying  the sentence while pieces are taken from it; conditions: words with AND, OR, NOT
    slots            what each call is given: writing, searching, gathering, looking_back, keeping have a function a call
    intents          the one call that is meant, or a refusal that names the nearest: the grammar
    tokens, features the sentence as words and quotations, and what each looks like
    network          learned.bin: two small networks, in whole numbers, that say which call is meant and what each token is to it
    roles, decoding  what tokens are as an argument; the likeliest roles that make a call; complete: whether it has all it needs
    sound, contrary  whether that leaves nothing out that belongs to it, and contradicts nothing that is left
    learned          what the networks make of a sentence
    agreed           what is meant by the grammar and the networks together (weighed.json); evidence: what is weighed; doubts: what speaks
                     against any request
    calls, plan      the calls with their arguments; a call and its values as a line, and as a sentence for a person
    names            names as they were written, as paths that are there
    model            what a language model may propose, and how that is checked
    proposals        what was shown, and waits for a yes

Everything here is pure, and nothing here does anything: `syscalls.ask` shows what was understood and executes it when the user says yes.
A word that nothing explains, and a file, number or quotation that no argument takes, is a reason to refuse.
"""
