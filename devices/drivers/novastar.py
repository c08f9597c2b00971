"""The driver of NovaStar sending boxes ("M3" protocol): brightness, blank, freeze, inputs, patterns, health of a wall.

Frames and answers are those of `devices/codecs/novastar.py`; what can be sent is a row of `novastar_registers.csv`.
A box has no text and no clock: what a wall shows comes from its video input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from devices.codecs import novastar
from devices.codecs.novastar import ALL_BOARDS, ALL_PORTS, RECEIVING_CARD
from devices.drivers.interface import Action, Driver, Facts, Line, Option, check_value
from devices.drivers.novastar_box import Box, Panel, PanelUnreachable, percent, raw
from devices.drivers.novastar_tables import Model, tables
from devices.drivers.options import seconds, whole, word, wrong_option
from devices.errors import BadValue, DeviceRefused, NoAnswer, NotSupported

PANELS_AT_MOST = 256
SAVE = b"\x11"
BLACK, PICTURE = 0xFF, 0x00
MANUAL = 0x5A
INPUT_BITS = ("sdi", "hdmi", "dvi1", "dvi2", "dvi3", "dvi4", "dp")


class NovaStar(Driver):
    """A sending box and the receiving cards ("panels") behind it."""

    key = "novastar"
    zh = "诺瓦发送盒"
    en = "NovaStar sending box"
    rates = (115200, 1048576)
    actions: ClassVar[tuple[Action, ...]] = (
        Action("identify", "", "型号与版本", "model and version", reads=True),
        Action("status", "", "亮度、画面、输入、温度电压", "brightness, picture, inputs, health", reads=True),
        Action("brightness", "0-100", "亮度", "brightness"),
        Action("blank", "on|off", "黑屏", "black out"),
        Action("freeze", "on|off", "画面定格", "freeze the picture"),
        Action("pattern", "|".join(tables().patterns), "测试图", "test pattern"),
        Action("input", "NAME", "输入源", "video input"),
        Action("save", "", "存入接收卡闪存 (磨损,勿定时)", "keep in the panels' flash (wears it: never on a schedule)"),
    )
    known_options: ClassVar[Mapping[str, Option]] = {
        "destination": Option(0, "第几个发送盒 (0 起,255 任一)", "which box on the line, from 0; 255 any"),
        "port": Option(ALL_PORTS, "输出口 (0 起,255 全部)", "output, from 0; 255 all"),
        "board": Option(ALL_BOARDS, "接收卡序号 (65535 全部)", "index of the panel; 65535 all"),
        "panels": Option([1], "每个输出口的接收卡数,用于检查", "panels on each output, for looking at them"),
        "model": Option("", "型号 (自动识别不出时)", "the model, where its id is unknown"),
        "seconds": Option(1.0, "应答等待秒数", "how long to wait for an answer"),
        "tries": Option(3, "最多发送次数", "how often to ask at most"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        destination = whole(self, "destination", 0, 0xFF)
        if destination == novastar.COMPUTER:
            raise wrong_option(self, "destination", destination, "发送盒地址 (254 是电脑)", "a box; 254 is us")
        self._everywhere = (whole(self, "port", 0, ALL_PORTS), whole(self, "board", 0, ALL_BOARDS))
        self._panels = self._panels_option()
        if self.options["model"]:
            word(self, "model", tables().models)
        self._box = Box(destination, seconds(self, "seconds", 0.05, 30), whole(self, "tries", 1, 10))

    def probe(self, line: Line) -> Facts | None:
        """The model id, when a box answers."""
        try:
            model_id, model = self._model(line, tries=1)
        except (NoAnswer, DeviceRefused):
            return None
        return {"model_id": f"{model_id:04X}", "model": model.name if model else None} if model_id else None

    def changes(self, request: bytes) -> bool:
        frames = novastar.Decoder().feed(request)
        return any(frame.code == novastar.WRITE for frame in frames)

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        given = check_value(self, action, value)
        match action:
            case "identify":
                return self._identify(line)
            case "status":
                return self._status(line)
            case "brightness":
                return self._brightness(line, int(given))
            case "blank":
                self._write(line, "blank", BLACK if given == "on" else PICTURE)
                return {"blank": given == "on"}
            case "pattern":
                self._write(line, "pattern", tables().patterns[given])
                return {"pattern": given}
            case "freeze":
                return self._freeze(line, given == "on")
            case "input":
                return self._input(line, given)
        self._box.exchange(line, tables().registers["save"], self._everywhere, SAVE)
        return {"saved": True}

    def _identify(self, line: Line) -> Facts:
        model_id, model = self._model(line)
        version = self._read_if_known(line, "version")
        return {
            "model_id": f"{model_id:04X}",
            "model": model.name if model else None,
            "version": ".".join(str(part) for part in version) if version else None,
            "inputs": list(model.family.inputs) if model else [],
        }

    def _status(self, line: Line) -> Facts:
        facts = self._identify(line)
        if signal := self._read_if_known(line, "dvi_signal"):
            facts["dvi_signal"] = signal[0] == 1
        if bits := self._read_if_known(line, "valid_inputs"):
            facts["inputs_with_signal"] = [name for bit, name in enumerate(INPUT_BITS) if not bits[0] >> bit & 1]
        facts["panels"] = [self._panel(line, panel) for panel in self._looked_at()]
        alive = next((panel for panel in facts["panels"] if panel["reachable"]), None)
        if alive is not None:
            facts |= self._display(line, (alive["port"], alive["board"]))
        facts |= self._of_the_family(line)
        facts["reachable"] = all(panel["reachable"] for panel in facts["panels"])
        return facts

    def _display(self, line: Line, panel: Panel) -> Facts:
        """What one panel shows, which stands for the wall."""
        parts = self._read(line, "brightness_parts", panel)
        code = self._read(line, "pattern", panel)[0]
        patterns = {number: name for name, number in tables().patterns.items()} | {1: "video"}
        return {
            "brightness": percent(parts[0]),
            "red": percent(parts[1]),
            "green": percent(parts[2]),
            "blue": percent(parts[3]),
            "blank": self._read(line, "blank", panel)[0] == BLACK,
            "pattern": patterns.get(code, str(code)),
            "frozen": self._read(line, "freeze", panel)[0] == BLACK,
        }

    def _of_the_family(self, line: Line) -> Facts:
        """Input, and freezing in the box itself, of models that tell them."""
        model = self._model(line)[1]
        if model is None:
            return {}
        facts: Facts = {}
        if model.family.freeze == "display_mode" and (mode := self._read_if_known(line, "display_mode")):
            facts["frozen"] = mode[0] == model.family.frozen
        source = model.family.input
        if source and tables().registers[source].access == "both" and (code := self._read_if_known(line, source)):
            names = {number: name for name, number in model.family.inputs.items()}
            facts["input"] = names.get(code[0], f"{code[0]:02X}")
        return facts

    def _panel(self, line: Line, panel: Panel) -> Facts:
        """Health of a panel: temperature in degrees Celsius, supply in volts."""
        facts: Facts = {"port": panel[0], "board": panel[1], "reachable": True}
        try:
            block = self._read(line, "monitoring", panel)
        except PanelUnreachable:
            return facts | {"reachable": False}
        sign = -1 if block[0] & 1 else 1
        facts["temperature"] = sign * block[1] / 2 if block[0] & 0x80 else None
        facts["voltage"] = (block[3] & 0x7F) / 10 if block[3] & 0x80 else None
        facts["monitor_card"] = block[0x20] == 0xFF
        return facts

    def _brightness(self, line: Line, wanted: int) -> Facts:
        """Write, then read back from the first panel that answers: a box answers for all without asking any."""
        self._write(line, "brightness", raw(wanted))
        found, missing = self._brightness_read(line)
        if found != wanted:
            raise DeviceRefused(
                f"亮度设为 {wanted},回读为 {found};请检查发送盒是否开启了自动亮度。",
                f"The brightness was set to {wanted} and reads {found}; see whether the box dims by itself.",
            )
        return {"brightness": found} | ({"unreachable": missing} if missing else {})

    def _brightness_read(self, line: Line) -> tuple[int, list[Facts]]:
        """The brightness of the first panel that answers, and the panels before it that do not.

        Raises:
            PanelUnreachable: none of them answers.
        """
        missing: list[Facts] = []
        for panel in self._looked_at():
            try:
                return percent(self._read(line, "brightness", panel)[0]), missing
            except PanelUnreachable as refusal:
                missing.append({"port": panel[0], "board": panel[1]})
                last = refusal
        raise last

    def _freeze(self, line: Line, frozen: bool) -> Facts:
        family = self._known_model(line).family
        self._write(line, family.freeze, family.frozen if frozen else family.live)
        return {"freeze": frozen}

    def _input(self, line: Line, name: str) -> Facts:
        model = self._known_model(line)
        inputs = model.family.inputs
        if not inputs:
            raise NotSupported(
                f"{model.name} 没有已知的输入切换;请在视频源或处理器上切换。",
                f"No input selection of {model.name} is known; switch at the source or the video processor.",
            )
        if name.lower() not in inputs:
            raise BadValue(
                f"{model.name} 没有输入 {name};可用: {'、'.join(inputs)}。",
                f"{model.name} has no input {name}; it has {', '.join(inputs)}.",
            )
        self._write(line, model.family.input, inputs[name.lower()])
        mode = self._read_if_known(line, "input_mode") if model.family.name == "660pro" else None
        return {"input": name.lower(), "model": model.name} | ({"manual": mode[0] == MANUAL} if mode else {})

    def _known_model(self, line: Line) -> Model:
        """The model, named by the option or by its id.

        Raises:
            NotSupported: nobody knows its registers, so none is guessed.
        """
        if self.options["model"]:
            return tables().models[str(self.options["model"])]
        model_id, model = self._model(line)
        if model is None:
            raise NotSupported(
                f"不认识型号 {model_id:04X},其输入和定格寄存器未知,未发送;如确知型号,请设置选项 model "
                f"({'、'.join(tables().models)})。",
                f"The model {model_id:04X} is unknown, and so are its registers for this; nothing was sent. If you are "
                f"sure what it is, set the option model ({', '.join(tables().models)}).",
            )
        return model

    def _model(self, line: Line, tries: int | None = None) -> tuple[int, Model | None]:
        answer = self._box.exchange(line, tables().registers["model"], (0, 0), None, tries)
        model_id = int.from_bytes(answer.data, "little")
        named = self.options["model"]
        return model_id, tables().models[str(named)] if named else tables().model_of(model_id)

    def _read(self, line: Line, name: str, panel: Panel) -> bytes:
        return self._box.exchange(line, tables().registers[name], panel, None).data

    def _read_if_known(self, line: Line, name: str) -> bytes | None:
        """A register of the box that not every model has; some refuse it, some say nothing."""
        try:
            return self._box.exchange(line, tables().registers[name], (0, 0), None, tries=2).data
        except (DeviceRefused, NoAnswer):
            return None

    def _write(self, line: Line, name: str, value: int) -> None:
        register = tables().registers[name]
        where = self._everywhere if register.device_type == RECEIVING_CARD else (0, 0)
        self._box.exchange(line, register, where, bytes((value,)))

    def _looked_at(self) -> list[Panel]:
        """The panels that are read: the one that is set, else all that the option names."""
        port, board = self._everywhere
        if board != ALL_BOARDS:
            return [(0 if port == ALL_PORTS else port, board)]
        chains = enumerate(self._panels) if port == ALL_PORTS else [(port, max(self._panels))]
        return [(output, index) for output, count in chains for index in range(count)]

    def _panels_option(self) -> list[int]:
        given = self.options["panels"]
        parts = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else [given]
        try:
            counts = [int(part) for part in parts]
        except (TypeError, ValueError):
            counts = []
        if (
            not 0 < sum(counts) <= PANELS_AT_MOST
            or min(counts) < 0
            or (self._everywhere[0] < ALL_PORTS and not counts[0])
        ):
            raise wrong_option(
                self, "panels", given, f"每口接收卡数,合计 1 到 {PANELS_AT_MOST},如 [4, 4]",
                f"panels on each output, 1 to {PANELS_AT_MOST} in all, such as [4, 4]",
            )  # fmt: skip
        return counts
