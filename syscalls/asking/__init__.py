"""asking: a sentence as the very command line that it asks for; what `lsfs ask` stands on.

    masks      the sentence without politeness, and what in it is a file, a quotation, a number, a time: each one character long
    cues       how much the words of a sentence speak for each call
    lexicon    the words that each call is asked for with
    prototypes sentences for each call, which an embedding model compares with, and whose words count as understood
    slots      what each call is given: one small function a call, which takes from the sentence what it understands
    calls      the calls that can be asked for, with their arguments
    intents    the one call that is meant, or a refusal that names the nearest
    plan       the call and its values as a line, and as a sentence for a person
    names      names as they were written, as paths that are there
    model      what a language model may propose, and how that is checked

Everything here is pure, and nothing here does anything: `syscalls.ask` shows what was understood and executes it when the user says yes.
A word that nothing explains, and a file, number or quotation that no argument takes, is a reason to refuse.
"""
