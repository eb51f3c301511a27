# The types of pygenx. Inside `pipe` and `Pipeline` the names list, tuple, set, dict
# are methods: the builtins are spelled _list, _tuple, _set, _dict here.
#
# Any stands for what cannot be known: values sent, return values of sources, the
# items that `fold` and `grouping` are fed.
#
# pyright: reportUnnecessaryTypeIgnoreComment=false

from _typeshed import (
    StrPath,
    SupportsAdd,
    SupportsGetItem,
    SupportsRAdd,
    SupportsRichComparison,
)
from array import array as _array
from builtins import dict as _dict
from builtins import list as _list
from builtins import set as _set
from builtins import tuple as _tuple
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import AbstractContextManager
from types import GenericAlias, TracebackType, UnionType
from typing import (
    IO,
    Any,
    ClassVar,
    Concatenate,
    Generic,
    Literal,
    Never,
    ParamSpec,
    Protocol,
    Self,
    SupportsFloat,
    SupportsIndex,
    TypeAlias,
    TypeGuard,
    TypeVarTuple,
    final,
    overload,
    type_check_only,
)

from typing_extensions import Buffer, TypeIs, TypeVar, disjoint_base

from pygenx import lifting as lifting

__all__ = [
    "Expression",
    "Failure",
    "Pipeline",
    "Reducer",
    "ReentrancyError",
    "all_of",
    "always_iterable",
    "any_of",
    "borrow",
    "broadcast",
    "buffer",
    "call",
    "chain",
    "feed",
    "fold",
    "func",
    "groupby",
    "grouping",
    "iter_except",
    "iter_suppress",
    "iterate",
    "map_except",
    "merge",
    "none_of",
    "own",
    "partition",
    "peekable",
    "pipe",
    "primed",
    "read_lines",
    "roundrobin",
    "route",
    "seekable",
    "serialize",
    "side_effect",
    "spy",
    "tee",
    "this",
    "timing",
    "with_iter",
]

__version__: str

_T = TypeVar("_T")
_S = TypeVar("_S")
_K = TypeVar("_K")
_V = TypeVar("_V")
_R = TypeVar("_R")
_G = TypeVar("_G", default=list[Any])
_D = TypeVar("_D")
_1 = TypeVar("_1")
_2 = TypeVar("_2")
_3 = TypeVar("_3")
_4 = TypeVar("_4")
_Sortable = TypeVar("_Sortable", bound=SupportsRichComparison)
_Start = TypeVar("_Start", bound=SupportsAdd[Any, Any])
_F = TypeVar(
    "_F",
    bound=Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any],
)
_I = TypeVar("_I", bound=Iterator[Any])
_A = TypeVar("_A", bound=AsyncGenerator[Any, Any])
_T_co = TypeVar("_T_co", covariant=True)
_K_co = TypeVar("_K_co", covariant=True)
_R_co = TypeVar("_R_co", covariant=True)
_T_contra = TypeVar("_T_contra", contravariant=True)
_In = TypeVar("_In", contravariant=True, default=Any)
_Out = TypeVar("_Out", covariant=True, default=_In)
_P = ParamSpec("_P")
_Bound = ParamSpec("_Bound")
_Ts = TypeVarTuple("_Ts")

@type_check_only
class _Summable(SupportsAdd[int, Any], SupportsRAdd[int, Any], Protocol): ...

@type_check_only
class _Sender(Protocol[_T_contra]):
    def send(self, value: _T_contra, /) -> object: ...

# What items can be fed to.
_Sink: TypeAlias = _Sender[_T] | Callable[[_T], object] | Reducer[_T, Any]

# What isinstance() takes.
_ClassInfo: TypeAlias = type | UnionType | tuple[_ClassInfo, ...]

# What `raise` takes.
_Raised: TypeAlias = BaseException | type[BaseException]

class ReentrancyError(ValueError, RuntimeError): ...

# What an expression computes is not known. A call builds, too, and is Any because
# stages take an expression where they take a function.
@final
class Expression:
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __getattribute__(self, name: str, /) -> Expression: ...
    def __getitem__(self, key: Any, /) -> Expression: ...
    def __add__(self, other: Any, /) -> Expression: ...
    def __radd__(self, other: Any, /) -> Expression: ...
    def __sub__(self, other: Any, /) -> Expression: ...
    def __rsub__(self, other: Any, /) -> Expression: ...
    def __mul__(self, other: Any, /) -> Expression: ...
    def __rmul__(self, other: Any, /) -> Expression: ...
    def __matmul__(self, other: Any, /) -> Expression: ...
    def __rmatmul__(self, other: Any, /) -> Expression: ...
    def __truediv__(self, other: Any, /) -> Expression: ...
    def __rtruediv__(self, other: Any, /) -> Expression: ...
    def __floordiv__(self, other: Any, /) -> Expression: ...
    def __rfloordiv__(self, other: Any, /) -> Expression: ...
    def __mod__(self, other: Any, /) -> Expression: ...
    def __rmod__(self, other: Any, /) -> Expression: ...
    def __divmod__(self, other: Any, /) -> Expression: ...
    def __rdivmod__(self, other: Any, /) -> Expression: ...
    def __lshift__(self, other: Any, /) -> Expression: ...
    def __rlshift__(self, other: Any, /) -> Expression: ...
    def __rshift__(self, other: Any, /) -> Expression: ...
    def __rrshift__(self, other: Any, /) -> Expression: ...
    def __and__(self, other: Any, /) -> Expression: ...
    def __rand__(self, other: Any, /) -> Expression: ...
    def __xor__(self, other: Any, /) -> Expression: ...
    def __rxor__(self, other: Any, /) -> Expression: ...
    def __or__(self, other: Any, /) -> Expression: ...
    def __ror__(self, other: Any, /) -> Expression: ...
    def __pow__(self, other: Any, mod: Any = None, /) -> Expression: ...
    def __rpow__(self, other: Any, mod: Any = None, /) -> Expression: ...
    def __neg__(self) -> Expression: ...
    def __pos__(self) -> Expression: ...
    def __invert__(self) -> Expression: ...
    def __abs__(self) -> Expression: ...
    def __round__(self, ndigits: Any = ..., /) -> Expression: ...
    def __lt__(self, other: Any, /) -> Expression: ...
    def __le__(self, other: Any, /) -> Expression: ...
    def __gt__(self, other: Any, /) -> Expression: ...
    def __ge__(self, other: Any, /) -> Expression: ...
    def __eq__(self, other: object, /) -> Expression: ...  # type: ignore[override]
    def __ne__(self, other: object, /) -> Expression: ...  # type: ignore[override]
    def __bool__(self) -> Never: ...
    def __copy__(self) -> Self: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    __array_ufunc__: ClassVar[None]

this: Expression

