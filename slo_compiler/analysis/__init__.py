"""What specs mean for operation, computed from their resolved form: values in, values out."""
