"""The shapes on the wire: orders, assets, amounts, times, symbols."""
