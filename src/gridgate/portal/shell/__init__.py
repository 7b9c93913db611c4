"""What stands around every page: its place in the menu, its language, its clock, the favourites."""
