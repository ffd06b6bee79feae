"""From a scenario and a price book to an estimate, purely.

Lives here: what each part of a scenario multiplies, and how the lines become an estimate with citations.
Comes in: a scenario, a price book.
Goes out: an estimate, or every field that cannot be priced as given.
May not: do I/O of any kind; hold an `if` about a provider.
"""
