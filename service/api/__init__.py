"""The HTTP door: JSON in, one use case, JSON out.

Lives here: routes, what travels over the wire, problems (RFC 9457), limits at the edge.
Comes in: requests.
Goes out: responses: decimals as strings, times as RFC 3339, errors as problems.
May not: decide anything, compute a cost, know which sources exist, talk to the web pages.
"""
