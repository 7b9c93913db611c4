"""Who may do what: each guard stands before a page and lets it open, or answers in its place."""
