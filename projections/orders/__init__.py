"""The read model of orders, and its queries."""
