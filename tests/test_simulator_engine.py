"""What the simulator generates: tokens, repeatability, ends, stop texts."""

import random
import string

import pytest

from tools.simulator.engine import NATURAL_TOKENS, Sampling, Timing, generate, with_echo
from tools.simulator.kvcache import PrefixCache
from tools.simulator.tokens import VOCABULARY, tokenize, tokenize_chat

PROMPT = tuple(tokenize("Tell me about rivers."))


def test_tokens_of_any_text_join_to_the_text() -> None:
    draw = random.Random(1)
    alphabet = string.ascii_letters + string.digits + string.punctuation + " \t\n" * 8 + "äß日本\u00a0🙂"
    for _ in range(300):
        text = "".join(draw.choices(alphabet, k=draw.randrange(60)))
        tokens = tokenize(text)
        assert "".join(tokens) == text
        assert all(0 < len(token) <= 9 for token in tokens)


def test_the_tokenizer_rule_as_documented() -> None:
    assert tokenize("Hello, wonderful world") == ["Hello", ",", " wonderfu", "l", " world"]
    assert tokenize("a  b") == ["a", "  ", "b"]
    assert len(tokenize_chat([("user", "one two")])) == 2 + 4 + 3


def test_every_word_of_the_vocabulary_is_one_token_and_stands_once() -> None:
    assert len(set(VOCABULARY)) == len(VOCABULARY)
    assert all(tokenize(word) == [word] and tokenize(f" {word}") == [f" {word}"] for word in VOCABULARY)


def test_output_counts_the_same_when_it_comes_back_as_a_prompt() -> None:
    answer = generate(PROMPT, Sampling(max_tokens=50, ignore_eos=True))
    assert tokenize(answer.text) == list(answer.deltas)


def test_the_same_prompt_seed_and_choice_give_the_same_text_and_each_of_them_matters() -> None:
    def text(prompt: tuple[str, ...] = PROMPT, seed: int | None = 7, index: int = 0) -> str:
        return generate(prompt, Sampling(max_tokens=20, seed=seed, ignore_eos=True), index).text

    assert text() == text()
    assert len({text(), text(seed=8), text(index=1), text(prompt=(*PROMPT, "x")), text(seed=None)}) == 5
    assert text(seed=None) == text(seed=0)


def test_an_answer_ends_by_itself_unless_told_otherwise() -> None:
    free = generate(PROMPT, Sampling(max_tokens=1000))
    assert free.finish_reason == "stop"
    assert free.stop_reason is None
    assert NATURAL_TOKENS[0] <= len(free.deltas) <= NATURAL_TOKENS[1]
    assert free.deltas[-1] == ""  # the end mark is a token without text
    bound = generate(PROMPT, Sampling(max_tokens=1000, ignore_eos=True))
    assert (bound.finish_reason, len(bound.deltas)) == ("length", 1000)
    short = generate(PROMPT, Sampling(max_tokens=NATURAL_TOKENS[0] - 1))
    assert (short.finish_reason, len(short.deltas)) == ("length", NATURAL_TOKENS[0] - 1)
    assert len(generate(PROMPT, Sampling(max_tokens=1000, min_tokens=400)).deltas) > 400


def test_only_a_chat_reply_begins_without_a_space() -> None:
    assert generate(PROMPT, Sampling(max_tokens=3)).text.startswith(" ")
    assert not generate(PROMPT, Sampling(max_tokens=3, opens_reply=True)).text.startswith(" ")


def reference_stop(deltas: tuple[str, ...], sampling: Sampling) -> tuple[list[str], str | None]:
    """vLLM's detokenizer told token by token: search after each, hold back what may be the beginning of a stop text."""
    held = 0 if sampling.include_stop else max(map(len, sampling.stop)) - 1
    text, sent, out = "", 0, list[str]()
    for count, delta in enumerate(deltas, start=1):
        exempt = len(text) if count > sampling.min_tokens else len(text + delta)
        text += delta
        for stop in sampling.stop:
            at = text.find(stop, max(0, exempt - len(stop) + 1)) if exempt < len(text) else -1
            if at >= 0:
                return [*out, text[sent : at + len(stop) if sampling.include_stop else at]], stop
        ready = len(text) if count == len(deltas) else max(sent, len(text) - held)
        out.append(text[sent:ready])
        sent = ready
    return out, None


@pytest.mark.parametrize("include_stop", [False, True])
def test_stop_texts_cut_as_vllms_token_by_token_search_does(include_stop: bool) -> None:
    draw = random.Random(2)
    found = 0
    for number in range(300):
        prompt = (*PROMPT, str(number))
        free = generate(prompt, Sampling(max_tokens=40))
        stops = []
        for _ in range(draw.randint(1, 3)):
            start = draw.randrange(len(free.text))
            stops.append(draw.choice([free.text[start : start + draw.randint(1, 12)], "nowhere!", " a", "e"]))
        least = draw.choice([0, 0, 5])
        sampling = Sampling(max_tokens=40, stop=tuple(stops), include_stop=include_stop, min_tokens=least)
        answer = generate(prompt, sampling)
        if "" in free.deltas or least:
            free = generate(prompt, Sampling(max_tokens=40, min_tokens=least))
        expected, stop = reference_stop(free.deltas, sampling)
        assert list(answer.deltas) == expected
        assert answer.stop_reason == stop
        assert answer.finish_reason == ("stop" if stop else free.finish_reason)
        found += stop is not None
    assert found > 100  # the comparison is not empty


def test_a_long_answer_with_stop_texts_takes_no_more_than_linear_time() -> None:
    answer = generate(PROMPT, Sampling(max_tokens=200_000, ignore_eos=True, stop=("nowhere!", "neither!")))
    assert len(answer.deltas) == 200_000


def test_echo_puts_the_prompt_before_the_first_token_or_alone() -> None:
    answer = generate(PROMPT, Sampling(max_tokens=3))
    echoed = with_echo(answer, "Tell me.", only=False)
    assert echoed.text == "Tell me." + answer.text
    assert len(echoed.deltas) == 3
    assert with_echo(answer, "Tell me.", only=True).text == "Tell me."


def test_tokens_are_due_after_the_first_at_equal_distances() -> None:
    timing = Timing(ttft_s=0.25, itl_s=0.5)
    assert [timing.due(position) for position in range(3)] == [0.25, 0.75, 1.25]


def test_the_prefix_cache_knows_full_blocks_after_a_common_beginning() -> None:
    cache = PrefixCache(block_size=4, capacity=100)
    prompt = [str(number) for number in range(10)]
    assert cache.admit(prompt) == 0
    assert cache.admit(prompt) == 8
    assert cache.admit([*prompt[:4], "other", *prompt[5:]]) == 4
    assert cache.admit(["other", *prompt[1:]]) == 0
    assert cache.admit(prompt[:8]) == 4  # the last token is always computed, so its block does not count


def test_the_prefix_cache_forgets_what_was_used_least_recently() -> None:
    cache = PrefixCache(block_size=1, capacity=4)
    cache.admit(["a", "b", "c"])
    cache.admit(["x", "y"])
    assert cache.admit(["x", "y", "z"]) == 2
    assert cache.admit(["a", "b", "c"]) == 0
