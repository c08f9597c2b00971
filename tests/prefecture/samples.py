"""What is reported and sent down in the stories of a prefecture and its county."""

from __future__ import annotations

from tests import homes

LID = {"kind": "part", "code": "01002", "lon": homes.WEST + 0.0005, "lat": homes.SOUTH + 0.0005}
CALLER = {"name": "张三丰", "phone": "13812344321"}
HOLE = {**LID, "source": "hotline_12319", "description": "井盖破了", "reporter": CALLER}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000"
    "000049454e44ae426082"
)
