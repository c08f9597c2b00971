"""What must hold for every decoder of a stream, whatever the bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class StreamDecoder(Protocol):
    """A decoder that is fed pieces of a stream."""

    damaged: int

    @property
    def held(self) -> int: ...

    def feed(self, data: bytes) -> Sequence[Any]: ...

    def rest(self) -> Sequence[Any]: ...


def check_stream(data: bytes, make: Callable[[], StreamDecoder], encode: Callable[[Any], bytes], bound: int) -> int:
    """Feed a stream in two ways and assert what must hold.

    Nothing raises; never more than `bound` bytes are held; pieces give the same frames as the whole; each frame,
    encoded and decoded again, is the same frame.

    Args:
        data: the first byte says how the stream is cut, the others are the stream.

    Returns:
        How many frames there were.
    """
    size, stream = (data[0] % 16 + 1, data[1:]) if data else (1, b"")
    whole, cut = make(), make()
    frames = list(whole.feed(stream))
    assert whole.held <= bound, f"{whole.held} bytes held"
    pieces: list[Any] = []
    for at in range(0, len(stream), size):
        pieces += cut.feed(stream[at : at + size])
        assert cut.held <= bound, f"{cut.held} bytes held"
    frames += whole.rest()
    pieces += cut.rest()
    assert frames == pieces, "pieces give other frames than the whole"
    assert whole.damaged == cut.damaged
    assert whole.held == cut.held == 0
    for frame in frames:
        again = make()
        written = encode(frame)
        assert [*again.feed(written), *again.rest()] == [frame], f"{frame!r} is not read back"
    return len(frames)
