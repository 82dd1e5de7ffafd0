"""The stores of the read models, and how far each one is."""
