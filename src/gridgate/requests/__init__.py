"""What companies ask the operator: one life for all kinds, attachments, and the operator's desk."""
