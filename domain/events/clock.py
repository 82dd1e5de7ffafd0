"""Facts of the stream `clock-log`: confirmed steps of the system's clock."""

from domain.events.event import Event


class ClockConfirmed(Event, frozen=True, tag="clock.confirmed"):
    """An administrator confirmed the system's clock after a step. `ahead` is how far it
    was ahead of the venue's time, in microseconds; less than 0 means behind."""

    ahead: int
