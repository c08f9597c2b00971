"""The refusals of devices and their ports. They are refusals of the house: a sentence in Chinese and one in English."""

from __future__ import annotations

from appliance.errors import WanmiError


class DeviceError(WanmiError):
    """Anything that a port or the device on it makes impossible."""

    kind = "device"


class PortMissing(DeviceError):
    """There is no such port now: unplugged, or never there."""

    kind = "port-missing"


class PortBusy(DeviceError):
    """Another program has the port."""

    kind = "port-busy"


class PortLost(DeviceError):
    """The port went away while it was in use."""

    kind = "port-lost"


class NoAnswer(DeviceError):
    """The device did not answer in time, or nothing that could be understood."""

    kind = "no-answer"


class DeviceRefused(DeviceError):
    """The device answered that it will not or cannot; the sentence says why."""

    kind = "device-refused"


class NotSupported(DeviceError):
    """This device, or this model of it, has no such action, input or picture; the sentence names what it has."""

    kind = "not-supported"


class BadValue(DeviceError):
    """A value outside what the action takes."""

    kind = "bad-value"


class BadSetup(DeviceError):
    """The configuration of a device is wrong: an unknown driver or option, a name given twice."""

    kind = "bad-setup"


class FaultyDriver(BadSetup):
    """A driver itself failed, ours or a third party's; the sentence names it."""
