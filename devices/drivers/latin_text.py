"""Signs that know Latin letters only: a text they cannot show is refused with a sentence, not sent as `?`."""

from __future__ import annotations

from devices.drivers.interface import Driver
from devices.errors import BadValue


def latin(driver: Driver, text: str, encoding: str) -> str:
    """The text in one line, when the sign can show all of it.

    Raises:
        BadValue: a character that is not in the sign's font.
    """
    joined = " ".join(text.split())
    foreign = [character for character in dict.fromkeys(joined) if not _has(character, encoding)]
    if foreign:
        shown = "".join(foreign[:8])
        raise BadValue(
            f"{driver.zh}只能显示西文字母和数字,不能显示“{shown}”;请改用拼音或英文,中文请用仰邦等中文控制卡。",
            f"The {driver.en} shows Latin letters and figures only, not {shown!r}; write pinyin or English, or use a "
            "sign with a Chinese font.",
        )
    if not joined:
        raise BadValue("没有可显示的文字;清屏请用 clear。", "There is nothing to show; to remove the text use clear.")
    return joined


def _has(character: str, encoding: str) -> bool:
    try:
        return character.encode(encoding) >= b" " and character != "\x7f"
    except UnicodeEncodeError:
        return False
