"""The reflected CRC-16 of many serial protocols."""

from __future__ import annotations


def crc16(data: bytes, start: int = 0) -> int:
    """CRC-16 of polynomial x16+x15+x2+1, reflected; start value 0 here ("ARC"), 0xFFFF for Modbus."""
    crc = start
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc


def _table_entry(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


TABLE = tuple(_table_entry(byte) for byte in range(256))
