"""Tables that only grow: triggers that refuse to change or remove a row, for migrations.

A trigger stops a mistake, and a program that was taken over but may not change the schema. Whoever may drop
a trigger is stopped by nothing here; that is what the signed checkpoints and receipts are for.
"""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}{when}
BEGIN SELECT RAISE(ABORT, '{table} only grows'); END
"""
_CREATE = {"sqlite": _SQLITE}
_DROP = {"sqlite": "DROP TRIGGER {table}_no_{verb}"}


def only_grows(table: str, *, changeable: str = "") -> RunPython:
    """A migration operation after which rows of `table` are neither changed nor removed.

    `changeable` is a condition on `OLD` under which a row may be changed after all. The statements are kept by database
    vendor; a vendor without any is an error, never a table left open.
    """
    conditions = {"update": f" WHEN NOT ({changeable})" if changeable else "", "delete": ""}

    def each(statements: dict[str, str]) -> Callable[[Any, BaseDatabaseSchemaEditor], None]:
        def act(_: Any, editor: BaseDatabaseSchemaEditor) -> None:
            for verb, when in conditions.items():
                editor.execute(statements[editor.connection.vendor].format(table=table, verb=verb, when=when))

        return act

    return RunPython(each(_CREATE), each(_DROP))
