"""Files on their way to people: prepared by the worker, fetched within their days."""
