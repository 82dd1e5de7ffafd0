"""Every read model of Bourse."""

from projections.balances import BalancesProjection
from projections.depth import DepthProjection
from projections.instruments import InstrumentsProjection
from projections.orders import OrdersProjection
from projections.positions import PositionsProjection
from projections.prices import PricesProjection
from projections.projection import Projection
from projections.statements import StatementsProjection
from projections.tape import TapeProjection
from projections.users import UsersProjection

PROJECTIONS: tuple[type[Projection], ...] = (
    BalancesProjection,
    PositionsProjection,
    OrdersProjection,
    DepthProjection,
    PricesProjection,
    TapeProjection,
    StatementsProjection,
    InstrumentsProjection,
    UsersProjection,
)

NAMES: tuple[str, ...] = tuple(each.view.name for each in PROJECTIONS)
