"""The only code that starts other programs."""
