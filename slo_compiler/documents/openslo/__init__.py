"""The kinds of `openslo/v1`, as its specification and its official Go SDK define them.

Where the two differ, what either takes is accepted with a notice if its meaning is plain.
"""
