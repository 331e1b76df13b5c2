"""What runs, beside what was promised: metrics pages and Prometheus servers against resolved specs."""
