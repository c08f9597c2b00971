"""NMEA 0183 of satellite receivers: sentences out of bytes, what they say, and fixes epoch by epoch. No I/O.

Arrow: `framing` → `values` → `sentences` → `epoch`; `dates` guards against receivers whose week counter rolled over.
Facts: the seed document `gnss.md`; field meanings as published for NMEA 0183 2.3 to 4.11.
"""
