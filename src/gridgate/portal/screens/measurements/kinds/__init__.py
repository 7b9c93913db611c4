"""What is drawn and said of each kind of measurement of one meter."""
