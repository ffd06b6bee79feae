"""The memory: the only SQL in the product.

Lives here: tables and their types, the append-only log of observations, documents, refreshes, estimates, job runs.
Comes in: domain values, observations, the clock that stamps a seal.
Goes out: domain values.
May not: return rows, compute costs, update or delete an observation, hand a connection out.
"""
