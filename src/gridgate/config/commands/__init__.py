"""The commands of `gridgate`, one module each, named after what they do."""
