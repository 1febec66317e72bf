"""What a `Desk` is to numba: one pointer. Reading a field of it gives a number, or a pointer to the first item of an array.

A field of orders is a pointer to that field of the first row, and items lie a row apart. A desk is held by its Python object for the
length of a call, and nothing counts references.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from .kinds import BUILDS, Kind, kind_of
from .state import ALWAYS, FIRST_OF_ROW, KINDS, OFFSETS, PLACES, ROW_BYTES, STEADY, TYPES, WORD, Desk, lengths


def steady(assets: int | None, slots: int | None) -> dict[str, tuple[str, int]]:
    """Arrays that lie as far behind the first of their type in every desk of so many assets and slots (None: of any): that one, how far.

    Example:
        >>> steady(None, None)["cursor"]
        ('count', 12)
    """
    known = ALWAYS if assets is None or slots is None else lengths(assets, slots, 0)
    found: dict[str, tuple[str, int]] = {}
    ends: dict[str, tuple[str, int]] = {}
    for name, length in known.items():
        if name not in STEADY:
            continue
        first, at = ends.get(KINDS[name], (name, 0))
        found[name] = first, at
        ends[KINDS[name]] = first, at + length
    return found


class DeskType(types.Opaque):  # type: ignore[misc]
    """The type of a desk, and the numbers on it that are known when it is compiled.

    Attributes:
        kind: the build that takes it.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind, self.known, self.off = kind, dict(kind.known), kind.off
        self.steady = steady(kind.known.get("assets"), kind.known.get("slots"))
        super().__init__(name=f"{__name__}.Desk_{kind.name}")

    @property
    def key(self) -> Any:
        """What makes two of them the same."""
        return self.name


class RowField(types.Type):  # type: ignore[misc]
    """One field of the rows of orders: item k is in row k.

    Attributes:
        dtype: of the items.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"{__name__}.RowField_{dtype}")


PLAIN, USUAL, DESK = TYPES_OF = tuple(map(DeskType, BUILDS))
"""By `rustybt.kernel.kinds`."""
ITEMS = {name: getattr(types, TYPES[kind].__name__, types.int64) for name, kind in KINDS.items()}
FIELDS = {
    name: types.int64 if kind == "int" else (RowField if name in OFFSETS else types.CPointer)(ITEMS[name]) for name, kind in KINDS.items()
}

register_model(DeskType)(models.OpaqueModel)


@register_model(RowField)
class RowFieldModel(models.PrimitiveModel):  # type: ignore[misc]
    """The address of the field in the first row."""

    def __init__(self, manager: Any, kind: RowField) -> None:
        super().__init__(manager, kind, manager.lookup(kind.dtype).get_data_type().as_pointer())


@typeof_impl.register(Desk)
def type_of_desk(value: Desk, context: Any) -> DeskType:
    """The narrowest build that the desk's numbers allow."""
    return TYPES_OF[BUILDS.index(kind_of(value))]


@infer_getattr
class DeskFields(AttributeTemplate):  # type: ignore[misc]
    """Types of the fields."""

    key = DeskType

    def generic_resolve(self, kind: DeskType, name: str) -> Any:
        """The type of one field."""
        return FIELDS.get(name)


class RowAccess(AbstractTemplate):  # type: ignore[misc]
    """Types of an item that is read or written."""

    def generic(self, args: Any, kws: Any) -> Any:
        """With a value it is written."""
        field, value = args[0], args[2:]
        if not isinstance(field, RowField) or not isinstance(args[1], types.Integer):
            return None
        item = (field.dtype,) if value else ()
        return signature(types.none if value else field.dtype, field, types.int64, *item)


infer_global(operator.getitem)(RowAccess)
infer_global(operator.setitem)(RowAccess)


def item_of(builder: Any, field: Any, k: Any) -> Any:
    """The address of item k of a field."""
    words = ir.Constant(ir.IntType(64), ROW_BYTES // WORD)
    return builder.gep(field, [builder.mul(k, words)])


@lower_builtin(operator.getitem, RowField, types.int64)
def read_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """One field of one order."""
    return builder.load(item_of(builder, *args))


@lower_builtin(operator.setitem, RowField, types.int64, types.Any)
def write_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Likewise."""
    builder.store(args[2], item_of(builder, *args[:2]))
    return context.get_dummy_value()


@lower_getattr_generic(DeskType)
def read_field(context: Any, builder: Any, kind: DeskType, pointer: Any, name: str) -> Any:
    """Load one word of the table."""
    word = ir.IntType(64)
    if name in kind.known:
        return ir.Constant(word, kind.known[name])
    if name in OFFSETS and name != FIRST_OF_ROW:
        column = read_field(context, builder, kind, pointer, FIRST_OF_ROW)
        item = context.get_value_type(FIELDS[name])
        return builder.bitcast(builder.gep(column, [ir.Constant(word, OFFSETS[name] // WORD)]), item)
    first, behind = kind.steady.get(name, (name, 0))
    if first != name:  # one address for all of them, which stays in a register
        column = read_field(context, builder, kind, pointer, first)
        return builder.gep(column, [ir.Constant(word, behind)])
    table = builder.bitcast(pointer, word.as_pointer())
    loaded = builder.load(builder.gep(table, [ir.Constant(word, PLACES[name])]))
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    if FIELDS[name] is types.int64:
        return loaded
    return builder.inttoptr(loaded, context.get_value_type(FIELDS[name]))


@unbox(DeskType)
def unbox_desk(kind: DeskType, value: Any, c: Any) -> NativeValue:
    """Take the address out of the Python object."""
    held = c.pyapi.object_getattr_string(value, "address")
    pointer = c.pyapi.long_as_voidptr(held)
    c.pyapi.decref(held)
    return NativeValue(pointer, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))
