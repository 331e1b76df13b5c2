"""Documents by a generator with a seed, through the whole compiler: nothing they hold may act, raise or take long."""
