"""Answers read piece by piece, wherever the pieces end."""

import pytest

from tools.load.answer import Answer
from tools.load.record import ErrorKind, judged

_STREAM = (
    b'data: {"choices":[{"text":" one","finish_reason":null}]}\r\n\r\n'
    b': a comment\n\ndata:{"choices":[{"delta":{"content":"two"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"text":"","finish_reason":"length"}]}\n\ndata: [DONE]\n\n'
)


def _read(text: bytes, at: int, *, streamed: bool = True) -> Answer:
    answer = Answer(streamed=streamed)
    for piece in (text[:at], text[at:]):
        answer.feed(piece)
    answer.end()
    return answer


def _kind(answer: Answer, status: int = 200) -> ErrorKind:
    return judged(status, whole=answer.whole, finish_reason=answer.finish_reason, in_band=answer.in_band)


def test_a_stream_is_the_same_wherever_its_pieces_end() -> None:
    for at in range(len(_STREAM)):
        found = _read(_STREAM, at)
        assert (found.tokens, found.finish_reason, found.whole) == (2, "length", True)
        assert _kind(found) is ErrorKind.NONE


def test_tokens_are_told_when_they_come() -> None:
    answer, first = Answer(streamed=True), _STREAM.index(b": a comment")
    assert [answer.feed(_STREAM[:10]), answer.feed(_STREAM[10:first]), answer.feed(_STREAM[first:])] == [0, 1, 1]


@pytest.mark.parametrize(
    ("text", "streamed", "kind"),
    [
        (_STREAM[: _STREAM.index(b"data: [DONE]")], True, ErrorKind.TRUNCATED),
        (b"data: [DONE]\n\n", True, ErrorKind.TRUNCATED),
        (b'data: {"error":{"message":"engine dead"}}\n\ndata: [DONE]\n\n', True, ErrorKind.IN_BAND),
        (b'{"error":"engine dead"}', True, ErrorKind.IN_BAND),
        (b'{"choices":[{"text":"one","finish_reason":"stop"}]}', False, ErrorKind.NONE),
        (b'{"choices":[{"text":"one","finish_reason":null}]}', False, ErrorKind.TRUNCATED),
        (b'{"choices":[]}', False, ErrorKind.TRUNCATED),
        (b"<html>", False, ErrorKind.TRUNCATED),
    ],
)
def test_what_is_not_whole_has_failed(text: bytes, streamed: bool, kind: ErrorKind) -> None:
    assert _kind(_read(text, 0, streamed=streamed)) is kind
    assert _kind(_read(text, 0, streamed=streamed), 503) is ErrorKind.HTTP
