"""How people come to act for companies: invitations, first administrators, sign-ups, requests to join, general terms."""
