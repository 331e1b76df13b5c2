"""Documents to the resolved form. What is broken is left out and remembered; nothing here raises for bad input."""