def call(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Expression: ...
def all_of(*conditions: Any) -> Expression: ...
def any_of(*conditions: Any) -> Expression: ...
def none_of(*conditions: Any) -> Expression: ...
def func(expression: Expression, /) -> Callable[[Any], Any]: ...

# What the handlers of catch() are given.
@final
class Failure:
    def __new__(
        cls, error: BaseException, item: Any, index: int, stage: str
    ) -> Self: ...
    @property
    def error(self) -> BaseException: ...
    @property
    def item(self) -> Any: ...
    @property
    def index(self) -> int: ...
    @property
    def stage(self) -> str: ...

# What every iterator of pygenx can do: the generator protocol, and `with`.
@type_check_only
class _Owning(Iterator[_T_co]):
    @property
    def result(self) -> Any: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...
    def send(self, value: Any, /) -> _T_co: ...
    @overload
    def throw(
        self,
        typ: type[BaseException],
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> _T_co: ...
    @overload
    def throw(
        self, typ: BaseException, val: None = None, tb: TracebackType | None = None, /
    ) -> _T_co: ...
    def close(self) -> None: ...
    def __exit__(
        self,
        typ: type[BaseException] | None,
        val: BaseException | None,
        tb: TracebackType | None,
        /,
    ) -> None: ...
    def __length_hint__(self) -> int: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@type_check_only
class _Iterator(_Owning[_T_co]):
    def __enter__(self) -> Self: ...

# -- generator tools ---------------------------------------------------------

@disjoint_base
class chain(_Iterator[_T_co]):
    def __new__(cls, *iterables: Iterable[_T_co]) -> Self: ...
    @classmethod
    def from_iterable(cls, iterable: Iterable[Iterable[_S]], /) -> chain[_S]: ...

@final
@type_check_only
class _Branch(_Iterator[_T_co]):
    def __new__(cls, iterable: Iterable[_T_co], /) -> Self: ...

@overload
def tee(
    iterable: Iterable[_T],
    n: Literal[2] = 2,
    *,
    lock: bool = False,
    maxlen: SupportsIndex | None = None,
) -> tuple[_Branch[_T], _Branch[_T]]: ...
@overload
def tee(
    iterable: Iterable[_T],
    n: Literal[3],
    *,
    lock: bool = False,
    maxlen: SupportsIndex | None = None,
) -> tuple[_Branch[_T], _Branch[_T], _Branch[_T]]: ...
@overload
def tee(
    iterable: Iterable[_T],
    n: SupportsIndex,
    *,
    lock: bool = False,
    maxlen: SupportsIndex | None = None,
) -> tuple[_Branch[_T], ...]: ...

@final
@type_check_only
class _Part(_Iterator[_T_co]): ...

def partition(
    pred: Callable[[_T], object] | None,
    iterable: Iterable[_T],
    *,
    maxlen: SupportsIndex | None = None,
) -> tuple[_Part[_T], _Part[_T]]: ...

@final
class peekable(_Iterator[_T], Generic[_T]):
    def __new__(cls, iterable: Iterable[_T]) -> Self: ...
    def __bool__(self) -> bool: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> _T: ...
    @overload
    def __getitem__(self, key: slice, /) -> _list[_T]: ...
    @overload
    def peek(self) -> _T: ...
    @overload
    def peek(self, default: _D = ...) -> _T | _D: ...
    def prepend(self, *items: _T) -> None: ...

# The live view of what a seekable keeps.
@final
@type_check_only
class _Elements(Sequence[_T_co]):
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> _T_co: ...
    @overload
    def __getitem__(self, index: slice, /) -> _list[_T_co]: ...

@final
class seekable(_Iterator[_T_co]):
    def __new__(
        cls, iterable: Iterable[_T_co], maxlen: SupportsIndex | None = None
    ) -> Self: ...
    def __bool__(self) -> bool: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> _T_co: ...
    @overload
    def __getitem__(self, key: slice, /) -> _list[_T_co]: ...
    @overload
    def peek(self) -> _T_co: ...
    @overload
    def peek(self, default: _D = ...) -> _T_co | _D: ...
    def seek(self, index: SupportsIndex) -> None: ...
    def relative_seek(self, count: SupportsIndex) -> None: ...
    def tell(self) -> int: ...
    def elements(self) -> _Elements[_T_co]: ...

def spy(
    iterable: Iterable[_T], n: SupportsIndex = 1
) -> tuple[list[_T], peekable[_T]]: ...

@final
@type_check_only
class _Group(_Iterator[_T_co]): ...

@disjoint_base
class groupby(_Iterator[tuple[_K_co, _Group[_T_co]]], Generic[_K_co, _T_co]):
    @overload
    def __new__(cls, iterable: Iterable[_T], key: None = None) -> groupby[_T, _T]: ...
    @overload
    def __new__(
        cls, iterable: Iterable[_T], key: Callable[[_T], _K]
    ) -> groupby[_K, _T]: ...

@final
class zip(_Iterator[_T_co]):
    @overload
    def __new__(cls, *, strict: bool = False, closing: bool = False) -> zip[Any]: ...
    @overload
    def __new__(
        cls, a: Iterable[_1], /, *, strict: bool = False, closing: bool = False
    ) -> zip[tuple[_1]]: ...
    @overload
    def __new__(
        cls,
        a: Iterable[_1],
        b: Iterable[_2],
        /,
        *,
        strict: bool = False,
        closing: bool = False,
    ) -> zip[tuple[_1, _2]]: ...
    @overload
    def __new__(
        cls,
        a: Iterable[_1],
        b: Iterable[_2],
        c: Iterable[_3],
        /,
        *,
        strict: bool = False,
        closing: bool = False,
    ) -> zip[tuple[_1, _2, _3]]: ...
    @overload
    def __new__(
        cls,
        a: Iterable[_1],
        b: Iterable[_2],
        c: Iterable[_3],
        d: Iterable[_4],
        /,
        *,
        strict: bool = False,
        closing: bool = False,
    ) -> zip[tuple[_1, _2, _3, _4]]: ...
    @overload
    def __new__(
        cls,
        a: Iterable[Any],
        b: Iterable[Any],
        c: Iterable[Any],
        d: Iterable[Any],
        e: Iterable[Any],
        /,
        *iterables: Iterable[Any],
        strict: bool = False,
        closing: bool = False,
    ) -> zip[tuple[Any, ...]]: ...

@final
class roundrobin(_Iterator[_T_co]):
    def __new__(cls, *iterables: Iterable[_T_co]) -> Self: ...

@final
class merge(_Iterator[_T_co]):
    @overload
    def __new__(
        cls, *iterables: Iterable[_Sortable], key: None = None, reverse: bool = False
    ) -> merge[_Sortable]: ...
    @overload
    def __new__(
        cls,
        *iterables: Iterable[_T],
        key: Callable[[_T], SupportsRichComparison],
        reverse: bool = False,
    ) -> merge[_T]: ...

@final
class serialize(_Iterator[_T_co]):
    def __new__(
        cls, iterable: Iterable[_T_co], *, timeout: float | None = None
    ) -> Self: ...

@final
class own(_Owning[_T_co]):
    def __new__(cls, iterable: Iterable[_T_co], /) -> Self: ...
    def __enter__(self) -> borrow[_T_co]: ...

@final
class borrow(_Iterator[_T_co]):
    def __new__(cls, iterable: Iterable[_T_co], /) -> Self: ...

@final
class primed(Generic[_P, _R_co]):
    @overload
    def __new__(
        cls, func: Callable[_P, _A], /
    ) -> primed[_P, Coroutine[Any, Any, _A]]: ...
    @overload
    def __new__(cls, func: Callable[_P, _I], /) -> primed[_P, _I]: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R_co: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: primed[Concatenate[_S, _Bound], _R],
        instance: _S,
        owner: type | None = None,
        /,
    ) -> Callable[_Bound, _R]: ...
    __name__: str
    __qualname__: str
    __wrapped__: Callable[_P, Any]
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

# -- push kit ----------------------------------------------------------------

@type_check_only
class _Push:
    @property
    def result(self) -> Any: ...
    @overload
    def throw(
        self,
        typ: type[BaseException],
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Any: ...
    @overload
    def throw(
        self, typ: BaseException, val: None = None, tb: TracebackType | None = None, /
    ) -> Any: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        typ: type[BaseException] | None,
        val: BaseException | None,
        tb: TracebackType | None,
        /,
    ) -> None: ...

# Generic in the key and in what a group holds: a list, or what `fold` makes of it.
@final
class grouping(_Push, Generic[_K, _G]):
    @overload
    def __new__(
        cls,
        key: None = None,
        *,
        sink: _Sink[tuple[Any, list[Any]]] | None = None,
        keep: bool | None = None,
        fold: None = None,
    ) -> grouping[Any]: ...
    @overload
    def __new__(
        cls,
        key: Callable[[Any], _S],
        *,
        sink: _Sink[tuple[_S, list[Any]]] | None = None,
        keep: bool | None = None,
        fold: None = None,
    ) -> grouping[_S]: ...
    @overload
    def __new__(
        cls,
        key: None = None,
        *,
        sink: _Sink[tuple[Any, _R]] | None = None,
        keep: bool | None = None,
        fold: Callable[[_R, Any], _R],
        init: _R = ...,
    ) -> grouping[Any, _R]: ...
    @overload
    def __new__(
        cls,
        key: Callable[[Any], _S],
        *,
        sink: _Sink[tuple[_S, _R]] | None = None,
        keep: bool | None = None,
        fold: Callable[[_R, Any], _R],
        init: _R = ...,
    ) -> grouping[_S, _R]: ...
    @property
    def current(self) -> tuple[_K, _G] | None: ...
    def send(self, item: Any, /) -> tuple[_K, _G] | None: ...
    def close(self) -> tuple[_K, _G] | None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[_K, _G]: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class fold(_Push, Generic[_R]):
    def __new__(cls, func: Callable[[_R, Any], _R], initial: _R, /) -> Self: ...
    @property
    def value(self) -> _R: ...
    def send(self, item: Any, /) -> _R: ...
    def close(self) -> _R: ...
    def __next__(self) -> Any: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class broadcast(_Push, Generic[_T_contra]):
    # A Reducer can be called too, with an iterable: alone it says what it takes.
    @overload
    def __new__(cls, *targets: Reducer[_T_contra, Any]) -> Self: ...
    @overload
    def __new__(cls, *targets: _Sink[_T_contra]) -> Self: ...
    @property
    def result(self) -> tuple[Any, ...] | None: ...
    def send(self, item: _T_contra, /) -> int: ...
    def close(self) -> tuple[Any, ...]: ...
    def __next__(self) -> Any: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class route(_Push, Generic[_T_contra, _K]):
    @overload
    def __new__(
        cls,
        key: Callable[[_T_contra], _K],
        targets: SupportsGetItem[_K, Reducer[_T_contra, Any]],
        /,
    ) -> Self: ...
    @overload
    def __new__(
        cls,
        key: Callable[[_T_contra], _K],
        targets: SupportsGetItem[_K, _Sink[_T_contra]],
        /,
    ) -> Self: ...
    @property
    def result(self) -> dict[_K, Any] | None: ...
    def send(self, item: _T_contra, /) -> int: ...
    def close(self) -> dict[_K, Any]: ...
    def __next__(self) -> Any: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@overload
def feed(source: Iterable[_T], target: broadcast[_T], /) -> tuple[Any, ...]: ...
@overload
def feed(source: Iterable[_T], target: route[_T, _K], /) -> dict[_K, Any]: ...
@overload
def feed(source: Iterable[_T], target: Reducer[_T, _R], /) -> _R: ...
@overload
def feed(source: Iterable[_T], target: _Coroutine[_T, _R], /) -> _R: ...
@overload
def feed(source: Iterable[Any], target: fold[_R], /) -> _R: ...
@overload
def feed(source: Iterable[Any], target: grouping[Any, Any], /) -> Any: ...
@overload
def feed(source: Iterable[_T], target: Generator[Any, _T, _R], /) -> _R | None: ...
@overload
def feed(source: Iterable[_T], target: _Sink[_T], /) -> Any: ...

# -- timing ------------------------------------------------------------------

# What a report is given.
@final
@type_check_only
class _Elapsed(str):
    label: str
    elapsed: float
    elapsed_ns: int
    error: BaseException | None

@final
class timing:
    @overload
    def __new__(
        cls,
        label: str = "Elapsed time",
        *,
        report: Callable[[_Elapsed], object] | None = ...,
    ) -> Self: ...
    @overload
    def __new__(  # type: ignore[misc]  # a bare @timing: the function comes back
        cls, label: _F, *, report: Callable[[_Elapsed], object] | None = ...
    ) -> _F: ...
    def __call__(self, func: _F, /) -> _F: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        typ: type[BaseException] | None,
        val: BaseException | None,
        tb: TracebackType | None,
        /,
    ) -> None: ...
    def lap(self) -> float: ...
    @property
    def label(self) -> str: ...
    @property
    def elapsed(self) -> float: ...
    @property
    def elapsed_ns(self) -> int: ...
    @property
    def laps(self) -> list[float]: ...
    @property
    def count(self) -> int: ...
    @property
    def total(self) -> float: ...
    @property
    def min(self) -> float: ...
    @property
    def max(self) -> float: ...
    @property
    def mean(self) -> float: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

