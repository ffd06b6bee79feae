"""The nouns of the product, pure.

Lives here: quantities, money, as-of, the price book, scenarios, estimates: frozen values that refuse nonsense.
Comes in: values.
Goes out: values.
May not: read, write, log, or ask the time.
"""
