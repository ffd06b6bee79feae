"""Telling others: an event leaves the house as a webhook, a chat message, an e-mail or a calendar.

Lives here: signatures, payloads, the guard on addresses, the calls themselves.
Comes in: an event and where it should go.
Goes out: what the other side answered.
May not: use the store, decide what is worth telling, reach an address the settings forbid.
"""
