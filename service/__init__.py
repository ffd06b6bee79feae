"""The planning service: a ledger of estimates over a history of prices.

Lives here: the nouns (`domain`), the verbs (`formulas`, `estimating`), the memory (`store`), what the product can do
(`usecases`), when it does it (`scheduling`), and the doors (`api`, `cli`, `web`).
Comes in: observations from `pricing_sources`, scenarios and questions from people.
Goes out: estimates that can be walked back to the documents they were read from.
May not: reach round a room; each uses only the rooms below it (the contracts in pyproject.toml).
"""
