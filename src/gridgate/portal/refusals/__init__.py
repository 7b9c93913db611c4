"""What somebody reads in place of a page: it failed, it is refused, it is to wait for."""
