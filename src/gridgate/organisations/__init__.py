"""Companies, the people who act for them, and what each of those people may do on which points."""