# -- pipelines ---------------------------------------------------------------

# What is counted of a source, a stage or a terminal.
@final
@type_check_only
class _StatsRow:
    name: str
    items_in: int
    items_out: int
    dropped: int
    errors: int
    high_water: int
    @property
    def kind(self) -> Literal["source", "stage", "terminal"]: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def ns(self) -> int | None: ...
    def as_dict(self) -> _dict[str, Any]: ...

# What stats() and profile() give.
@final
@type_check_only
class _Stats:
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_StatsRow]: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> _StatsRow: ...
    @overload
    def __getitem__(self, index: slice[Any, Any, Any], /) -> _tuple[_StatsRow, ...]: ...

@final
class pipe(_Iterator[_T_co]):
    def __new__(cls, source: Iterable[_T_co], /) -> Self: ...
    # of a pipe that comes from read_lines()
    @property
    def path(self) -> StrPath | IO[str] | None: ...
    @property
    def lineno(self) -> int | None: ...
    def explain(self) -> str: ...
    def stats(self) -> _Stats: ...
    def profile(self) -> _Stats: ...
    @overload
    def tee(
        self,
        n: Literal[2] = 2,
        *,
        lock: bool = False,
        maxlen: SupportsIndex | None = None,
    ) -> _tuple[pipe[_T_co], pipe[_T_co]]: ...
    @overload
    def tee(
        self,
        n: Literal[3],
        *,
        lock: bool = False,
        maxlen: SupportsIndex | None = None,
    ) -> _tuple[pipe[_T_co], pipe[_T_co], pipe[_T_co]]: ...
    @overload
    def tee(
        self,
        n: SupportsIndex,
        *,
        lock: bool = False,
        maxlen: SupportsIndex | None = None,
    ) -> _tuple[pipe[_T_co], ...]: ...
    def partition(
        self,
        pred: Callable[[_T_co], object] | None,
        *,
        maxlen: SupportsIndex | None = None,
    ) -> _tuple[pipe[_T_co], pipe[_T_co]]: ...
    def __or__(self, other: Pipeline[_T_co, _S], /) -> pipe[_S]: ...
    def __ror__(self, other: Never, /) -> Never: ...  # C has one slot for both

    # stages
    def map(self, func: Callable[[_T_co], _S], /) -> pipe[_S]: ...
    def starmap(
        self: pipe[_tuple[*_Ts]], func: Callable[[*_Ts], _S], /
    ) -> pipe[_S]: ...
    @overload
    def filter(self: pipe[_S | None], pred: None, /) -> pipe[_S]: ...
    @overload
    def filter(self, pred: Expression, /) -> pipe[_T_co]: ...
    @overload
    def filter(self, pred: Callable[[_T_co], TypeGuard[_S]], /) -> pipe[_S]: ...
    @overload
    def filter(self, pred: Callable[[_T_co], TypeIs[_S]], /) -> pipe[_S]: ...
    @overload
    def filter(self, pred: Callable[[_T_co], object], /) -> pipe[_T_co]: ...
    def filterfalse(self, pred: Callable[[_T_co], object] | None, /) -> pipe[_T_co]: ...
    def filter_map(self, func: Callable[[_T_co], _S | None], /) -> pipe[_S]: ...
    def flat_map(self, func: Callable[[_T_co], Iterable[_S]], /) -> pipe[_S]: ...
    def flatten(self: pipe[Iterable[_S]]) -> pipe[_S]: ...
    def enumerate(self, start: SupportsIndex = 0) -> pipe[_tuple[int, _T_co]]: ...
    @overload
    def accumulate(self, func: None = None, *, initial: None = None) -> pipe[_T_co]: ...
    @overload
    def accumulate(self, func: None = None, *, initial: _S) -> pipe[_T_co | _S]: ...
    @overload
    def accumulate(
        self: pipe[_S], func: Callable[[_S, _S], _S], *, initial: None = None
    ) -> pipe[_S]: ...
    @overload
    def accumulate(
        self, func: Callable[[_R, _T_co], _R], *, initial: _R
    ) -> pipe[_R]: ...
    @overload
    def pluck(
        self, ind: _list[Any], default: object = ...
    ) -> pipe[_tuple[Any, ...]]: ...
    @overload
    def pluck(self, ind: object, default: object = ...) -> pipe[Any]: ...
    def intersperse(self, e: _S, n: SupportsIndex = 1) -> pipe[_T_co | _S]: ...
    def takewhile(self, pred: Callable[[_T_co], object], /) -> pipe[_T_co]: ...
    def takewhile_inclusive(
        self, pred: Callable[[_T_co], object], /
    ) -> pipe[_T_co]: ...
    def dropwhile(self, pred: Callable[[_T_co], object], /) -> pipe[_T_co]: ...
    def unique_everseen(
        self,
        key: Callable[[_T_co], object] | None = None,
        *,
        maxlen: SupportsIndex | None = None,
    ) -> pipe[_T_co]: ...
    def unique_justseen(
        self, key: Callable[[_T_co], object] | None = None
    ) -> pipe[_T_co]: ...
    def locate(self, pred: Callable[[_T_co], object] = ...) -> pipe[int]: ...
    def take(self, n: SupportsIndex) -> pipe[_T_co]: ...
    def drop(self, n: SupportsIndex) -> pipe[_T_co]: ...
    def tail(self, n: SupportsIndex) -> pipe[_T_co]: ...
    @overload
    def islice(self, stop: SupportsIndex | None, /) -> pipe[_T_co]: ...
    @overload
    def islice(
        self,
        start: SupportsIndex | None,
        stop: SupportsIndex | None,
        step: SupportsIndex | None = None,
        /,
    ) -> pipe[_T_co]: ...
    def batched(
        self, n: SupportsIndex, *, strict: bool = False
    ) -> pipe[_tuple[_T_co, ...]]: ...
    def chunked(
        self, n: SupportsIndex | None, strict: bool = False
    ) -> pipe[_list[_T_co]]: ...
    @overload
    def windowed(
        self, n: SupportsIndex, fillvalue: None = None, step: SupportsIndex = 1
    ) -> pipe[_tuple[_T_co | None, ...]]: ...
    @overload
    def windowed(
        self, n: SupportsIndex, fillvalue: _S, step: SupportsIndex = 1
    ) -> pipe[_tuple[_T_co | _S, ...]]: ...
    def sliding_window(self, n: SupportsIndex) -> pipe[_tuple[_T_co, ...]]: ...
    def pairwise(self) -> pipe[_tuple[_T_co, _T_co]]: ...
    def split_at(
        self,
        pred: Callable[[_T_co], object],
        maxsplit: SupportsIndex = -1,
        keep_separator: bool = False,
    ) -> pipe[_list[_T_co]]: ...
    def split_before(
        self, pred: Callable[[_T_co], object], maxsplit: SupportsIndex = -1
    ) -> pipe[_list[_T_co]]: ...
    def split_after(
        self, pred: Callable[[_T_co], object], maxsplit: SupportsIndex = -1
    ) -> pipe[_list[_T_co]]: ...
    def split_when(
        self, pred: Callable[[_T_co, _T_co], object], maxsplit: SupportsIndex = -1
    ) -> pipe[_list[_T_co]]: ...
    def collapse(
        self,
        base_type: _ClassInfo | None = None,
        levels: SupportsIndex | None = None,
    ) -> pipe[Any]: ...
    @overload
    def groupby(self, key: None = None) -> pipe[_tuple[_T_co, _list[_T_co]]]: ...
    @overload
    def groupby(self, key: Callable[[_T_co], _K]) -> pipe[_tuple[_K, _list[_T_co]]]: ...
    def chain(self, *iterables: Iterable[_S]) -> pipe[_T_co | _S]: ...
    def prepend(self, *iterables: Iterable[_S]) -> pipe[_T_co | _S]: ...
    @overload
    def catch(
        self,
        *exceptions: type[BaseException],
        do: Callable[[Failure], object] | None = None,
        stop: bool = False,
    ) -> pipe[_T_co]: ...
    @overload
    def catch(
        self,
        *exceptions: type[BaseException],
        do: Callable[[Failure], object] | None = None,
        replace: Callable[[Failure], _S],
        stop: bool = False,
    ) -> pipe[_T_co | _S]: ...
    def map_except(
        self, func: Callable[[_T_co], _S], /, *exceptions: type[BaseException]
    ) -> pipe[_S]: ...
    def progress(
        self, *, total: SupportsIndex | None = None, **tqdm_kwargs: Any
    ) -> pipe[_T_co]: ...
    def on_close(self, func: Callable[[], object], /) -> pipe[_T_co]: ...
    def through(
        self,
        func: Callable[Concatenate[pipe[_T_co], _P], Iterable[_S]],
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> pipe[_S]: ...
    @overload
    def zip(self, *, strict: bool = False) -> pipe[_tuple[_T_co]]: ...
    @overload
    def zip(
        self, a: Iterable[_1], /, *, strict: bool = False
    ) -> pipe[_tuple[_T_co, _1]]: ...
    @overload
    def zip(
        self, a: Iterable[_1], b: Iterable[_2], /, *, strict: bool = False
    ) -> pipe[_tuple[_T_co, _1, _2]]: ...
    @overload
    def zip(
        self,
        a: Iterable[_1],
        b: Iterable[_2],
        c: Iterable[_3],
        /,
        *iterables: Iterable[Any],
        strict: bool = False,
    ) -> pipe[_tuple[Any, ...]]: ...
    @overload
    def tap(
        self,
        func: Callable[[_T_co], object],
        chunk_size: None = None,
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> pipe[_T_co]: ...
    @overload
    def tap(
        self,
        func: Callable[[_list[_T_co]], object],
        chunk_size: SupportsIndex,
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> pipe[_T_co]: ...

    # terminals
    def list(self) -> _list[_T_co]: ...
    def tuple(self) -> _tuple[_T_co, ...]: ...
    def set(self) -> _set[_T_co]: ...
    @overload
    def dict(self: pipe[_tuple[_K, _V]]) -> _dict[_K, _V]: ...
    @overload
    def dict(self: pipe[_list[_S]]) -> _dict[_S, _S]: ...
    @overload
    def sum(self: pipe[bool], start: int = 0) -> int: ...
    @overload
    def sum(self: pipe[_Summable]) -> _T_co | Literal[0]: ...
    @overload
    def sum(self: pipe[SupportsAdd[Any, Any]], start: _Start) -> _T_co | _Start: ...
    @overload
    def min(self: pipe[SupportsRichComparison], *, key: None = None) -> _T_co: ...
    @overload
    def min(
        self: pipe[SupportsRichComparison], *, key: None = None, default: _D
    ) -> _T_co | _D: ...
    @overload
    def min(self, *, key: Callable[[_T_co], SupportsRichComparison]) -> _T_co: ...
    @overload
    def min(
        self, *, key: Callable[[_T_co], SupportsRichComparison], default: _D
    ) -> _T_co | _D: ...
    @overload
    def max(self: pipe[SupportsRichComparison], *, key: None = None) -> _T_co: ...
    @overload
    def max(
        self: pipe[SupportsRichComparison], *, key: None = None, default: _D
    ) -> _T_co | _D: ...
    @overload
    def max(self, *, key: Callable[[_T_co], SupportsRichComparison]) -> _T_co: ...
    @overload
    def max(
        self, *, key: Callable[[_T_co], SupportsRichComparison], default: _D
    ) -> _T_co | _D: ...
    def any(self) -> bool: ...
    def all(self) -> bool: ...
    def count(self) -> int: ...
    def frequencies(self) -> Counter[_T_co]: ...
    @overload
    def array(
        self: pipe[SupportsIndex],
        typecode: Literal["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"],
        /,
    ) -> _array[int]: ...
    @overload
    def array(
        self: pipe[SupportsFloat], typecode: Literal["f", "d"], /
    ) -> _array[float]: ...
    @overload
    def array(self: pipe[str], typecode: Literal["u"], /) -> _array[str]: ...
    @overload
    def array(self, typecode: str, /) -> _array[Any]: ...
    def join(self: pipe[str], sep: str = "", /) -> str: ...
    @overload
    def reduce(self: pipe[_S], func: Callable[[_S, _S], _S], /) -> _S: ...
    @overload
    def reduce(self, func: Callable[[_R, _T_co], _R], /, initial: _R) -> _R: ...
    @overload
    def first(self) -> _T_co: ...
    @overload
    def first(self, default: _D, /) -> _T_co | _D: ...
    @overload
    def last(self) -> _T_co: ...
    @overload
    def last(self, default: _D, /) -> _T_co | _D: ...
    @overload
    def nth(self, n: SupportsIndex, default: None = None) -> _T_co | None: ...
    @overload
    def nth(self, n: SupportsIndex, default: _D) -> _T_co | _D: ...
    def one(
        self, too_short: _Raised | None = None, too_long: _Raised | None = None
    ) -> _T_co: ...
    @overload
    def only(
        self, default: None = None, too_long: _Raised | None = None
    ) -> _T_co | None: ...
    @overload
    def only(self, default: _D, too_long: _Raised | None = None) -> _T_co | _D: ...
    @overload
    def first_true(
        self, default: None = None, pred: Callable[[_T_co], object] | None = None
    ) -> _T_co | None: ...
    @overload
    def first_true(
        self, default: _D, pred: Callable[[_T_co], object] | None = None
    ) -> _T_co | _D: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_T_co], _K],
        valuefunc: None = None,
        reducefunc: None = None,
    ) -> _dict[_K, _list[_T_co]]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_T_co], _K],
        valuefunc: None = None,
        *,
        reducefunc: Callable[[_list[_T_co]], _R],
    ) -> _dict[_K, _R]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_T_co], _K],
        valuefunc: None,
        reducefunc: Callable[[_list[_T_co]], _R],
    ) -> _dict[_K, _R]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_T_co], _K],
        valuefunc: Callable[[_T_co], _V],
        reducefunc: None = None,
    ) -> _dict[_K, _list[_V]]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_T_co], _K],
        valuefunc: Callable[[_T_co], _V],
        reducefunc: Callable[[_list[_V]], _R],
    ) -> _dict[_K, _R]: ...
    @overload
    def reduceby(
        self: pipe[_S],
        key: Callable[[_S], _K],
        binop: Callable[[_S, _S], _S],
        *,
        factory: None = None,
    ) -> _dict[_K, _S]: ...
    @overload
    def reduceby(
        self,
        key: Callable[[_T_co], _K],
        binop: Callable[[_R, _T_co], _R],
        init: _R,
        *,
        factory: None = None,
    ) -> _dict[_K, _R]: ...
    @overload
    def reduceby(
        self,
        key: Callable[[_T_co], _K],
        binop: Callable[[_R, _T_co], _R],
        *,
        factory: Callable[[], _R],
    ) -> _dict[_K, _R]: ...
    def for_each(self, func: Callable[[_T_co], object], /) -> None: ...
    def consume(self, n: SupportsIndex | None = None, /) -> None: ...
    def to(
        self,
        func: Callable[Concatenate[pipe[_T_co], _P], _R],
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _R: ...
    @overload
    def collect(self, first: Reducer[_T_co, _R], /) -> _tuple[_R]: ...
    @overload
    def collect(
        self, first: Reducer[_T_co, _R], second: Reducer[_T_co, _S], /
    ) -> _tuple[_R, _S]: ...
    @overload
    def collect(
        self,
        first: Reducer[_T_co, _R],
        second: Reducer[_T_co, _S],
        third: Reducer[_T_co, _V],
        /,
    ) -> _tuple[_R, _S, _V]: ...
    @overload
    def collect(self, *reducers: Reducer[_T_co, Any]) -> _tuple[Any, ...]: ...
    @overload
    def into(self, target: Reducer[_T_co, _R], /) -> _R: ...
    @overload
    def into(self, target: _Coroutine[_T_co, _R], /) -> _R: ...
    @overload
    def into(self, target: fold[_R], /) -> _R: ...
    @overload
    def into(self, target: grouping[Any, Any], /) -> Any: ...
    @overload
    def into(self, target: Generator[Any, _T_co, _R], /) -> _R | None: ...
    @overload
    def into(self, target: _Sink[_T_co], /) -> Any: ...

@final
class Pipeline(Generic[_In, _Out]):
    def __new__(cls) -> Pipeline[_In, _In]: ...
    def __call__(self, source: Iterable[_In], /) -> pipe[_Out]: ...
    def explain(self) -> str: ...
    def check_pickle(
        self, dumps: Callable[[_tuple[Any, ...]], object] | None = None
    ) -> None: ...
    @overload
    def __or__(self, other: Pipeline[_Out, _S], /) -> Pipeline[_In, _S]: ...
    @overload
    def __or__(self, other: Reducer[_Out, _R], /) -> Reducer[_In, _R]: ...
    def __ror__(self, other: Never, /) -> Never: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    __array_ufunc__: None

    # stages
    def map(self, func: Callable[[_Out], _S], /) -> Pipeline[_In, _S]: ...
    def starmap(
        self: Pipeline[_In, _tuple[*_Ts]], func: Callable[[*_Ts], _S], /
    ) -> Pipeline[_In, _S]: ...
    @overload
    def filter(self: Pipeline[_In, _S | None], pred: None, /) -> Pipeline[_In, _S]: ...
    @overload
    def filter(self, pred: Expression, /) -> Pipeline[_In, _Out]: ...
    @overload
    def filter(self, pred: Callable[[_Out], TypeGuard[_S]], /) -> Pipeline[_In, _S]: ...
    @overload
    def filter(self, pred: Callable[[_Out], TypeIs[_S]], /) -> Pipeline[_In, _S]: ...
    @overload
    def filter(self, pred: Callable[[_Out], object], /) -> Pipeline[_In, _Out]: ...
    def filterfalse(
        self, pred: Callable[[_Out], object] | None, /
    ) -> Pipeline[_In, _Out]: ...
    def filter_map(self, func: Callable[[_Out], _S | None], /) -> Pipeline[_In, _S]: ...
    def flat_map(
        self, func: Callable[[_Out], Iterable[_S]], /
    ) -> Pipeline[_In, _S]: ...
    def flatten(self: Pipeline[_In, Iterable[_S]]) -> Pipeline[_In, _S]: ...
    def enumerate(
        self, start: SupportsIndex = 0
    ) -> Pipeline[_In, _tuple[int, _Out]]: ...
    @overload
    def accumulate(
        self, func: None = None, *, initial: None = None
    ) -> Pipeline[_In, _Out]: ...
    @overload
    def accumulate(
        self, func: None = None, *, initial: _S
    ) -> Pipeline[_In, _Out | _S]: ...
    @overload
    def accumulate(
        self: Pipeline[_In, _S], func: Callable[[_S, _S], _S], *, initial: None = None
    ) -> Pipeline[_In, _S]: ...
    @overload
    def accumulate(
        self, func: Callable[[_R, _Out], _R], *, initial: _R
    ) -> Pipeline[_In, _R]: ...
    @overload
    def pluck(
        self, ind: _list[Any], default: object = ...
    ) -> Pipeline[_In, _tuple[Any, ...]]: ...
    @overload
    def pluck(self, ind: object, default: object = ...) -> Pipeline[_In, Any]: ...
    def intersperse(self, e: _S, n: SupportsIndex = 1) -> Pipeline[_In, _Out | _S]: ...
    def takewhile(self, pred: Callable[[_Out], object], /) -> Pipeline[_In, _Out]: ...
    def takewhile_inclusive(
        self, pred: Callable[[_Out], object], /
    ) -> Pipeline[_In, _Out]: ...
    def dropwhile(self, pred: Callable[[_Out], object], /) -> Pipeline[_In, _Out]: ...
    def unique_everseen(
        self,
        key: Callable[[_Out], object] | None = None,
        *,
        maxlen: SupportsIndex | None = None,
    ) -> Pipeline[_In, _Out]: ...
    def unique_justseen(
        self, key: Callable[[_Out], object] | None = None
    ) -> Pipeline[_In, _Out]: ...
    def locate(self, pred: Callable[[_Out], object] = ...) -> Pipeline[_In, int]: ...
    def take(self, n: SupportsIndex) -> Pipeline[_In, _Out]: ...
    def drop(self, n: SupportsIndex) -> Pipeline[_In, _Out]: ...
    def tail(self, n: SupportsIndex) -> Pipeline[_In, _Out]: ...
    @overload
    def islice(self, stop: SupportsIndex | None, /) -> Pipeline[_In, _Out]: ...
    @overload
    def islice(
        self,
        start: SupportsIndex | None,
        stop: SupportsIndex | None,
        step: SupportsIndex | None = None,
        /,
    ) -> Pipeline[_In, _Out]: ...
    def batched(
        self, n: SupportsIndex, *, strict: bool = False
    ) -> Pipeline[_In, _tuple[_Out, ...]]: ...
    def chunked(
        self, n: SupportsIndex | None, strict: bool = False
    ) -> Pipeline[_In, _list[_Out]]: ...
    @overload
    def windowed(
        self, n: SupportsIndex, fillvalue: None = None, step: SupportsIndex = 1
    ) -> Pipeline[_In, _tuple[_Out | None, ...]]: ...
    @overload
    def windowed(
        self, n: SupportsIndex, fillvalue: _S, step: SupportsIndex = 1
    ) -> Pipeline[_In, _tuple[_Out | _S, ...]]: ...
    def sliding_window(self, n: SupportsIndex) -> Pipeline[_In, _tuple[_Out, ...]]: ...
    def pairwise(self) -> Pipeline[_In, _tuple[_Out, _Out]]: ...
    def split_at(
        self,
        pred: Callable[[_Out], object],
        maxsplit: SupportsIndex = -1,
        keep_separator: bool = False,
    ) -> Pipeline[_In, _list[_Out]]: ...
    def split_before(
        self, pred: Callable[[_Out], object], maxsplit: SupportsIndex = -1
    ) -> Pipeline[_In, _list[_Out]]: ...
    def split_after(
        self, pred: Callable[[_Out], object], maxsplit: SupportsIndex = -1
    ) -> Pipeline[_In, _list[_Out]]: ...
    def split_when(
        self, pred: Callable[[_Out, _Out], object], maxsplit: SupportsIndex = -1
    ) -> Pipeline[_In, _list[_Out]]: ...
    def collapse(
        self,
        base_type: _ClassInfo | None = None,
        levels: SupportsIndex | None = None,
    ) -> Pipeline[_In, Any]: ...
    @overload
    def groupby(self, key: None = None) -> Pipeline[_In, _tuple[_Out, _list[_Out]]]: ...
    @overload
    def groupby(
        self, key: Callable[[_Out], _K]
    ) -> Pipeline[_In, _tuple[_K, _list[_Out]]]: ...
    def chain(
        self, *iterables: Iterable[_S] | Callable[[], Iterable[_S]]
    ) -> Pipeline[_In, _Out | _S]: ...
    def prepend(
        self, *iterables: Iterable[_S] | Callable[[], Iterable[_S]]
    ) -> Pipeline[_In, _Out | _S]: ...
    @overload
    def catch(
        self,
        *exceptions: type[BaseException],
        do: Callable[[Failure], object] | None = None,
        stop: bool = False,
    ) -> Pipeline[_In, _Out]: ...
    @overload
    def catch(
        self,
        *exceptions: type[BaseException],
        do: Callable[[Failure], object] | None = None,
        replace: Callable[[Failure], _S],
        stop: bool = False,
    ) -> Pipeline[_In, _Out | _S]: ...
    def map_except(
        self, func: Callable[[_Out], _S], /, *exceptions: type[BaseException]
    ) -> Pipeline[_In, _S]: ...
    def progress(
        self, *, total: SupportsIndex | None = None, **tqdm_kwargs: Any
    ) -> Pipeline[_In, _Out]: ...
    def on_close(self, func: Callable[[], object], /) -> Pipeline[_In, _Out]: ...
    def through(
        self,
        func: Callable[Concatenate[pipe[_Out], _P], Iterable[_S]],
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Pipeline[_In, _S]: ...
    @overload
    def zip(self, *, strict: bool = False) -> Pipeline[_In, _tuple[_Out]]: ...
    @overload
    def zip(
        self,
        a: Iterable[_1] | Callable[[], Iterable[_1]],
        /,
        *,
        strict: bool = False,
    ) -> Pipeline[_In, _tuple[_Out, _1]]: ...
    @overload
    def zip(
        self,
        a: Iterable[_1] | Callable[[], Iterable[_1]],
        b: Iterable[_2] | Callable[[], Iterable[_2]],
        /,
        *,
        strict: bool = False,
    ) -> Pipeline[_In, _tuple[_Out, _1, _2]]: ...
    @overload
    def zip(
        self,
        a: Iterable[_1] | Callable[[], Iterable[_1]],
        b: Iterable[_2] | Callable[[], Iterable[_2]],
        c: Iterable[_3] | Callable[[], Iterable[_3]],
        /,
        *iterables: Iterable[Any] | Callable[[], Iterable[Any]],
        strict: bool = False,
    ) -> Pipeline[_In, _tuple[Any, ...]]: ...
    @overload
    def tap(
        self,
        func: Callable[[_Out], object],
        chunk_size: None = None,
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> Pipeline[_In, _Out]: ...
    @overload
    def tap(
        self,
        func: Callable[[_list[_Out]], object],
        chunk_size: SupportsIndex,
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> Pipeline[_In, _Out]: ...

    # terminals
    def list(self) -> Reducer[_In, _list[_Out]]: ...
    def tuple(self) -> Reducer[_In, _tuple[_Out, ...]]: ...
    def set(self) -> Reducer[_In, _set[_Out]]: ...
    @overload
    def dict(self: Pipeline[_In, _tuple[_K, _V]]) -> Reducer[_In, _dict[_K, _V]]: ...
    @overload
    def dict(self: Pipeline[_In, _list[_S]]) -> Reducer[_In, _dict[_S, _S]]: ...
    @overload
    def sum(self: Pipeline[_In, bool], start: int = 0) -> Reducer[_In, int]: ...
    @overload
    def sum(self: Pipeline[_In, _Summable]) -> Reducer[_In, _Out | Literal[0]]: ...
    @overload
    def sum(
        self: Pipeline[_In, SupportsAdd[Any, Any]], start: _Start
    ) -> Reducer[_In, _Out | _Start]: ...
    @overload
    def min(
        self: Pipeline[_In, SupportsRichComparison], *, key: None = None
    ) -> Reducer[_In, _Out]: ...
    @overload
    def min(
        self: Pipeline[_In, SupportsRichComparison], *, key: None = None, default: _D
    ) -> Reducer[_In, _Out | _D]: ...
    @overload
    def min(
        self, *, key: Callable[[_Out], SupportsRichComparison]
    ) -> Reducer[_In, _Out]: ...
    @overload
    def min(
        self, *, key: Callable[[_Out], SupportsRichComparison], default: _D
    ) -> Reducer[_In, _Out | _D]: ...
    @overload
    def max(
        self: Pipeline[_In, SupportsRichComparison], *, key: None = None
    ) -> Reducer[_In, _Out]: ...
    @overload
    def max(
        self: Pipeline[_In, SupportsRichComparison], *, key: None = None, default: _D
    ) -> Reducer[_In, _Out | _D]: ...
    @overload
    def max(
        self, *, key: Callable[[_Out], SupportsRichComparison]
    ) -> Reducer[_In, _Out]: ...
    @overload
    def max(
        self, *, key: Callable[[_Out], SupportsRichComparison], default: _D
    ) -> Reducer[_In, _Out | _D]: ...
    def any(self) -> Reducer[_In, bool]: ...
    def all(self) -> Reducer[_In, bool]: ...
    def count(self) -> Reducer[_In, int]: ...
    def frequencies(self) -> Reducer[_In, Counter[_Out]]: ...
    @overload
    def array(
        self: Pipeline[_In, SupportsIndex],
        typecode: Literal["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"],
        /,
    ) -> Reducer[_In, _array[int]]: ...
    @overload
    def array(
        self: Pipeline[_In, SupportsFloat], typecode: Literal["f", "d"], /
    ) -> Reducer[_In, _array[float]]: ...
    @overload
    def array(
        self: Pipeline[_In, str], typecode: Literal["u"], /
    ) -> Reducer[_In, _array[str]]: ...
    @overload
    def array(self, typecode: str, /) -> Reducer[_In, _array[Any]]: ...
    def join(self: Pipeline[_In, str], sep: str = "", /) -> Reducer[_In, str]: ...
    @overload
    def reduce(
        self: Pipeline[_In, _S], func: Callable[[_S, _S], _S], /
    ) -> Reducer[_In, _S]: ...
    @overload
    def reduce(
        self, func: Callable[[_R, _Out], _R], /, initial: _R
    ) -> Reducer[_In, _R]: ...
    @overload
    def first(self) -> Reducer[_In, _Out]: ...
    @overload
    def first(self, default: _D, /) -> Reducer[_In, _Out | _D]: ...
    @overload
    def last(self) -> Reducer[_In, _Out]: ...
    @overload
    def last(self, default: _D, /) -> Reducer[_In, _Out | _D]: ...
    def for_each(self, func: Callable[[_Out], object], /) -> Reducer[_In, None]: ...
    def consume(self, n: SupportsIndex | None = None, /) -> Reducer[_In, None]: ...
    def to(
        self,
        func: Callable[Concatenate[pipe[_Out], _P], _R],
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Reducer[_In, _R]: ...
    @overload
    def collect(self, first: Reducer[_Out, _R], /) -> Reducer[_In, _tuple[_R]]: ...
    @overload
    def collect(
        self, first: Reducer[_Out, _R], second: Reducer[_Out, _S], /
    ) -> Reducer[_In, _tuple[_R, _S]]: ...
    @overload
    def collect(
        self,
        first: Reducer[_Out, _R],
        second: Reducer[_Out, _S],
        third: Reducer[_Out, _V],
        /,
    ) -> Reducer[_In, _tuple[_R, _S, _V]]: ...
    @overload
    def collect(
        self, *reducers: Reducer[_Out, Any]
    ) -> Reducer[_In, _tuple[Any, ...]]: ...
    @overload
    def first_true(
        self, default: None = None, pred: Callable[[_Out], object] | None = None
    ) -> Reducer[_In, _Out | None]: ...
    @overload
    def first_true(
        self, default: _D, pred: Callable[[_Out], object] | None = None
    ) -> Reducer[_In, _Out | _D]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_Out], _K],
        valuefunc: None = None,
        reducefunc: None = None,
    ) -> Reducer[_In, _dict[_K, _list[_Out]]]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_Out], _K],
        valuefunc: None = None,
        *,
        reducefunc: Callable[[_list[_Out]], _R],
    ) -> Reducer[_In, _dict[_K, _R]]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_Out], _K],
        valuefunc: None,
        reducefunc: Callable[[_list[_Out]], _R],
    ) -> Reducer[_In, _dict[_K, _R]]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_Out], _K],
        valuefunc: Callable[[_Out], _V],
        reducefunc: None = None,
    ) -> Reducer[_In, _dict[_K, _list[_V]]]: ...
    @overload
    def map_reduce(
        self,
        keyfunc: Callable[[_Out], _K],
        valuefunc: Callable[[_Out], _V],
        reducefunc: Callable[[_list[_V]], _R],
    ) -> Reducer[_In, _dict[_K, _R]]: ...
    @overload
    def nth(
        self, n: SupportsIndex, default: None = None
    ) -> Reducer[_In, _Out | None]: ...
    @overload
    def nth(self, n: SupportsIndex, default: _D) -> Reducer[_In, _Out | _D]: ...
    def one(
        self, too_short: _Raised | None = None, too_long: _Raised | None = None
    ) -> Reducer[_In, _Out]: ...
    @overload
    def only(
        self, default: None = None, too_long: _Raised | None = None
    ) -> Reducer[_In, _Out | None]: ...
    @overload
    def only(
        self, default: _D, too_long: _Raised | None = None
    ) -> Reducer[_In, _Out | _D]: ...
    @overload
    def reduceby(
        self: Pipeline[_In, _S],
        key: Callable[[_S], _K],
        binop: Callable[[_S, _S], _S],
        *,
        factory: None = None,
    ) -> Reducer[_In, _dict[_K, _S]]: ...
    @overload
    def reduceby(
        self,
        key: Callable[[_Out], _K],
        binop: Callable[[_R, _Out], _R],
        init: _R,
        *,
        factory: None = None,
    ) -> Reducer[_In, _dict[_K, _R]]: ...
    @overload
    def reduceby(
        self,
        key: Callable[[_Out], _K],
        binop: Callable[[_R, _Out], _R],
        *,
        factory: Callable[[], _R],
    ) -> Reducer[_In, _dict[_K, _R]]: ...

    # the push driver
    @overload
    def into(self, sink: Reducer[_Out, _R], /) -> _Coroutine[_In, _R]: ...
    @overload
    def into(self, sink: _Coroutine[_Out, _R], /) -> _Coroutine[_In, _R]: ...
    @overload
    def into(self, sink: fold[_R], /) -> _Coroutine[_In, _R]: ...
    @overload
    def into(self, sink: Generator[Any, _Out, _R], /) -> _Coroutine[_In, _R | None]: ...
    @overload
    def into(self, sink: _Sink[_Out], /) -> _Coroutine[_In, Any]: ...

