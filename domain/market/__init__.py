"""One instrument's market: listing, session, order book, matching."""
