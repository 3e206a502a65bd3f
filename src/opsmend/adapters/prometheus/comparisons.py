"""What a rule compares, read from its PromQL: a value a replica with a limit, or replicas with the most there may be.

A value a replica has two forms: a shared load divided by a number of replicas, and an average of a load over the pods. Both
count only for loads of which a replica has less when there are more of them: requests, work in flight, CPU; not memory, errors
or latencies.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import promql_parser as promql
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatchOp,
    NumberLiteral,
    ParenExpr,
    UnaryExpr,
    VectorSelector,
)

_ABOVE: Final = {">": False, ">=": True}
_BELOW: Final = {"<": ">", "<=": ">="}
_REACHES: Final = frozenset({"==", ">=", "<="})
_MAXIMUM: Final = re.compile(r"max_replicas$")
"""`kube_horizontalpodautoscaler_spec_max_replicas`, and `kube_hpa_spec_max_replicas` of old."""
_RATES: Final = frozenset({"rate", "irate", "increase", "deriv", "idelta", "delta"})
_PER_SECOND: Final = frozenset({"rate", "irate", "deriv"})
_PASSES_ON: Final = frozenset({"scalar", "clamp_min", "clamp_max", "round"})
"""Functions that leave a number of replicas one."""
_REPLICAS: Final = re.compile(r"(^|[_:])replicas([_:]|$)")
"""`kube_deployment_status_replicas_available`, `kube_statefulset_replicas`, and what recording rules make of them."""
_ONE_A_POD: Final = frozenset(
    {"up", "kube_pod_info", "kube_pod_status_ready", "kube_pod_status_phase", "kube_pod_container_status_running"}
)
"""Series whose sum over a workload is its number of pods."""
_NO_LOAD: Final = re.compile(
    r"(?i)^kube_|memory|heap|rss|working_set|bucket|quantile|latency|duration_seconds(_sum|$)|error|fail|exception|drop|reject"
    r"|restart|throttl|uptime|temperature|ratio|percent|capacity|limit"
)
"""What more replicas do not share: what each has for itself, what goes wrong, and how long things take."""
_WAITING_WORK: Final = re.compile(
    r"(?i)in_?flight|queue|backlog|pending|lag|requests|connections|sessions|messages|jobs|tasks|workers_busy|concurrency"
)
"""Gauges of work that replicas take from each other."""
_RECORDED_RATE: Final = re.compile(r"(?i):rate|_rate|per_second|\b[rq]ps\b|_[rq]ps")
_STATUS_LABEL: Final = re.compile(r"(?i)(^|_)(code|status|status_code|class|result|outcome)$")
_BAD_STATUS: Final = re.compile(r"(?i)^[\^(]*[45]|err|fail")


@dataclass(frozen=True)
class Comparison:
    """Parts of a rule's expression, as PromQL again. One of `replicas` and `each` is set."""

    value: str
    """What is compared: a value a replica."""
    limit: float
    inclusive: bool
    replicas: str = ""
    """By what was divided."""
    each: str = ""
    """Of what the average was taken: a series a pod."""
    unit: str = ""


def find_comparison(query: str) -> Comparison | None:
    """None for a rule that is of another form, or that the parser does not know."""
    try:
        expression = promql.parse(query)
    except ValueError:
        return None
    return next((found for found in map(_comparison, _conditions(expression)) if found), None)


def compares_with_maximum(query: str) -> bool:
    """Whether it holds as long as an autoscaler uses all the replicas that it may choose, wanting more or not."""
    try:
        conditions = list(_conditions(promql.parse(query)))
    except ValueError:
        return False
    if any(_is_about_wanting(selector) for condition in conditions for selector in _selectors(condition)):
        return False
    reached = [condition for condition in conditions if str(condition.op) in _REACHES]
    return any(_MAXIMUM.search(selector.name or "") for condition in reached for selector in _selectors(condition))


def _is_about_wanting(selector: VectorSelector) -> bool:
    return any(matcher.value == "ScalingLimited" for matcher in selector.matchers.matchers)


def _conditions(expression: Expr) -> Iterator[BinaryExpr]:
    """The comparisons of which all must hold."""
    expression = _bare(expression)
    if not isinstance(expression, BinaryExpr):
        return
    if str(expression.op) in ("and", "unless"):
        yield from _conditions(expression.lhs)
        if str(expression.op) == "and":
            yield from _conditions(expression.rhs)
    else:
        yield expression


def _comparison(condition: BinaryExpr) -> Comparison | None:
    operator, value, bound = str(condition.op), condition.lhs, condition.rhs
    if operator in _BELOW:
        operator, value, bound = _BELOW[operator], bound, value
    limit = _number(bound)
    if operator not in _ABOVE or limit is None or limit <= 0:
        return None
    return _per_replica(value, limit, inclusive=_ABOVE[operator])


