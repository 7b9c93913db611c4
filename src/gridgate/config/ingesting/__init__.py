"""What stands around ingest at the command line: the report for people, progress, the drop folder."""
