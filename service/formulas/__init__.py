"""The verbs: one published equation per function.

Lives here: formulas in plain operators, so that one function serves a Decimal, a float and a NumPy array.
Comes in: numbers in the units their names and the catalog state.
Goes out: numbers.
May not: know a provider, fetch a price, hide a constant.
"""
