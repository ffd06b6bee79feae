"""From a goal and the whole market to plans, purely.

Lives here: the search of offers × configurations, fleets, commitments, start times, the front, the explanation.
Comes in: a goal, the offers of one price book as arrays, the formulas.
Goes out: plans, why the best is best, what would have to change for another to win.
May not: do I/O of any kind; read the clock; hold an `if` about a provider.
"""
