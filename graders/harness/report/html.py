"""The report as one page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from graders.harness.report import HELD, ExerciseReport, Report, SubmissionReport, Verdict, glance
from graders.harness.report.words import (
    HINTS,
    LETTERS,
    VERDICTS,
    apart,
    computed_on,
    evidence,
    given,
    kept_apart,
    number,
    one_line,
    part_of,
    together,
    why,
)  # fmt: skip

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FUNCTION = """
{% macro function(group) %}
{% set e = group[0] %}
<section class="function {{ e.verdict }}">
<h3>{% for e in group %}{{ e.name|clean }}
{%- if e.function and e.function.split(".")[-1] != e.name.split(".")[-1] %}
 <small>({{ e.function|clean }})</small>{% endif %}{{ "" if loop.last else ", " }}
{%- endfor %} <span class="verdict">{{ e.verdict }}</span></h3>
<p class="meaning">{{ verdicts[e.verdict]|sentence }}{% if e.score is not none and group|length == 1 %}
 {{ "%g"|format(e.score) }} of {{ "%g"|format(e.max_score) }} points.{% endif %}</p>
{% for d in e.diagnosis %}<p class="said">{{ d.message|marked }}</p>
{% if evidence(d) %}<p class="small">{{ evidence(d)|sentence|clean }}</p>{% endif %}{% endfor %}
{% if why(e) %}<p>{{ why(e)|marked }}</p>{% endif %}
{% if e.witness %}
{% if e.witness.problem %}{% if e.witness.problem not in e.reason %}<p>{{ e.witness.problem|marked }}</p>{% endif %}
{% else %}
{% set told = e.witness.expected is not none %}
<table class="numbers"><tr><th scope="col">element</th><th scope="col">yours</th>
{%- if told %}<th scope="col">should be</th><th scope="col">allowed</th>{% endif %}</tr>
<tr><td>{{ e.witness.output|clean or "result" }}
{%- if e.witness.index %}[{{ e.witness.index|join(", ") }}]{% endif %}</td>
{% set got, expected = apart(e.witness.got, e.witness.expected) %}
<td>{{ got }}</td>
{%- if told %}<td>{{ expected }}</td><td>± {{ e.witness.allowed|number(2) }}</td>{% endif %}</tr></table>
{% endif %}
{% if given(e.witness) %}<p class="small">{{ given(e.witness)|sentence|clean }}</p>{% endif %}
{% if e.witness.code %}<pre>{{ e.witness.code|clean_lines }}</pre>{% endif %}
{% endif %}
{% if e.notes %}<ul class="notes">{% for note in e.notes %}<li>{{ note|marked }}</li>{% endfor %}</ul>{% endif %}
{% if e.cases %}
<p class="small">{{ e.cases - e.failed_cases }} of {{ e.cases }} cases pass.
{%- if e.truth %} Judged by {{ "the proof" if e.truth == "proof" else "the reference" }}.{% endif %}
{%- if e.replay %} Again: <code>gradproof replay {{ e.replay|clean }}</code>{% endif %}</p>
{% endif %}
</section>
{% endmacro %}
"""

# An untrusted notebook keeps tags and a list of inline styles, in plain values: no class, no variable. What is not told
# by a colour of its own takes the notebook's, so that it is to be read on any ground.
FRAGMENT = """
<div style="border-left: 4px solid {{ colour }}; padding: 2px 0 2px 14px; margin: 6px 0 6px 0; max-width: 900px">
<p style="margin: 0 0 6px 0"><b>{{ e.name|clean }}</b> <span style="background-color: {{ colour }}; color: #ffffff;
 padding: 1px 8px 1px 8px; border-radius: 9px; font-weight: 600">{{ e.verdict }}</span> {{ verdicts[e.verdict] }}.
{%- if e.score is not none %} {{ "%g"|format(e.score) }} of {{ "%g"|format(e.max_score) }} points.{% endif %}</p>
{% for d in e.diagnosis %}<p style="margin: 0 0 6px 0"><b>{{ d.message|marked }}</b>
{%- if evidence(d) %}<br><span style="opacity: 0.75">{{ evidence(d)|sentence|clean }}</span>{% endif %}</p>
{% endfor %}
{% if why(e) %}<p style="margin: 0 0 6px 0">{{ why(e)|marked }}</p>{% endif %}
{% if e.witness and e.witness.problem and e.witness.problem not in e.reason %}
<p style="margin: 0 0 6px 0">{{ e.witness.problem|marked }}</p>{% endif %}
{% if e.witness and not e.witness.problem %}
<p style="margin: 0 0 6px 0; font-family: monospace">yours{{ part_of(e.witness.output)|clean }}
{%- if e.witness.index %}[{{ e.witness.index|join(", ") }}]{% endif -%}
{% set got, expected = apart(e.witness.got, e.witness.expected) %}
 = <b>{{ got }}</b>{% if e.witness.expected is none %}, which is wrong
{%- else %}, should be <b>{{ expected }}</b>, allowed ± {{ e.witness.allowed|number(2) }}{% endif %}</p>
{% endif %}
{% if e.witness and given(e.witness) %}
<p style="margin: 0 0 6px 0; opacity: 0.75">{{ given(e.witness)|sentence|clean }}</p>{% endif %}
{% if e.witness and e.witness.code %}
<pre style="background-color: rgba(128, 128, 128, 0.15); color: inherit; padding: 8px 10px 8px 10px; margin: 0 0 6px 0;
 overflow-x: auto; font-family: monospace; white-space: pre">{{ e.witness.code|clean_lines }}</pre>
{% endif %}
{% for note in e.notes %}<p style="margin: 0; opacity: 0.75">{{ note|marked }}</p>{% endfor %}
<p style="margin: 0; opacity: 0.75">
{%- if e.cases %}{{ e.cases - e.failed_cases }} of {{ e.cases }} cases pass. {% endif %}
{%- if e.truth %}Judged by {{ "the proof" if e.truth == "proof" else "the reference" }}. {% endif %}
{%- if e.replay %}Again: <code>gradproof replay {{ e.replay|clean }}</code> {% endif %}</p>
</div>
"""
COLOURS = {"correct": "#2e7d32", "convention": "#00696f", "unstable": "#a65e00", "inexact": "#a65e00",
           "review": "#7b3fa0", "unscored": "#6b6b6b"}  # fmt: skip
WRONG = "#b3261e"

GLANCE = """
{% macro at_a_glance() %}
{% set columns = names(report.submissions) %}
<h2 id="glance">At a glance</h2>
<p>{{ summary(report.submissions)|sentence }}</p>
{% set names_by_failure = by_name(report.submissions) %}
{% if names_by_failure and names_by_failure[0].short %}
<table class="overview"><caption>By function: where the most fall short first</caption>
<thead><tr><th scope="col">name</th><th scope="col" class="n">fell short</th><th scope="col">how</th>
<th scope="col">known mistakes</th></tr></thead>
{% for row in names_by_failure if row.short %}
<tr><th scope="row">{{ row.name|clean }}</th><td class="n">{{ row.short }} of {{ row.there }}</td>
<td>{{ counted(row.verdicts, 4)|kept }}</td><td>{{ counted(row.mistakes, 4)|kept }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% for row in names_by_failure if not row.short %}
{% if loop.first %}<p>Nobody fell short at {% endif %}
{{ row.name|clean }} ({{ row.there }}){% if loop.last %}.</p>{% else %}, {% endif %}
{% endfor %}
<p id="letters">{% for verdict in verdicts|reverse if verdict in given_verdicts(report.submissions) %}
<span class="cell {{ verdict }}">{{ letters[verdict] }}</span> {{ verdict }}{{ "" if loop.last else "; " }}
{% endfor %}</p>
<div class="class" role="region" aria-label="by submission" tabindex="0">
<table aria-describedby="letters"><caption>By submission</caption>
<thead><tr><th scope="col">submission</th><th scope="col" class="n">points</th>
{% for name in columns %}
<th scope="col" class="v" title="{{ name|clean }}">{{ name.split(".")[-1]|clean }}</th>
{% endfor %}</tr></thead>
{% for s, points, cells in rows(report.submissions) %}
<tr><th scope=row><a href="#s{{ loop.index }}">{{ s.path|clean }}</a><td class=n>{{ points }}
{%- for kind, said in cells %}<td class={{ kind }}>{{ said }}{% endfor %}
{%- if not cells %}<td class=none colspan={{ columns|length or 1 }}>{{ s.status|replace("_", " ") }}{% endif %}

