"""The device agent: owns the ports, tells the node what it hears, does what the node or the technician asks.

One process (`wanmi devices agent`, started by `wanmi up`); an HTTP client of the node with a key of role `device`. It
may run on another machine than the node. `main.py` puts it together:

    ports' threads → board (how every device stands) → reporter → node
                   → feeder (positions, spooled while the node is away) → node
    node → listener (commands, changes) → doing → ports
    keeper (once a second): light by the hour, text on the strips, messages, polls
"""
