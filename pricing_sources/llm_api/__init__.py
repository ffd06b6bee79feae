"""LLM-API token prices, one module a feed.

Lives here: modules that know one feed's quirks and map its words to ours.
Comes in: documents, and a transport to fetch them with.
Goes out: readings (observations, skipped rows, rejected rows).
May not: touch another feed, the clock, the environment or a database; convert currency; average.
"""
