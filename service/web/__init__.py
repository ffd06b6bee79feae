"""The pages: server-rendered, no script, nothing from elsewhere.

Lives here: pages, their templates and their one style sheet, how numbers and times look to people.
Comes in: requests of a browser.
Goes out: HTML; every number beside its source and its age.
May not: decide anything, compute a cost, load anything from another server, talk to the API's rooms.
"""
