"""Data services, permissions and their events, the access projection, receipts: who may read what, and the
end of it.
"""
