"""How an account comes into being: activation links, signing up, and the general terms of use."""
