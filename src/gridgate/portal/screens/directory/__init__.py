"""The screen where a company connects its own directory."""
