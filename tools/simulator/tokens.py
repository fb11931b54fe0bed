"""The simulator's tokenizer and its vocabulary.

The rule: a token is up to eight word characters, or one other visible character, each with at most one whitespace
character before it; whitespace beyond that goes in runs of up to nine. Every character belongs to exactly one token,
so the tokens of a text joined give the text back, and the count is the same wherever it is taken. A chat message costs
four tokens more than its content (start mark, role, line end, end mark), the opening of the reply three, as in ChatML.

Each vocabulary word is one token, so generated text counts the same when it comes back in a prompt.
"""

import re
from collections.abc import Iterable, Sequence

MAX_CHARS_PER_TOKEN = 9
_PIECE = re.compile(r"\s?\w{1,8}|\s?[^\w\s]|\s{1,9}")

_WORDS = """
able above across after again air along always animal answer around autumn away back balance bank basket beach
because before behind bell below bench beside better between bird blue board boat body book both bottle branch
bread bridge bright bring brother build butter cabin call candle careful carry castle chair change choose circle
city clear climb clock close cloud coast cold color common copper corner cotton country cover create cross curve
dance dark deep desert detail dinner distance door double draw dream drink drive during early earth east easy
edge eight engine enough evening every family farm field figure final find finger fire first floor flower follow
forest form forward fresh friend front fruit garden gate gentle glass gold grain grass great green ground grow
half hand happen harbor harvest heart heavy hill history hold honest horse hour house hundred idea inside island
journey kitchen knife lake land large late laugh learn leave letter level light line listen little long lower
machine many market matter meadow measure message metal middle minute mirror modern moment month moon morning
mountain move music narrow nature near never night north number object ocean often open orange order other
outside paper path pattern people person picture place plain plan plant point present pretty problem quick quiet
rain reach ready reason record river road roof round sail salt sand school season second seven shadow shape share
ship shore short silver simple single sister small smooth snow soft song sound south space spring square star
station steady stone store storm story stream street strong summer sunday table tall teach thick think thread
through ticket timber together touch tower train travel tree true turn under until valley village visit voice
wait walk warm water wave weather week west wheel white wide window winter wonder wood word world write
yellow young
"""
VOCABULARY: tuple[str, ...] = tuple(_WORDS.split())


def tokenize(text: str) -> list[str]:
    """Return the tokens of a text; joined they are the text again."""
    return _PIECE.findall(text)


def tokenize_chat(messages: Iterable[tuple[str, str]]) -> list[str]:
    """Return the prompt tokens of a conversation of (role, content) pairs, with the opening of the reply."""
    tokens: list[str] = []
    for role, content in messages:
        tokens += ["<|start|>", role, "\n", *tokenize(content), "<|end|>"]
    return [*tokens, "<|start|>", "assistant", "\n"]


def text_of_ids(ids: Sequence[int]) -> list[str]:
    """Return the tokens that stand for token ids given by a client (any non-negative number is an id)."""
    return [f" {VOCABULARY[number % len(VOCABULARY)]}" for number in ids]
