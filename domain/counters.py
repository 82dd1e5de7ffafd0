"""The types of numbers that count up. At run time each of them is `int`.

As with amounts, the stub `counters.pyi` declares their arithmetic: a `NewType` would
turn into a plain `int` with the first sum.
"""

LogPosition = TradeId = int
