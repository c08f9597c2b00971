"""Workers of the screens: a call to the node that ends badly becomes a message, never a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual.message_pump import MessagePump

from tui.client import NodeAway, Refused, SignedOut
from tui.messages import NodeBack, NodeLost, SessionEnded, Told

P = ParamSpec("P")
S = TypeVar("S", bound=MessagePump)


def careful(
    function: Callable[Concatenate[S, P], Awaitable[None]],
) -> Callable[Concatenate[S, P], Awaitable[None]]:
    """A worker method whose refusals and lost connections are posted as messages."""

    @wraps(function)
    async def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await function(self, *args, **kwargs)
        except NodeAway:
            self.app.post_message(NodeLost())
        except SignedOut as error:
            self.app.post_message(SessionEnded(error.detail))
        except Refused as error:
            self.post_message(Told(error.detail))
        else:
            if getattr(self.app, "away", False):
                self.app.post_message(NodeBack())

    return wrapped


def worker(screen: Any, work: Awaitable[None] | Callable[[], Awaitable[None]], group: str) -> None:
    """Run a careful coroutine in a named group; a newer one of the group ends the older.

    Args:
        work: where newer ones follow fast a `partial` of the method, which leaves nothing behind if it never began.
    """
    screen.run_worker(work, name=group, group=group, exclusive=True, exit_on_error=False)