# What Pipeline.into() and Reducer.push() return.
@final
@type_check_only
class _Coroutine(_Push, Generic[_T_contra, _R_co]):
    @property
    def result(self) -> _R_co | None: ...
    def send(self, item: _T_contra, /) -> int: ...
    def close(self) -> _R_co: ...
    def stats(self) -> _Stats: ...
    def profile(self) -> _Stats: ...
    def __next__(self) -> Any: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class Reducer(Generic[_T_contra, _R_co]):
    def __call__(self, source: Iterable[_T_contra], /) -> _R_co: ...
    def push(self) -> _Coroutine[_T_contra, _R_co]: ...
    def explain(self) -> str: ...
    def check_pickle(
        self, dumps: Callable[[_tuple[Any, ...]], object] | None = None
    ) -> None: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

# -- sources -----------------------------------------------------------------

def read_lines(
    *paths: StrPath | IO[str],
    encoding: str = "utf-8",
    errors: str = "strict",
    keepends: bool = False,
    opener: Callable[..., Any] = ...,
    missing: Literal["raise", "skip"] = "raise",
) -> pipe[str]: ...
def iterate(func: Callable[[_T], _T], start: _T) -> pipe[_T]: ...
@overload
def iter_except(
    function: Callable[[], _T],
    exception: type[BaseException] | tuple[type[BaseException], ...],
    first: None = None,
) -> pipe[_T]: ...
@overload
def iter_except(
    function: Callable[[], _T],
    exception: type[BaseException] | tuple[type[BaseException], ...],
    first: Callable[[], _S],
) -> pipe[_T | _S]: ...
@overload
def always_iterable(obj: None, base_type: Any = ...) -> pipe[Never]: ...
@overload
def always_iterable(obj: str) -> pipe[str]: ...
@overload
def always_iterable(obj: bytes) -> pipe[bytes]: ...
@overload
def always_iterable(obj: Iterable[_T]) -> pipe[_T]: ...
@overload
def always_iterable(obj: _T) -> pipe[_T]: ...
@overload
def always_iterable(obj: object, base_type: _ClassInfo | None = ...) -> pipe[Any]: ...
def with_iter(
    context_manager: AbstractContextManager[Iterable[_T], Any],
) -> pipe[_T]: ...
@overload
def buffer(obj: bytes | bytearray, /) -> pipe[int]: ...
@overload
def buffer(obj: _array[int], /) -> pipe[int]: ...
@overload
def buffer(obj: _array[float], /) -> pipe[float]: ...
@overload
def buffer(obj: _array[str], /) -> pipe[str]: ...
@overload
def buffer(obj: memoryview[_T], /) -> pipe[_T]: ...
@overload
def buffer(obj: Buffer, /) -> pipe[Any]: ...

# -- stages as functions -------------------------------------------------------

def iter_suppress(
    iterable: Iterable[_T], *exceptions: type[BaseException]
) -> pipe[_T]: ...
def map_except(
    function: Callable[[_T], _S],
    iterable: Iterable[_T],
    *exceptions: type[BaseException],
) -> pipe[_S]: ...
@overload
def side_effect(
    func: Callable[[_T], object],
    iterable: Iterable[_T],
    chunk_size: None = None,
    before: Callable[[], object] | None = None,
    after: Callable[[], object] | None = None,
) -> pipe[_T]: ...
@overload
def side_effect(
    func: Callable[[list[_T]], object],
    iterable: Iterable[_T],
    chunk_size: SupportsIndex,
    before: Callable[[], object] | None = None,
    after: Callable[[], object] | None = None,
) -> pipe[_T]: ...
