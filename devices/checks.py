"""What devices let the doctor check: their settings, the agent, every device, and who else has a port open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.device_settings import Device
from appliance.doctor import Finding
from appliance.settings import FILE, load
from devices.agent.control import ask_agent
from devices.drivers.registry import make_driver
from devices.errors import DeviceError
from devices.ports.names import holders, is_lasting

WAITING_AT_MOST = 10_000
PATIENCE = 5.0


def check_devices(home: Path) -> Iterator[Finding]:
    """All checks of devices; skipped where none is configured."""
    devices = [device for device in load(home).devices if device.enabled] if (home / FILE).exists() else []
    if not devices:
        yield Finding("devices.agent", "skipped", "没有配置串口设备", "no serial device is configured")
        return
    for device in devices:
        yield from _settings(device)
    try:
        report = ask_agent(home, {"action": "list"}, seconds=PATIENCE)
    except DeviceError as error:
        yield Finding("devices.agent", "failed", error.zh, error.en)
        return
    yield _positions(report)
    standings = {item["name"]: item for item in report["devices"]}
    for device in devices:
        yield _standing(device, standings.get(device.name))
        yield from _others(device, report["pid"])


def _settings(device: Device) -> Iterator[Finding]:
    try:
        make_driver(device.driver, device.options)
    except DeviceError as error:
        yield Finding("devices.settings", "failed", f"{device.name}: {error.zh}", f"{device.name}: {error.en}")
    if not is_lasting(device.port):
        zh = f"{device.name} 用 {device.port},重插后可能改变;请改用 /dev/serial/by-id/ 下的名称"
        en = f"{device.name} is on {device.port}, which may change; use its name below /dev/serial/by-id/"
        yield Finding("devices.settings", "warning", zh, en)


def _positions(report: dict[str, Any]) -> Finding:
    positions = report["positions"]
    if report.get("refused"):
        zh, en = f"节点拒绝设备状态: {report['refused']}", f"the node refuses the report: {report['refused']}"
        return Finding("devices.agent", "failed", zh, en)
    if positions["away"] or positions["waiting"] > WAITING_AT_MOST:
        zh = f"设备代理连不上节点,{positions['waiting']} 个位置在等待;请检查 [agent] node 和 keys/agent.key"
        en = f"the agent does not reach the node, {positions['waiting']} positions wait; see [agent] node and the key"
        return Finding("devices.agent", "failed", zh, en)
    if positions.get("refused"):
        zh = f"节点拒绝了 {positions['refused']} 个位置 (账号不对或时间太旧?);见 log/agent.log"
        en = f"the node refused {positions['refused']} positions (wrong account, or too old?); see log/agent.log"
        return Finding("devices.agent", "warning", zh, en)
    return Finding("devices.agent", "passed", "设备代理运行正常", "the device agent is well")


def _standing(device: Device, standing: dict[str, Any] | None) -> Finding:
    check = f"devices.{device.name}"
    if standing is None:
        return Finding(
            check, "warning", "代理还没有读到这个设备的设置", "the agent has not read this device's settings yet"
        )
    if standing["well"]:
        return Finding(check, "passed", f"{standing['state']} @{standing['rate']}", f"{standing['state']}")
    result = "warning" if standing["state"] in ("starting", "no_fix", "stale", "implausible") else "failed"
    zh, en = standing["zh"] or standing["state"], standing["en"] or standing["state"]
    return Finding(check, result, zh, en)  # type: ignore[arg-type]  # mypy joins the two words to str


def _others(device: Device, agent: int) -> Iterator[Finding]:
    """Stray readers: an exclusive lock does not keep out a program that does not ask for one."""
    strangers = [
        f"{name} ({pid})" for pid, name in holders(device.port) if pid != agent and not name.startswith("wanmi")
    ]
    if strangers:
        who = ", ".join(strangers)
        yield Finding(
            f"devices.{device.name}", "warning", f"还有别的程序打开了 {device.port}: {who}",
            f"other programs have {device.port} open too: {who}",
        )  # fmt: skip
