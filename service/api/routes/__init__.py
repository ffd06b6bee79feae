"""One small module per noun of the API.

Lives here: routers, nothing else.
Comes in: parameters already read and refused where they make no sense.
Goes out: the answer of one use case, as bytes.
May not: hold more than parsing, one call and an answer.
"""
