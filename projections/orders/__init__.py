"""The read model of orders, and how it is queried."""
