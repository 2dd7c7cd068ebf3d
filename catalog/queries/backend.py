"""Ibis on the views: an expression becomes DuckDB's SQL, which is answered as any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import ibis.common.exceptions as exceptions
import ibis.expr.datatypes as datatypes
import ibis.expr.operations as operations
import ibis.expr.schema as schemas
import ibis.expr.types as expressions
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.sql import SQLBackend
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler
from ibis.formats.pandas import PandasData

from catalog.errors import QueryRefused
from catalog.queries.handle import Handle

DAY = 24 * 3600 * 10**9  # nanoseconds


class _Compiler(DuckDBCompiler):
    def visit_InMemoryTable(
        self, op: operations.InMemoryTable, *, name: str, schema: schemas.Schema, data: Any
    ) -> sge.Select:
        """Its rows are written into the statement, for there is nowhere else to put them."""
        kind = datatypes.Array(schema.as_struct())
        rows = data.to_pyarrow(schema).to_pylist()
        literal = self.visit_Literal(operations.Literal(rows, kind), value=rows, dtype=kind)
        columns = sge.Kwarg(this=sge.to_identifier("max_depth"), expression=sge.convert(2))
        return sge.select(self.f.anon.unnest(self.cast(literal, kind), columns))


class Backend(SQLBackend):
    """Reads only, and sends nothing to the catalog but SQL."""

    name = "ducket"
    compiler = _Compiler()

    def do_connect(self, directory: Path) -> None:
        self._handle = Handle(directory)

    def disconnect(self) -> None:
        """There is nothing to end: between questions nothing is held."""

    @property
    def version(self) -> str:
        ((found,),) = self._handle.sql("SELECT version()").fetchall()
        return str(found)

    def list_tables(self, *, like: str | None = None, database: object = None) -> list[str]:
        names = self._handle.arrow("SHOW TABLES")["name"].to_pylist()
        return list(self._filter_with_like(names, like))

    def get_schema(self, table_name: str, *, catalog: str | None = None, database: str | None = None) -> schemas.Schema:
        try:
            return self._get_schema_using_query(f'FROM "{table_name}"')
        except QueryRefused:
            raise exceptions.TableNotFound(table_name) from None

    def to_pyarrow_batches(
        self,
        expr: expressions.Expr,
        /,
        *,
        params: Mapping[expressions.Scalar, Any] | None = None,
        limit: int | str | None = None,
        **_: Any,
    ) -> pa.RecordBatchReader:
        """See `Handle.batches`."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        schema = table.schema().to_pyarrow()
        batches = self._handle.batches(self.compile(table, params=params, limit=limit))
        return pa.RecordBatchReader.from_batches(schema, (_as(schema, batch) for batch in batches))

    def execute(
        self,
        expr: expressions.Expr,
        /,
        *,
        params: Mapping[expressions.Scalar, Any] | None = None,
        limit: int | str | None = None,
        **_: Any,
    ) -> Any:
        """A DataFrame, a Series or a value."""
        table = expr.as_table()
        found = self.to_pyarrow(table, params=params, limit=limit)
        return expr.__pandas_result__(PandasData.convert_table(found.to_pandas(), table.schema()))

    def _get_schema_using_query(self, query: str) -> schemas.Schema:
        found = self._handle.arrow(f"DESCRIBE {query}")
        kinds = map(self.compiler.type_mapper.from_string, found["column_type"].to_pylist())
        return schemas.Schema(dict(zip(found["column_name"].to_pylist(), kinds, strict=True)))

    def _register_in_memory_table(self, op: operations.InMemoryTable) -> None: ...

    def _make_memtable_finalizer(self, name: str) -> None: ...

    def _safe_raw_sql(self, *_: Any, **__: Any) -> NoReturn:
        raise QueryRefused("the catalog is read only")

    create_table = _safe_raw_sql


def _as(schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        _as_duration(column, kind) if pa.types.is_interval(column.type) else column.cast(kind)
        for column, kind in zip(batch.columns, schema.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_duration(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """To whole units of its kind, which Arrow does not do; a month has 30 days, as where DuckDB compares."""
    spans = [each and (each.months * 30 + each.days) * DAY + each.nanoseconds for each in column.to_pylist()]
    return pa.array(spans, pa.duration("ns")).cast(kind, safe=False)
