"""Fakes share a process with tests and the soak; what they do must stay on their own wire."""

from __future__ import annotations

import select
import socket
import threading

from devices.fakes.fake import Fake
from devices.fakes.host import Host

SENTENCE = b"$GNZDA,020301.00,22,11,2026,00,00*70\r\n"


class Talker(Fake):
    """Says one long thing whenever it is asked, and tells when it is done with the one before."""

    key = "talker"
    rate = 19200

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.woken = threading.Condition()

    def talk(self, seconds: float) -> bytes:
        with self.woken:
            self.asked += 1
            self.woken.notify_all()
        return SENTENCE * 8

    def wait_until_asked(self, times: int) -> None:
        with self.woken:
            assert self.woken.wait_for(lambda: self.asked >= times, 20)


def test_a_fake_that_is_unplugged_in_mid_sentence_writes_into_nobody_else_s_file() -> None:
    """The number of a closed file is given to the next one that is opened."""
    fake = Talker()
    with Host(fake) as cable:
        for turn in range(1, 4):
            fake.wait_until_asked(fake.asked + 1)
            inside = cable._master
            cable.unplug()
            ends: list[socket.socket] = []
            while inside not in [end.fileno() for end in ends]:
                ends += socket.socketpair()
            asked = fake.asked
            cable.plug_in()
            fake.wait_until_asked(asked + 1)
            readable, _, _ = select.select(ends, [], [], 0)
            assert readable == [], f"turn {turn}"
            for end in ends:
                end.close()
