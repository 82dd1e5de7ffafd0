"""The types of amounts. At run time each of them is `int`, which costs nothing.

The stub `amounts.pyi` declares for the type checker which arithmetic makes sense: it
reports money plus shares, and a price that is passed as a quantity.
"""

Money = Price = Quantity = int
