"""The register of all read models of Bourse."""

from projections.accounts.balances import BalancesProjection
from projections.accounts.positions import PositionsProjection
from projections.accounts.statements import StatementsProjection
from projections.accounts.users import UsersProjection
from projections.market.depth import DepthProjection
from projections.market.instruments import InstrumentsProjection
from projections.market.prices import PricesProjection
from projections.market.tape import TapeProjection
from projections.orders.orders import OrdersProjection
from projections.projection import Projection

PROJECTIONS: tuple[type[Projection], ...] = (
    BalancesProjection,
    PositionsProjection,
    OrdersProjection,
    DepthProjection,
    PricesProjection,
    TapeProjection,
    InstrumentsProjection,
    UsersProjection,
    StatementsProjection,
)

NAMES: tuple[str, ...] = tuple(each.view.name for each in PROJECTIONS)
