"""The command line: the same use cases as the API, for people and for scripts.

Lives here: commands, their tables and their JSON; also the second composition root.
Comes in: arguments, files, the settings.
Goes out: tables on a terminal, plain text in a pipe, canonical JSON with --json; documented exit codes.
May not: decide anything, call another door.
"""
