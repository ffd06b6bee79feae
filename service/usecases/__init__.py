"""What the product can do: one function per thing, shared line for line by every door.

Lives here: the order of the steps, and the one transaction around them.
Comes in: a store, values, `now`.
Goes out: domain values.
May not: SQL, HTTP words, a network call inside a transaction, deciding what a door should decide.
"""
