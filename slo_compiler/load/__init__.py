"""From files to data with a place for every value."""
