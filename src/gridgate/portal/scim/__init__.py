"""SCIM 2.0 (RFC 7643, RFC 7644): a company's own directory manages its people and groups here. See README.md."""
