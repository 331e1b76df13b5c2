"""PromQL: names, text, and what the events of each kind of measurement are."""
