"""What a model server is started with, taken from its container as KServe's presets make it. Pure.

Presets up to 0.17 have `vllm serve …` as the command itself; later ones a shell script that ends in it, with `args` put
behind it.
Nothing is run: variables that the shell would fill are left out, but those that the container's `env` gives.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tools.kube.client import Object

_SHELLS = {"bash", "sh", "dash", "ash"}
# What starts a server; what comes after it are its arguments.
_STARTS = (re.compile(r"\bvllm\s+serve\b"), re.compile(r"-m\s+vllm\.entrypoints\.openai\.api_server\b"))
_VARIABLE = re.compile(r"\$\{?(\w+)(?::-[^}]*)?\}?")
_PROGRAMS = {"python", "python3", "vllm", "serve", "exec", "eval", *_SHELLS}
_SHELL_WORDS = re.compile(r"[\n;|&`]|\$\(|\s\\$")
# Short names of options that matter here.
_SHORT = {
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-dp": "--data-parallel-size",
    "-dpl": "--data-parallel-size-local",
}
# Given twice they add up.
_ADDING = {"--middleware", "--lora-modules", "--allowed-origins"}


@dataclass(frozen=True)
class Argv:
    """Arguments of a server.

    Attributes:
        words: after the program, in order, as the shell would hand them over.
        given: the container's own `args`.
    """

    words: tuple[str, ...]
    given: tuple[str, ...]

    @property
    def options(self) -> dict[str, list[str]]:
        """Values of every option by its long name; an option without a value has an empty one."""
        found: dict[str, list[str]] = {}
        for name, values in self._parsed():
            found.setdefault(name, []).append(" ".join(values))
        return found

    @property
    def models(self) -> list[str]:
        """Every model that it is told to serve: as an argument of its own, or by --model."""
        leading = []
        for word in self.words:
            if word.startswith("-"):
                break
            leading.append(word)
        return [*leading, *self.options.get("--model", [])]

    def value(self, name: str, otherwise: str = "") -> str:
        """The last value of an option, which is the one that counts."""
        return self.options.get(name, [otherwise])[-1]

    def count(self, name: str) -> int:
        """A number; 1 where the option is missing or is no number."""
        text = self.value(name, "1")
        return int(text) if text.isdecimal() else 1

    @property
    def parallel(self) -> int:
        """On how many accelerators of one node it computes."""
        local = "--data-parallel-size-local"
        data = self.count(local if local in self.options else "--data-parallel-size")
        return self.count("--tensor-parallel-size") * self.count("--pipeline-parallel-size") * data

    @property
    def tls(self) -> bool:
        """Whether it serves TLS."""
        return "--ssl-certfile" in self.options

    def _parsed(self) -> Iterator[tuple[str, list[str]]]:
        name, values = "", list[str]()
        for word in self.words:
            if word.startswith("-") and not re.fullmatch(r"-\d.*", word):
                if name:
                    yield name, values
                first, equals, value = word.partition("=")
                name = _SHORT.get(first, first.replace("_", "-"))
                values = [value] if equals else []
            elif name:
                values.append(word)
        if name:
            yield name, values


def argv(container: Object) -> Argv | None:
    """Arguments of the server that a container starts; None if it starts something else."""
    command, args = list(container.get("command") or []), [str(each) for each in container.get("args") or []]
    words = [str(each) for each in command]
    if words and PurePosixPath(words[0]).name in _SHELLS and "-c" in words:
        place = words.index("-c") + 1
        # A script in `args` is run by a command that ends in `-c`, as older presets had it.
        script, rest = (words[place], args) if len(words) > place else ("".join(args[:1]), args[1:])
        return _of_script(script, rest, container)
    if not words:
        # The image's own program gets them.
        return Argv(tuple(args), tuple(args)) if args else None
    whole = [*words, *args]
    for number, word in enumerate(whole):
        if word == "serve" or word == "vllm.entrypoints.openai.api_server":
            return Argv(tuple(whole[number + 1 :]), tuple(args))
    return None


def problems(container: Object) -> list[str]:
    """What is wrong with a server's command line, one line each."""
    found = argv(container)
    if found is None:
        return ["it does not start vLLM: neither `vllm serve` nor vllm.entrypoints.openai.api_server is in its command"]
    ports = found.options.get("--port", [])
    listens = [str(each["containerPort"]) for each in container.get("ports", [])]
    programs = [word for word in found.words if PurePosixPath(word).name in _PROGRAMS or "vllm.entrypoints" in word]
    scripts = [each for each in found.given if _SHELL_WORDS.search(each) or re.search(r"\svllm|vllm\s", each)]
    twice = {name: values for name, values in found.options.items() if len(values) > 1 and name not in _ADDING}
    lines = [f"a program among its arguments, {' '.join(programs)}: `args` are appended to `vllm serve`"] * bool(
        programs
    )
    lines += [f"a shell script among its arguments: {each!r}" for each in scripts]
    lines += [f"{len(found.models)} models, {', '.join(found.models)}"] * (len(found.models) != 1)
    lines += [f"{name} {len(values)} times: {', '.join(values)}" for name, values in sorted(twice.items())]
    lines += [f"port {ports[-1]}, and its container's port is {', '.join(listens)}"] * bool(
        ports and listens and ports[-1] not in listens
    )
    return lines


def _of_script(script: str, args: Sequence[str], container: Object) -> Argv | None:
    ends = [match.end() for pattern in _STARTS for match in pattern.finditer(script)]
    if not ends:
        return None
    environment = {each["name"]: str(each.get("value", "")) for each in container.get("env", [])}
    # Presets hand the line to `eval`, so that quotes are gone and words taken apart when the server sees them.
    text = script[max(ends) :].replace("\\\n", " ").replace('"', " ").replace("'", " ")
    text = text.partition("\n")[0]
    text = text.replace("$@", " ".join(args)) if "$@" in text else text
    text = _VARIABLE.sub(lambda match: environment.get(match[1], ""), text)
    return Argv(tuple(text.split()), tuple(args))