{% endfor %}
</table></div>
{% endmacro %}
"""

PAGE = (
    FUNCTION
    + GLANCE
    + """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ report.run.title|clean or "gradproof report" }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { text-align: left; padding: .15rem 1rem .15rem 0; }
th { font-weight: 600; color: #555; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.overview td, .overview th[scope=row], .class td, .class th[scope=row] { border-top: 1px solid #ddd; }
th[scope=row] { font-weight: 400; color: inherit; overflow-wrap: anywhere; min-width: 16rem; }
caption { text-align: left; color: #555; }
.class { overflow: auto; max-height: 85vh; } .class th[scope=row] { min-width: 12rem; max-width: 20rem; }
.class thead th { position: sticky; top: 0; background: #fff; vertical-align: bottom; }
.class .v { writing-mode: vertical-rl; text-align: end; padding: .3rem 0; } .class td { padding: .15rem .4rem; }
.class td:not(.n), .cell { text-align: center; font-weight: 600; color: #fff; background: #b3261e; }
.cell { padding: .1rem .4rem; } .class td.correct, .cell.correct { color: inherit; background: none; }
.class td.convention, .cell.convention { background: #00696f; }
.class td.unstable, .class td.inexact, .cell.unstable, .cell.inexact { background: #965400; }
.class td.review, .class td.incompatible, .cell.review, .cell.incompatible { background: #7b3fa0; }
.class td.missing, .class td.unfilled, .class td.unscored, .cell.missing, .cell.unfilled, .cell.unscored {
  background: #666; } .class td.none { background: none; color: inherit; font-weight: 400; text-align: left; }
.one { content-visibility: auto; contain-intrinsic-size: auto 60rem; }
.function { border-left: 4px solid #b3261e; padding: .1rem 0 .1rem 1rem; margin: 1.2rem 0; }
.function.correct { border-color: #2e7d32; } .function.convention { border-color: #00696f; }
.function.unstable, .function.inexact { border-color: #a65e00; } .function.review { border-color: #7b3fa0; }
.verdict { font-weight: 600; margin-left: .5rem; } .wrong .verdict, .overview td.wrong { color: #b3261e; }
.meaning, .small, .notes { color: #555; margin: .2rem 0; } .small, .notes { font-size: .9rem; }
.said { font-weight: 600; margin: .4rem 0; }
pre { background: #f5f5f2; padding: .7rem; overflow-x: auto; font-size: .9rem; } .numbers td { font-family: monospace; }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #161616; } pre { background: #242424; }
  th, .meaning, .small, .notes { color: #b5b5b5; } .overview td { border-color: #444; }
  th[scope=row] { color: inherit; } .class thead th { background: #161616; }
  .class td, .class th[scope=row], .overview th[scope=row] { border-color: #444; }
  .wrong .verdict, .overview td.wrong { color: #ff8a80; } }
@media print { body { max-width: none; } .class { max-height: none; overflow: visible; font-size: .7rem; }
  .one { content-visibility: visible; } .class td:not(.n), .cell { color: #000; background: none; } }
</style></head><body>
<h1>{{ report.run.title|clean or "gradproof report" }}</h1>
{% for problem in report.problems %}<p><strong>Cannot be graded:</strong> {{ problem|clean }}</p>{% endfor %}
{% set many = report.submissions|length > 1 %}
{% if many %}{{ at_a_glance() }}{% endif %}
{% for s in report.submissions %}
{% if many %}<section class="one">{% endif %}
<h2 id="s{{ loop.index }}">{{ s.path|clean }}</h2>
{% if s.status != "graded" %}<p><strong>{{ s.status|replace("_", " ") }}:</strong> {{ s.reason|clean }}</p>
{% else %}<p>{% if s.score is not none %}{{ "%g"|format(s.score) }} of {{ "%g"|format(s.max_score) }} points.
{% endif %}</p>
{% endif %}
{% if s.exercises %}
<table class="overview"><tr><th scope="col">verdict</th><th scope="col">name</th><th scope="col" class="n">score</th>
{%- if not report.run.hints %}
<th scope="col" class="n" title="of precision, in the worst ordinary case in float64">bits</th>{% endif %}</tr>
{% for e in s.exercises %}
<tr><td class={{ e.verdict }}>{{ e.verdict }}<th scope=row>{{ e.name|clean }}<td class=n>
{%- if e.verdict in held %}held{% elif e.score is none %}–{% else %}
{{- "%g"|format(e.score) }} / {{ "%g"|format(e.max_score) }}{% endif %}
{%- if not report.run.hints %}<td class=n>{% if e.bits is not none %}{{ "%.0f"|format(e.bits) }}{% endif %}{% endif %}

{% endfor %}</table>
{% for group in together(s.exercises) if explains(group[0], s) %}{{ function(group) }}{% endfor %}
{% endif %}
{% if s.not_covered %}<p class="small">Not covered by the catalogue: {{ s.not_covered|join(", ")|clean }}.</p>
{% endif %}
{% for note in s.notes %}<p class="small">{{ note|clean }}</p>{% endfor %}
{% if many %}<p class="small"><a href="#glance">At a glance</a></p></section>{% endif %}
{% endfor %}
<p class="small">{% if report.run.hints %}{{ hints }} {% endif %}
{% if report.run.seed is none %}The seed is not told{% else %}Seed {{ report.run.seed }} ({{ report.run.seed_kind }})
{%- endif %};
isolation: {{ kept_apart(report.run.tier, report.run.isolation.missing) }};
{% if report.run.device.kind != "cpu" %}{{ computed_on(report.run.device.kind, report.run.device.name) }};
{% endif %}
{% for name, version in report.run.versions.items() %}{{ name }} {{ version }}{{ "." if loop.last else ", " }}
{% endfor %}We compute the exact answer, and how far an honest program could be off on the same input
through rounding alone; that far, with a margin, yours may be off.</p>
</body></html>
"""
)


def _marked(text: str) -> Markup:
    """Return text on one line, what stands between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(one_line(text)))))  # noqa: S704  (it is escaped)


def _explains(e: ExerciseReport, of: SubmissionReport) -> bool:
    """Return whether there is more to say of a function than stands in the table, and above it."""
    return (e.verdict != "correct" and (e.reason != of.reason or not e.reason)) or bool(e.notes)


def _given_verdicts(submissions: Sequence[SubmissionReport]) -> set[str]:
    return {e.verdict for s in submissions for e in s.exercises}


def _rows(
    submissions: Sequence[SubmissionReport],
) -> Iterator[tuple[SubmissionReport, str, list[tuple[str, str]]]]:
    """Yield each submission with its points, and for each name the kind of its cell and what stands there."""
    columns = glance.names(submissions)
    for s in submissions:
        verdicts: dict[str, list[Verdict]] = {}
        for e in s.exercises:
            verdicts.setdefault(e.name, []).append(e.verdict)
        cells = [_cell(verdicts.get(name, [])) for name in columns] if verdicts else []
        yield s, "–" if s.score is None else f"{s.score:g} of {s.max_score:g}", cells


def _cell(verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """Return a cell's kind, the gravest of its verdicts, and the letters of all."""
    return min(verdicts, key=list(VERDICTS).index, default="none"), "".join(LETTERS[v] for v in verdicts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["number"] = number
    made.filters["clean"] = one_line
    made.filters["marked"] = _marked
    made.filters["sentence"] = lambda text: f"{text[0].upper()}{text[1:]}."
    made.filters["kept"] = lambda text: one_line(text).replace(" × ", "\u00a0×\u00a0")  # on one line
    made.filters["clean_lines"] = lambda text: "\n".join(one_line(line) for line in text.split("\n"))
    made.globals |= {"verdicts": VERDICTS, "apart": apart, "part_of": part_of, "held": HELD, "kept_apart": kept_apart}
    made.globals |= {"computed_on": computed_on, "evidence": evidence, "given": given, "hints": HINTS, "why": why}
    made.globals |= {"together": together, "explains": _explains, "rows": _rows, "letters": LETTERS}
    made.globals |= {"summary": glance.summary, "by_name": glance.by_name, "names": glance.names}
    made.globals |= {"counted": glance.counted, "given_verdicts": _given_verdicts}
    return made


def render(report: Report) -> str:
    """Return the whole report as a page."""
    page: str = _environment().from_string(PAGE).render(report=report)
    return page


def one_function(exercise: ExerciseReport) -> str:
    """Return the verdict on one function as a fragment for a notebook."""
    colour = COLOURS.get(exercise.verdict, WRONG)
    fragment: str = _environment().from_string(FRAGMENT).render(e=exercise, colour=colour)
    return fragment
