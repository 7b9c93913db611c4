"""From day blocks to answers: pure functions, no store, no clock."""
