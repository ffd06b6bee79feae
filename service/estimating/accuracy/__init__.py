"""How right the predictions are: over a table of published facts, beside naive baselines.

Lives here: which columns of a table a prediction may see, the prediction of a row, the figures over rows.
Comes in: rows of text, as a CSV holds them.
Goes out: a report, with every row that could not be predicted and why.
May not: look at a measured column before the prediction is made; guess what a row does not say; do I/O.
"""
