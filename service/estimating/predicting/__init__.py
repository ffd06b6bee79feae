"""One case predicted for whoever asks: training, serving, tuning, or whether it fits.

Lives here: what a spec means, which formula gives each step, which facts it stands on, what is impossible.
Comes in: a spec, as a door validated it.
Goes out: a prediction with intervals, steps, facts, memory by component and warnings; Invalid naming every field.
May not: read a price, a file or the clock; hide an assumption that is not told as a step or a warning.
"""
