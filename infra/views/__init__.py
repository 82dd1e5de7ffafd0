"""The stores of the read models, and the log positions that they show."""
