"""The rules of the field, in the standard library alone: identifiers, time, quantities, permissions, errors."""
