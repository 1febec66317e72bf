"""What a `Desk` is to numba: one pointer. Reading a field of it gives a number, or a pointer to the first item of an array.

A desk is held by its Python object for the length of a call, and nothing counts references.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from .kinds import BUILDS, Kind, kind_of
from .state import KINDS, PLACES, TYPES, Desk, steady


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


PLAIN, USUAL, DESK = TYPES_OF = tuple(map(DeskType, BUILDS))
"""By `rustybt.kernel.kinds`."""
FIELDS = {
    name: types.int64 if kind == "int" else types.CPointer(getattr(types, TYPES[kind].__name__, types.int64))
    for name, kind in KINDS.items()
}

register_model(DeskType)(models.OpaqueModel)


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


@lower_getattr_generic(DeskType)
def read_field(context: Any, builder: Any, kind: DeskType, pointer: Any, name: str) -> Any:
    """Load one word of the table."""
    word = ir.IntType(64)
    if name in kind.known:
        return ir.Constant(word, kind.known[name])
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
