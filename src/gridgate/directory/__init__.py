"""A company's own directory manages its people (SCIM 2.0): tokens, people and groups as it knows them."""
