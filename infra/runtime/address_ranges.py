"""Ranges of internet addresses, as a setting names them.

>>> "127.0.0.7" in AddressRanges("127.0.0.0/8,10.0.0.1")
True
>>> "127.0.0.7" in AddressRanges("none")
False
"""

from ipaddress import ip_address, ip_network

#: The text for no address at all. An empty setting counts as unset.
NONE = "none"


class AddressRanges:
    """Addresses and networks, separated by commas.

    Raises:
        ValueError: a part is neither an address nor a network.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        parts = [] if text == NONE else text.split(",")
        self._networks = [ip_network(part.strip()) for part in parts]

    def __contains__(self, address: str) -> bool:
        try:
            known = ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressRanges) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__
