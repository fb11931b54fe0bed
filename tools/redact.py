"""Secrets hidden in text, bytes and objects: those that are known by value, and those that look like one.

A text keeps everything else: `prompt_tokens_total 12`, "time to first token: 3 ms" and "secret x not found"
are evidence.
All patterns take linear time, because logs may be large and are written by others.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from tools.errors import UserError
from tools.secret import forms

HIDDEN = "***"

# So short a value would blank ordinary words.
SHORTEST = 6
# A literal value of such a variable is looked for everywhere: programs log what they were given.
_SECRET_VARIABLE = re.compile(r"(?i)(?:^|_)(?:token|pass(?:word|wd)|secret|api_?key|(?:access|secret|private)_key)$")
_SHORTEST_LEARNED = 8
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_END = r"(?:\s|\\++[nr])"
_PEM_LINE = rf"(?:{_END}*+[A-Za-z0-9+/=]{{16,}}+)"
_PEM_END = r"-----END [A-Z ]{0,30}PRIVATE KEY-----"
_QUOTE = r"(?:\\*+[\"'])"
_SEPARATOR = rf"{_QUOTE}?(?:[ \t]{{0,4}}(?:[:=,]|(?:raw_)?value:)){{1,2}}[ \t]{{0,4}}+\[?+{_QUOTE}?+"
_SCHEME = r"(?:bearer|basic|digest|negotiate|token)[ \t]{1,4}"
# A command to copy names a variable in place of the value, and what is hidden stays so.
_VARIABLE = re.compile(r"\$[A-Z{(]")
_NOT_HIDDEN = rf"(?!{_VARIABLE.pattern}|\*\*\*)"
_WORD = r"[^\s\"',;&(){}\[\]\\]"
# By first letter, which is what makes it quick.
_STRONG = (
    r"[Pp](?i:ass(?:word|wd|phrase)|rivate[_-]?key)|[Aa](?i:pi[_-]?key|ccess[_-]?key)|[Ss](?i:ecret[_-]?key)"
    r"|[Cc](?i:lient[_-]?secret|lient-key-data)|[Dd](?i:ockercfg|ockerconfigjson)"
    r"|[Xx](?i:-(?:amz|goog)-(?:signature|credential|security-token))"
)
_WEAK = r"[Ss](?i:ecret)|[Tt](?i:oken)"

_SHAPES: list[tuple[re.Pattern[str], str]] = [
    # Private keys; whole, cut at their end, or cut at their beginning.
    (
        re.compile(
            rf"-----BEGIN [A-Z ]{{0,30}}PRIVATE KEY-----(?:{_END}*+(?:Proc-Type|DEK-Info): [^\n\\]{{1,80}}+)*+"
            rf"{_PEM_LINE}*+(?:{_END}*+[A-Za-z0-9+/=]*+{_END}*+{_PEM_END}|{_END}++[A-Za-z0-9+/=]++(?=\\++n|\n|\Z))?+"
        ),
        HIDDEN,
    ),
    (
        re.compile(rf"(?m)^(?:[A-Za-z0-9+/=]{{16,76}}+\r?\n){{1,60}}+(?:[A-Za-z0-9+/=]{{1,76}}+\r?\n)?{_PEM_END}"),
        HIDDEN,
    ),
    # JSON in base64: tokens (JWT) whole or cut, credentials of registries.
    (re.compile(r"eyJ[\w+/=-]{16,}+(?:\.[\w-]*+)*+"), HIDDEN),
    (re.compile(r"(://)[^\s/@:\"'<>]{0,256}+:[^\s/@\"'<>]{0,256}+@"), rf"\1{HIDDEN}@"),
    # Hugging Face, GitHub, GitLab, Slack, NVIDIA, OpenShift; AWS, Google; OpenAI.
    (
        re.compile(
            r"hf_[A-Za-z0-9]{16,}+|gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_\w{20,}+|glpat-[\w-]{20,}+"
            r"|xox[abprs]-[\w-]{10,}+|nvapi-[\w-]{20,}+|sha256~[\w-]{20,}+"
        ),
        HIDDEN,
    ),
    (re.compile(r"A(?:KIA|SIA)[0-9A-Z]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+"), HIDDEN),
    (re.compile(r"sk-(?<!\wsk-)(?:proj-|ant-\w{1,8}-)?[A-Za-z0-9_]{20,}+[\w-]*+"), HIDDEN),
    (
        re.compile(rf"([Aa](?i:uthorization){_SEPARATOR}(?i:{_SCHEME})?+){_NOT_HIDDEN}{_WORD}++"),
        rf"\1{HIDDEN}",
    ),
    # "Bearer authentication" is a word and not a token.
    (
        re.compile(
            rf"([Bb](?i:earer)[ \t]{{1,4}}){_NOT_HIDDEN}(?![A-Za-z][a-z]{{0,14}}+(?![\w~+/=-]|\.\w))[\w.~+/=-]{{6,}}+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"([Cc](?i:ookie){_SEPARATOR}){_NOT_HIDDEN}[^\s\"'\\][^\"'\n\\]*+"), rf"\1{HIDDEN}"),
    # The `auth` of a registry in a dockerconfigjson.
    (re.compile(rf"(\bauth{_QUOTE}[ \t]{{0,4}}:[ \t]{{0,4}}{_QUOTE})[A-Za-z0-9+/=]{{8,}}+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            rf"(--[\w-]{{0,30}}?(?:api-key|token|password|secret)[ \t]{{1,4}}){_NOT_HIDDEN}"
            # Another option, or the name of the value in a usage text.
            rf"(?!-|[A-Z_]+\b){_WORD}{{6,}}+"
        ),
        rf"\1{HIDDEN}",
    ),
]
_ASSIGNED = re.compile(
    rf"(?P<name>{_STRONG}|{_WEAK}){_QUOTE}?[ \t]{{0,3}}(?P<how>[:=])[ \t]{{0,3}}\[?"
    rf"(?:(?P<quote>{_QUOTE})(?P<quoted>[^\"'\\\n]++)|(?P<value>{_WORD}++))"
)
_SECRET_NAME = re.compile(rf"(?:{_STRONG}|{_WEAK}|[Cc](?i:ookie)|[Aa](?i:uthorization))$")
_OPTION = re.compile(r"(?i)^--?[\w-]*(?:api[_-]?key|token|password|secret)$")
_NUMBER = re.compile(r"[\d.,]+(?:[a-zA-Z%/]{1,4})?")
_NOTHING = {"none", "null", "true", "false", "nil"}


class Redactor:
    """Hides secrets.

    Args:
        secrets: values that must not be seen in any form.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._needles: tuple[str, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, value: str) -> None:
        """One more value that must not be seen; nothing for an empty one.

        Raises:
            UserError: it is so short that hiding it would destroy other text.
        """
        value = str(value).strip()
        if not value:
            return
        if len(value) < SHORTEST:
            raise UserError(
                f"a secret of at least {SHORTEST} characters",
                f"one of {len(value)}",
                cause="to hide every place that has so short a text would make reports unreadable",
            )
        with self._lock:
            # Longest first: a form may be a part of another one.
            self._needles = tuple(sorted({*self._needles, *forms(value)}, key=len, reverse=True))

    def learn(self, found: Any) -> None:
        """Add literal values of environment variables that are named like secrets, from an object of the cluster."""
        for name, value in _variables(found):
            if _SECRET_VARIABLE.search(name) and len(value.strip()) >= _SHORTEST_LEARNED:
                self.add(value)

    def text(self, text: str) -> str:
        """The text without secrets."""
        text = self._without_known(text)
        for pattern, replacement in _SHAPES:
            text = pattern.sub(replacement, text)
        return _ASSIGNED.sub(_assigned, text)

    def data(self, data: bytes) -> bytes:
        """The same for bytes of any kind."""
        return self.text(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")

    def hidden(self, data: bytes) -> bytes:
        """Bytes without known values only, for files whose other content must stay as it is."""
        return self._without_known(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")

    def knows(self, data: bytes) -> bool:
        """Whether bytes hold a known value in any form."""
        return any(needle.encode(errors="surrogateescape") in data for needle in self._needles)

    def objects(self, found: Any) -> Any:
        """A copy of a nested JSON value, for example an object of the cluster, without secrets.

        Of a Secret only the keys and the sizes are kept, of environment variables no literal value, and of annotations
        not the whole object as it was applied.
        """
        if isinstance(found, list):
            return _without_option_values([self.objects(each) for each in found])
        if isinstance(found, str):
            return self.text(found)
        if not isinstance(found, dict):
            return found
        if found.get("kind") == "Secret":
            found = found | {key: _sizes(found[key], key) for key in ("data", "stringData") if key in found}
        return {self.text(key): self._member(found, key, value) for key, value in found.items()}

    def _without_known(self, text: str) -> str:
        for needle in self._needles:
            text = text.replace(needle, HIDDEN)
        return text

    def _member(self, found: dict[str, Any], key: str, value: Any) -> Any:
        if key == "env" and isinstance(value, list):
            return [_without_value(self.objects(each)) for each in value]
        if key == "annotations" and isinstance(value, dict):
            value = {name: each for name, each in value.items() if name != _LAST_APPLIED}
        # A header of a probe is a pair of name and value.
        name = str(found.get("name", "")) if key == "value" else key
        if isinstance(value, str) and (known := _SECRET_NAME.search(name)) and _is_secret(known[0], value):
            return HIDDEN
        return self.objects(value)


def _assigned(found: re.Match[str]) -> str:
    """An assignment with its value hidden, unless it is a sentence."""
    name, value = found["name"], found["quoted"] or found["value"]
    # "invalid token: signature is wrong", "password: none given"
    prose = found["how"] == ":" and not found["quote"]
    if prose and (name.lower() == "secret" or (value.isalpha() and value.islower())):
        return found[0]
    if not _is_secret(name, value):
        return found[0]
    start = found.start("quoted") if found["quoted"] else found.start("value")
    return found[0][: start - found.start()] + HIDDEN


def _is_secret(name: str, value: str) -> bool:
    """Whether the value of something with a secret's name is one."""
    if not value or _VARIABLE.match(value) or value.startswith(HIDDEN) or value.lower() in _NOTHING:
        return False
    if name.lower() not in ("secret", "token"):
        return True
    # A count; the text of a token that a model made (logprobs), or one of its special ones.
    told = _NUMBER.fullmatch(value) or any(character in value for character in " <|>")
    return len(value) >= SHORTEST and not told


def _without_value(variable: Any) -> Any:
    return variable | {"value": "(hidden)"} if isinstance(variable, dict) and "value" in variable else variable


def _without_option_values(words: list[Any]) -> list[Any]:
    """Arguments of a program, without the value of an option that is a secret."""
    shown = list(words)
    for place, (option, value) in enumerate(pairwise(words), start=1):
        if isinstance(option, str) and isinstance(value, str) and _OPTION.match(option) and not value.startswith("-"):
            shown[place] = HIDDEN
    return shown


def _sizes(content: Any, key: str) -> Any:
    if not isinstance(content, dict):
        return "(hidden)"
    return {name: f"(hidden, {_size(str(value), key)} bytes)" for name, value in content.items()}


def _size(value: str, key: str) -> int:
    return len(value.encode()) if key == "stringData" else len(value.rstrip("=")) * 3 // 4


def _variables(found: Any) -> Iterator[tuple[str, str]]:
    for each in found if isinstance(found, list) else []:
        yield from _variables(each)
    for key, value in found.items() if isinstance(found, dict) else []:
        if key == "env" and isinstance(value, list):
            literal = [each for each in value if isinstance(each, dict) and "value" in each]
            yield from ((str(each.get("name", "")), str(each["value"])) for each in literal)
        else:
            yield from _variables(value)
