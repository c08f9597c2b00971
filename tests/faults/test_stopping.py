"""The node is told to end in the middle of work, twice started on one home, and cut off in the middle of a photo."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.cases.test_proof import photo, saved
from tests.devices.waiting import until
from tests.faults.conftest import CASE, report, rows
from tests.nodes import RunningNode

pytestmark = pytest.mark.sqlite("it looks into the county's file")


def test_what_is_under_way_is_answered_before_the_node_ends(node: RunningNode) -> None:
    node.client("s1")
    answered: list[str] = []
    first = threading.Event()

    def work() -> None:
        with httpx.Client(base_url=node.url, headers=node.client("s1").headers, timeout=20) as client:
            while True:
                try:
                    answer = client.post("/api/v1/cases", json=CASE)
                except httpx.ConnectError:
                    return  # the door is shut: nothing was sent
                except httpx.TransportError as error:
                    cut.append(error)
                    return
                assert answer.status_code == 201
                answered.append(answer.json()["number"])
                first.set()

    cut: list[Exception] = []
    clerks = [threading.Thread(target=work) for _ in range(6)]
    for clerk in clerks:
        clerk.start()
    assert first.wait(20)
    assert node.process is not None
    node.process.send_signal(signal.SIGTERM)
    for clerk in clerks:
        clerk.join(30)
    assert node.stop() == 0
    numbers = set(rows_of(node.home))
    assert set(answered) <= numbers, "every answer is on the disk"
    assert len(numbers) - len(set(answered)) <= len(cut), "what was not answered was under way when its line was cut"


def rows_of(home: Path) -> list[str]:
    return str(rows(home, "SELECT group_concat(number) FROM cases")).split(",")


def test_two_nodes_on_one_home_are_one_too_many(node: RunningNode) -> None:
    other = RunningNode(node.home)
    with pytest.raises(AssertionError, match="one home runs one node"):
        other.start()
    assert report(node).status_code == 201, "the first goes on"


def test_a_photo_that_is_cut_off_leaves_nothing(node: RunningNode) -> None:
    token = node.client("s1").headers["Authorization"]
    content = saved(photo(1)) * 40
    head = (
        f"POST /api/v1/evidence HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        f"Content-Length: {len(content) + 500}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
        '--cut\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    for share in (0.0, 0.3, 0.9):
        with socket.create_connection(("127.0.0.1", node.port)) as line:
            line.sendall(head.encode() + content[: int(len(content) * share)])
    folder = node.home / "evidence"
    assert report(node).status_code == 201
    until(lambda: not [path for path in folder.rglob("*") if path.is_file()], "no torn file is left")
    assert rows(node.home, "SELECT count(*) FROM evidence") == 0


def test_a_node_that_gets_no_more_memory_refuses_and_lives_on(node: RunningNode) -> None:
    """What is refused is told; with memory again everything works, and nothing is half there."""
    import resource

    node.client("s1")
    node.client("z1")
    assert node.process is not None
    pid = node.process.pid
    size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(pid, resource.RLIMIT_AS, (size + (1 << 20), resource.RLIM_INFINITY))
    photos, cases = [], []
    for _ in range(20):
        try:
            photos.append(large_photo(node).status_code)
        except httpx.TransportError:
            photos.append(0)
        cases.append(report(node).status_code)
    resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if node.process.poll() is not None:
        node.start()  # systemd does; what was answered must be there
    assert any(status != 201 for status in photos), "a photo larger than what is left was refused"
    assert large_photo(node).status_code == 201, "for want of memory alone"
    done = photos.count(201) + cases.count(201)
    assert report(node).status_code == 201
    kept = int(rows(node.home, "SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM evidence)"))
    assert kept >= done + 1, "what was answered is there"
    assert rows(node.home, "SELECT count(*) = max(seq) - min(seq) + 1 FROM change") == 1


def large_photo(node: RunningNode) -> httpx.Response:
    """A clerk hands in a photo of 8 MB."""
    upload = {"file": ("a.jpg", saved(photo(1)) + bytes(8 << 20), "image/jpeg")}
    return node.client("s1").post("/api/v1/evidence", files=upload, data={"stage": "report"})
