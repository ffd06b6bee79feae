"""The commands `estimate` and `scenario`, put together from the modules that hold their parts."""

from service.cli import bands, estimates, history

app = estimates.app
app.command("rerun")(history.rerun)
app.command("why")(history.why)
app.command("compare")(history.compare)
app.command("band")(bands.band)
app.command("difference")(bands.difference)

scenarios = estimates.scenarios
scenarios.command("history")(history.over_time)
scenarios.command("why")(history.why_then)
