"""From artifacts to the output folder: what to do, and doing it."""
