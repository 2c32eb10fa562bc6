"""The report as one page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from graders.harness.report import HELD, ExerciseReport, Report
from graders.harness.report.words import VERDICTS, apart, kept_apart, number, one_line

if TYPE_CHECKING:
    from jinja2 import Environment

FUNCTION = """
{% macro function(e) %}
<section class="function {{ e.verdict }}">
<h3>{{ e.name|clean }}{% if e.function and e.function.split(".")[-1] != e.name.split(".")[-1] %}
 <small>({{ e.function|clean }})</small>{% endif %} <span class="verdict">{{ e.verdict }}</span></h3>
<p class="meaning">{{ verdicts[e.verdict] }}.{% if e.score is not none %}
 {{ "%g"|format(e.score) }} of {{ "%g"|format(e.max_score) }} points.{% endif %}</p>
{% for d in e.diagnosis %}<p class="said">{{ d.message|clean }}</p>{% endfor %}
{% if e.reason %}<p>{{ e.reason|clean }}</p>{% endif %}
{% if e.witness %}
{% if e.witness.problem %}<p>{{ e.witness.problem|clean }}</p>{% else %}
<table class="numbers"><tr><th>element</th><th>yours</th><th>should be</th><th>allowed</th></tr>
<tr><td>{{ e.witness.output|clean or "result" }}
{%- if e.witness.index %}[{{ e.witness.index|join(", ") }}]{% endif %}</td>
{% for shown in apart(e.witness.got, e.witness.expected) %}<td>{{ shown }}</td>{% endfor %}
<td>± {{ e.witness.allowed|number(2) }}</td></tr></table>
{% endif %}
{% if e.witness.code %}<pre>{{ e.witness.code|clean_lines }}</pre>{% endif %}
{% endif %}
{% if e.notes %}<ul class="notes">{% for note in e.notes %}<li>{{ note|clean }}</li>{% endfor %}</ul>{% endif %}
<p class="small">{% if e.cases %}{{ e.cases - e.failed_cases }} of {{ e.cases }} cases pass.{% endif %}
{% if e.truth %} Judged by {{ "the proof" if e.truth == "proof" else "the reference" }}.{% endif %}
{% if e.replay %} Again: <code>gradproof replay {{ e.replay|clean }}</code>{% endif %}</p>
</section>
{% endmacro %}
"""

PAGE = (
    FUNCTION
    + """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>gradproof report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { text-align: left; padding: .15rem 1rem .15rem 0; }
th { font-weight: 600; color: #555; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
.overview td { border-top: 1px solid #ddd; }
.function { border-left: 4px solid #b3261e; padding: .1rem 0 .1rem 1rem; margin: 1.2rem 0; }
.function.correct { border-color: #2e7d32; } .function.convention { border-color: #00696f; }
.function.unstable, .function.inexact { border-color: #a65e00; } .function.review { border-color: #7b3fa0; }
.verdict { font-weight: 600; margin-left: .5rem; } .wrong .verdict, td.wrong { color: #b3261e; }
.meaning, .small, .notes { color: #555; margin: .2rem 0; } .small, .notes { font-size: .9rem; }
.said { font-weight: 600; margin: .4rem 0; }
pre { background: #f5f5f2; padding: .7rem; overflow-x: auto; font-size: .9rem; } .numbers td { font-family: monospace; }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #161616; } pre { background: #242424; }
  th, .meaning, .small, .notes { color: #b5b5b5; } .overview td { border-color: #444; }
  .wrong .verdict, td.wrong { color: #ff8a80; } }
</style></head><body>
<h1>gradproof report</h1>
{% for problem in report.problems %}<p><strong>Cannot be graded:</strong> {{ problem|clean }}</p>{% endfor %}
{% for s in report.submissions %}
<h2>{{ s.path|clean }}</h2>
{% if s.status != "graded" %}<p><strong>{{ s.status|replace("_", " ") }}:</strong> {{ s.reason|clean }}</p>
{% else %}<p>{% if s.score is not none %}{{ "%g"|format(s.score) }} of {{ "%g"|format(s.max_score) }} points.
{% endif %}</p>
{% endif %}
{% if s.exercises %}
<table class="overview"><tr><th>verdict</th><th>name</th><th>score</th><th>bits</th></tr>
{% for e in s.exercises %}<tr><td class="{{ e.verdict }}">{{ e.verdict }}</td><td>{{ e.name|clean }}</td>
<td class="n">{% if e.verdict in held %}held{% elif e.score is none %}–{% else %}{{ "%g"|format(e.score) }} /
{{ "%g"|format(e.max_score) }}{% endif %}</td>
<td class="n">{% if e.bits is not none %}{{ "%.0f"|format(e.bits) }}{% endif %}</td></tr>{% endfor %}</table>
{% for e in s.exercises if e.verdict != "correct" or e.notes %}{{ function(e) }}{% endfor %}
{% endif %}
{% if s.not_covered %}<p class="small">Not covered by the catalogue: {{ s.not_covered|join(", ")|clean }}.</p>
{% endif %}
{% for note in s.notes %}<p class="small">{{ note|clean }}</p>{% endfor %}
{% endfor %}
<p class="small">Seed {{ report.run.seed }} ({{ report.run.seed_kind }});
isolation: {{ kept_apart(report.run.tier, report.run.isolation.missing) }};
{% for name, version in report.run.versions.items() %}{{ name }} {{ version }}{{ "." if loop.last else ", " }}
{% endfor %}We compute the exact answer, and how far an honest program could be off on the same input
through rounding alone; that far, with a margin, yours may be off.</p>
</body></html>
"""
)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["number"] = number
    made.filters["clean"] = one_line
    made.filters["clean_lines"] = lambda text: "\n".join(one_line(line) for line in text.split("\n"))
    made.globals |= {"verdicts": VERDICTS, "apart": apart, "held": HELD, "kept_apart": kept_apart}
    return made


def render(report: Report) -> str:
    """Return the whole report as a page."""
    page: str = _environment().from_string(PAGE).render(report=report)
    return page


def one_function(exercise: ExerciseReport) -> str:
    """Return the verdict on one function as a fragment for a notebook."""
    module: Any = _environment().from_string(FUNCTION).module
    return str(module.function(exercise))
