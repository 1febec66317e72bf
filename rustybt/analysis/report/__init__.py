"""A run, or a study of many runs, as one HTML page that works offline, and as a small block for a notebook.

In: `ReportInputs`, plain frames and mappings, so that any engine or a saved run directory can fill it. Out: HTML text; writing it to a
file is the caller's work. The same inputs give the same bytes. To add a part: a builder in `charts.py` or `tables.py`, one line in
`page.py`, and its place in `assets/page.html.j2`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.analysis.report.inputs import ReportInputs
    from rustybt.analysis.report.notebook import plotly_figures
    from rustybt.analysis.report.page import render
    from rustybt.analysis.report.study import Chart, Section, StudyInputs, render_study, study_block
    from rustybt.analysis.report.summary import summary_html
else:
    lazily(
        __name__,
        {
            "inputs": ("ReportInputs",),
            "notebook": ("plotly_figures",),
            "page": ("render",),
            "study": ("Chart", "Section", "StudyInputs", "render_study", "study_block"),
            "summary": ("summary_html",),
        },
    )

__all__ = ["Chart", "ReportInputs", "Section", "StudyInputs", "plotly_figures", "render", "render_study", "study_block", "summary_html"]
