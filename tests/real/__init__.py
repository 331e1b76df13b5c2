"""Real programs, started by tests on loopback: what starts them, what they are asked, and pages with a fault planted."""
