"""What was read, by whom, on which ground: the access log folded into the registry, and its proofs."""
