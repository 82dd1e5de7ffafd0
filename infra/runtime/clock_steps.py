"""Steps of the system's clock: when to follow it, and the time to keep to if not.

The steady clock counts from some start, also while the machine is suspended, and nobody
can set it. NTP slews both clocks alike, so only a step changes their difference. A step
of at most a minute is followed. So is a series of such steps, up to a minute a day.
After a larger one the venue's time goes on with the steady clock.

All times are in microseconds.
"""

import msgspec

from domain.clock_log import STEP_MAX

_DAY = 86_400_000_000


class Reference(msgspec.Struct, frozen=True):
    """The venue's time less the steady clock, as of `seen_at` on the steady clock.

    If `is_floor`, the venue's time is at least that: the newest fact of the log says
    so, and a later time is no step.
    """

    offset: int
    seen_at: int
    is_floor: bool = False


def agreed(wall: int, steady: int) -> Reference:
    """Return the reference by which the system's clock is right."""
    return Reference(wall - steady, steady)


def at_least(newest: int, steady: int) -> Reference:
    """Return the reference by which it is not before the time of the newest fact."""
    return Reference(newest - steady, steady, is_floor=True)


def step(reference: Reference, wall: int, steady: int) -> int | None:
    """Return how far the system's clock is ahead, or None if it may be followed."""
    ahead = wall - steady - reference.offset
    if ahead < -STEP_MAX or (ahead > STEP_MAX and not reference.is_floor):
        return ahead
    return None


def venue_time(reference: Reference, wall: int, steady: int) -> int:
    """Return the system's time, or after a step the time that passed without it."""
    if step(reference, wall, steady) is None:
        return wall
    return steady + reference.offset


def followed(reference: Reference, wall: int, steady: int) -> Reference:
    """Return the reference after a reading without a step.

    It moves towards the system's clock by at most a minute a day.
    """
    if reference.is_floor:
        return agreed(wall, steady)
    allowed = (steady - reference.seen_at) * STEP_MAX // _DAY
    ahead = wall - steady - reference.offset
    moved = max(-allowed, min(allowed, ahead))
    return Reference(reference.offset + moved, steady)
