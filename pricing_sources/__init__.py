"""Public price feeds, read exactly.

Lives here: one module per feed, and the few tools every feed shares.
Comes in: bytes from the world (`Document`), a transport to fetch them with, and the time as a value.
Goes out: `Observation`s, each one price as one source stated it, and a named reason for every row that is not one.
May not: know a database, the service, the clock or the environment; convert currencies; average.
"""
