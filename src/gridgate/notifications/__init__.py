"""What the portal tells people: e-mails written in the transaction they speak of, sent by the worker."""
