"""Somebody who lost every second factor: checked at the desk, confirmed by another person, told by e-mail."""
