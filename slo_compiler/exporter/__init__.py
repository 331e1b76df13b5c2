"""Metrics pages of servers that are not there: requests are simulated, and counted and shown as an engine does it."""
