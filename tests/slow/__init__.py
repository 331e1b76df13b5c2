"""Tests of programs that are too large for every change: each has a make target, and none is selected otherwise."""
