"""Two commits take turns on one machine: does an order cost more than before?"""
