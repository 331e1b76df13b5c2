"""A compiled folder into the repository that a Prometheus loads its rules from, through git alone, without a work tree."""
