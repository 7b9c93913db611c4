"""What the data plane asks of the registry (`port`), and who answers it from an SQLite file (`sqlite`)."""
