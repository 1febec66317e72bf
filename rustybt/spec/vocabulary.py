"""The words of Polars' expression tree, sorted by what they may do with the order of rows.

Only words listed here are known. A word that is missing (a later Polars may add one) is refused by the guard, never guessed.
Names are dotted: ``Boolean.IsNull`` is the node ``{"Boolean": "IsNull"}``.
"""

from __future__ import annotations


def _words(group: str, names: str) -> frozenset[str]:
    return frozenset(f"{group}.{name}" if group else name for name in names.split())


GROUPS = _words(
    "",
    """
    ArrayExpr BinaryExpr Bitwise Boolean Business Categorical Extension FillNullWithStrategy ListExpr MapExpr Pow Range StringExpr
    StructExpr TemporalExpr Trigonometry
    """,
)
"""Function nodes whose value names the operation."""

LEAVES = frozenset({"Column", "Literal", "Selector", "Field", "Element"})
"""Nodes without children that give one value per row (or a constant)."""

TRANSPARENT = frozenset({"Alias", "KeepName", "RenameAlias", "Cast", "BinaryExpr", "Ternary", "StructEval"})
"""Nodes that combine the values of one row."""

OPAQUE = _words(
    "",
    """
    AnonymousFunction AnonymousAgg FfiPlugin FoldHorizontal ReduceHorizontal CumReduceHorizontal CumFoldHorizontal PipeWithDtype
    SubPlan
    """,
)
"""Nodes that run code which the tree does not show."""

ORDERED = _words(
    "",
    """
    Shift ShiftAndFill Diff PctChange RollingExpr RollingExprBy FillNullWithStrategy.Forward FillNullWithStrategy.Backward CumSum
    CumProd CumMin CumMax CumCount EwmMean EwmStd EwmVar EwmSum EwmMeanBy EwmSumBy RLEID RLE Interpolate InterpolateBy PeakMax
    PeakMin Rolling Eval.Cumulative
    """,
)
"""Operations that walk along rows: on a cross-section they would walk from asset to asset."""


ROW_BY_ROW = (
    _words(
        "",
        """
    Abs AsStruct Atan2 Ceil Clip Coalesce Cut Erf Erfc Exp FillNull Floor Hash Log Log1p LowerBound MaxHorizontal MeanHorizontal
    MinHorizontal Negate Reinterpret RepeatBy Replace ReplaceStrict Round RoundSF SetSortedFlag Sign SumHorizontal ToPhysical
    Truncate UpperBound
    """,
    )
    | _words("FillNullWithStrategy", "Zero One MinBound MaxBound")
    | _words("Pow", "Cbrt Generic Sqrt")
    | _words(
        "Trigonometry",
        """
    ArcCos ArcCosh ArcSin ArcSinh ArcTan ArcTanh Cos Cosh Cot Degrees Radians Sin Sinh Tan Tanh
    """,
    )
    | _words("Bitwise", "CountOnes CountZeros LeadingOnes LeadingZeros TrailingOnes TrailingZeros")
    | _words(
        "Boolean",
        """
    AllHorizontal AnyHorizontal IsBetween IsClose IsFinite IsIn IsInfinite IsNan IsNotNan IsNotNull IsNull Not
    """,
    )
    | _words("Business", "AddBusinessDay BusinessDayCount IsBusinessDay")
    | _words("Categorical", "EndsWith LenBytes LenChars Physical Slice StartsWith")
    | _words(
        "BinaryExpr",
        """
    Base64Decode Base64Encode Contains EndsWith Get Head HexDecode HexEncode Size Slice StartsWith Tail
    """,
    )
    | _words("MapExpr", "ContainsKey Entries Get Keys Length Values")
    | _words("Range", "DateRanges DatetimeRanges IntRanges LinearSpaces TimeRanges")
    | _words(
        "ArrayExpr",
        """
    ArgMax ArgMin Concat Contains CountMatches Dot Get Join Length Max Mean Median Min Shift Slice Sort Std Sum ToList ToStruct
    Var
    """,
    )
    | _words(
        "ListExpr",
        """
    ArgMax ArgMin Concat Contains CountMatches Diff DropNulls Gather GatherEvery Get Join Length Max Mean Median Min SetOperation
    Shift Slice Sort Std Sum ToArray ToMap ToStruct Var
    """,
    )
    | _words(
        "StringExpr",
        """
    Base64Decode Base64Encode ConcatHorizontal Contains ContainsAny CountMatches EndsWith EscapeRegex Extract ExtractAll
    ExtractGroups ExtractMany Find FindMany Format Head HexDecode HexEncode JsonDecode JsonPathMatch LenBytes LenChars Lowercase
    Normalize PadEnd PadStart Replace ReplaceMany Reverse Slice Split SplitExact SplitN StartsWith StripChars StripCharsEnd
    StripCharsStart StripPrefix StripSuffix Strptime Tail Titlecase ToDecimal ToInteger Uppercase ZFill
    """,
    )
    | _words(
        "StructExpr",
        """
    Drop FieldByName JsonEncode MapFieldNames PrefixFields RenameFields SelectFields SuffixFields
    """,
    )
    | _words(
        "TemporalExpr",
        """
    BaseUtcOffset CastTimeUnit Century Combine ConvertTimeZone DSTOffset Date DatetimeFunction Day DaysInMonth Hour IsLeapYear
    IsoYear Microsecond Millennium Millisecond Minute Month MonthEnd MonthStart Nanosecond OffsetBy OrdinalDay Quarter Replace
    ReplaceTimeZone Round Second Time TimeStamp ToString TotalDays TotalHours TotalMicroseconds TotalMilliseconds TotalMinutes
    TotalNanoseconds TotalSeconds Truncate Week WeekDay Year
    """,
    )
)
"""Functions whose value in a row depends on that row alone."""

WHOLE = _words(
    "",
    """
    Append ApproxNUnique ApproxQuantile ArgMax ArgMin ArgSort ArgUnique ArgWhere ArrayExpr.Explode Bin Bitwise.And Bitwise.Or
    Bitwise.Xor Boolean.All Boolean.Any Boolean.HasNulls Boolean.IsDuplicated Boolean.IsEmpty Boolean.IsFirstDistinct
    Boolean.IsLastDistinct Boolean.IsSorted Boolean.IsUnique Correlation DropNans DropNulls Entropy ExtendConstant
    FillNullWithStrategy.Max FillNullWithStrategy.Mean FillNullWithStrategy.Min GatherEvery Hist IndexOf Kurtosis MaxBy MinBy Mode
    NullCount Product QCut Quantile Range.DateRange Range.DatetimeRange Range.IntRange Range.LinearSpace Range.TimeRange Rank
    Repeat Reshape Reverse SearchSorted Skew StringExpr.ConcatVertical TopK TopKBy Unique UniqueCounts ValueCounts
    """,
)
"""Functions that read or reorder a whole group: right on a cross-section, look-ahead along time."""

COMPARISONS = _words("", "Eq EqValidity NotEq NotEqValidity Lt LtEq Gt GtEq And Or Xor LogicalAnd LogicalOr")
"""Binary operators whose result is a truth value."""

HORIZONTAL = _words(
    "", "MaxHorizontal MinHorizontal SumHorizontal MeanHorizontal Coalesce AsStruct Boolean.AllHorizontal Boolean.AnyHorizontal"
)
"""Functions that take their inputs side by side; a selector among the inputs stands for several of them."""
