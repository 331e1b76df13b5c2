"""slo-compiler: SLOs for LLM inference as code."""

# A constant: reading the installed metadata would nearly double the time of `--version`.
__version__ = "0.1.0"