def _per_replica(value: Expr, limit: float, *, inclusive: bool) -> Comparison | None:
    inner, scaled = _without_factor(value)
    if isinstance(inner, BinaryExpr) and str(inner.op) == "/":
        load, divisor = _bare(inner.lhs), _bare(inner.rhs)
        if _is_shared(load) and _counts_replicas(divisor):
            unit = "" if scaled else _unit(load)
            return Comparison(str(value), limit, inclusive, replicas=str(_vector(divisor)), unit=unit)
    if isinstance(inner, AggregateExpr) and str(inner.op) == "avg" and not scaled and _is_shared(inner.expr):
        return Comparison(str(value), limit, inclusive, each=str(inner.expr), unit=_unit(inner.expr))
    return None


def _without_factor(expression: Expr) -> tuple[Expr, bool]:
    """What is multiplied with or divided by a constant, and whether it was."""
    expression = _bare(expression)
    if isinstance(expression, BinaryExpr) and str(expression.op) in ("*", "/"):
        if _number(expression.rhs) is not None:
            return _without_factor(expression.lhs)[0], True
        if str(expression.op) == "*" and _number(expression.lhs) is not None:
            return _without_factor(expression.rhs)[0], True
    return expression, False


def _number(expression: Expr) -> float | None:
    """The value of an expression of numbers alone."""
    expression = _bare(expression)
    if isinstance(expression, NumberLiteral):
        return expression.val
    if isinstance(expression, UnaryExpr):
        inner = _number(expression.expr)
        return None if inner is None else -inner
    if not isinstance(expression, BinaryExpr):
        return None
    left, right = _number(expression.lhs), _number(expression.rhs)
    if left is None or right is None:
        return None
    match str(expression.op):
        case "*":
            return left * right
        case "/" if right:
            return left / right
        case "+":
            return left + right
        case "-":
            return left - right
    return None


def _bare(expression: Expr) -> Expr:
    while isinstance(expression, ParenExpr):
        expression = expression.expr
    return expression


def _counts_replicas(expression: Expr) -> bool:
    """Whether it can be a number of replicas. Whether it is one is decided by its value."""
    expression = _bare(expression)
    if isinstance(expression, Call):
        return expression.func.name in _PASSES_ON and any(map(_counts_replicas, expression.args))
    if isinstance(expression, AggregateExpr):
        inner = _bare(expression.expr)
        if str(expression.op) in ("count", "group"):
            return True
        one_a_pod = str(expression.op) == "sum" and isinstance(inner, VectorSelector) and inner.name in _ONE_A_POD
        return one_a_pod or _counts_replicas(inner)
    return isinstance(expression, VectorSelector) and bool(_REPLICAS.search(expression.name or ""))


def _vector(expression: Expr) -> Expr:
    """What a scalar was made of, for an answer tells nothing about a scalar."""
    expression = _bare(expression)
    while isinstance(expression, Call) and expression.func.name == "scalar":
        expression = _bare(expression.args[0])
    return expression


def _is_shared(expression: Expr) -> bool:
    selectors, calls = _selectors(expression), _calls(expression)
    names = [selector.name or "" for selector in selectors]
    if not selectors or "histogram_quantile" in calls or any(map(_NO_LOAD.search, names)):
        return False
    if any(_is_about_failures(selector) for selector in selectors):
        return False
    return bool(calls & _RATES) or all(_WAITING_WORK.search(name) or _RECORDED_RATE.search(name) for name in names)


def _is_about_failures(selector: VectorSelector) -> bool:
    return any(
        _STATUS_LABEL.search(matcher.name) and _BAD_STATUS.search(matcher.value)
        for matcher in selector.matchers.matchers
        if matcher.op in (MatchOp.Equal, MatchOp.Re)
    )


def _unit(expression: Expr) -> str:
    """Empty where arithmetic may have turned it into another."""
    if any(isinstance(node, BinaryExpr) for node in _nodes(expression)):
        return ""
    cores = any("cpu_usage_seconds" in (selector.name or "") for selector in _selectors(expression))
    return " cores" if cores else "/s" if _calls(expression) & _PER_SECOND else ""


def _selectors(expression: Expr) -> list[VectorSelector]:
    return [node for node in _nodes(expression) if isinstance(node, VectorSelector)]


def _calls(expression: Expr) -> set[str]:
    return {node.func.name for node in _nodes(expression) if isinstance(node, Call)}


def _nodes(expression: Expr) -> list[Expr]:
    found: list[Expr] = []

    def keep(node: Expr) -> None:
        found.append(node)
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)

    promql.walk(expression, keep)
    return found
