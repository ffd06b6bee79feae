"""When things happen, and the lease that makes each happen once.

Lives here: the due times computed from the job ledger, the worker that runs them, APScheduler as the mere clock.
Comes in: a store, the feeds, the settings, a clock.
Goes out: refreshes, each slot run exactly once however many processes there are.
May not: know a feed by name; trust a timer's memory: what is due is read from the ledger.
"""
