"""The command line. Each command imports what it needs when it runs, so that help appears at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click
from click import exceptions as click_exceptions

FELL_SHORT, UNUSABLE, HARNESS_FAILED, INTERRUPTED = 1, 2, 3, 130

click.rich_click.TEXT_MARKUP = "markdown"
click.rich_click.STYLE_COMMANDS_TABLE_COLUMN_WIDTH_RATIO = (1, 4)

as_json = click.option("--json", "json_", is_flag=True, help="One JSON document on standard output, nothing else.")


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        import importlib.metadata

        click.echo(f"gradproof {importlib.metadata.version('gradproof')}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def cli() -> None:
    """Grade implementations of deep learning's fundamentals against a proved and certified reference."""


def _unusable(message: object) -> NoReturn:
    click.echo(f"gradproof: {message}", err=True)
    sys.exit(UNUSABLE)


def _harness_failed(message: object) -> NoReturn:
    click.echo(f"gradproof: {message}", err=True)
    sys.exit(HARNESS_FAILED)


def _print_json(value: Any) -> None:
    from graders.harness.report.json import document

    click.echo(document(value), nl=False)


def _progress(total: int | None, what: str) -> Callable[[str], None]:
    """Return what reports one step on standard error, if a person is looking at it."""
    if not sys.stderr.isatty():
        return lambda name: None
    done = 0

    def step(name: str) -> None:
        nonlocal done
        done += 1
        of = f" of {total}" if total else ""
        end = "\r\x1b[K" if done == total else ""
        click.echo(f"\r\x1b[K{what} {done}{of}: {name[:60]}{end}", err=True, nl=False)

    return step


@contextmanager
def _bar(total: int, what: str) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on standard error, if a person is looking at it, while the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[name]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total, name="")
        yield lambda name: bar.update(task, advance=1, name=name)


# ---------------------------------------------------------------- grade


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only these names; a pattern such as 'losses.*' may be given."
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True,
    help="How to write the report.",
)  # fmt: skip
@as_json
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Submissions graded at once.")
@click.option("--seed", type=click.IntRange(0), help="Draw the cases from this seed; a secret one otherwise.")
@click.option("--packages", default="numpy,scipy,torch", show_default=True, help="Packages a submission may import.")
@click.option(
    "--require-isolation", type=click.Choice(["full", "reduced", "basic"]),
    help="Refuse to run where submissions are kept apart less than this; `gradproof doctor` says how far they are.",
)  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit with 0 though something fell short.")
@click.option("--verbose", "-v", is_flag=True, help="Seeds, bits and times as well.")
def grade(
    paths: tuple[str, ...], only: tuple[str, ...], format_: str, json_: bool, output: Path | None, jobs: int,
    seed: int | None, packages: str, require_isolation: Any, exit_zero: bool, verbose: bool,
) -> None:  # fmt: skip
    """Grade files, notebooks, packages, files of symbolic answers and folders of these.

    A function is found by its name in the catalogue (`gradproof list`), or by the name and call shape of a course.
    """
    from graders import _api, _catalogue
    from graders.harness.sandbox.parent import CannotStart

    step = _progress(None, "graded")
    try:
        report = _api.grade(
            paths, only=only, jobs=jobs, seed=seed, packages=packages.split(","),
            require_isolation=require_isolation, progress=lambda done: step(done.path),
        )  # fmt: skip
    except _catalogue.UnknownName as error:
        _unusable(error.args[0])
    except CannotStart as error:
        _harness_failed(error)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    text = _rendered(report, "json" if json_ else format_, verbose, output is None)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            _unusable(f"{output}: cannot be written ({error.strerror})")
        click.echo(f"the report is in {output}", err=True)
    if output is not None or json_ or format_ != "text":  # the text says so itself
        for problem in report.problems:
            click.echo(f"gradproof: {problem}", err=True)
    status = report.exit_status
    sys.exit(0 if status == FELL_SHORT and exit_zero else status)


def _rendered(report: Any, format_: str, verbose: bool, to_terminal: bool) -> str:
    import importlib

    renderer = importlib.import_module(f"graders.harness.report.{format_}")
    if format_ != "text":
        return str(renderer.render(report))
    terminal = to_terminal and sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, 120) if terminal else 110
    colour = terminal and "NO_COLOR" not in os.environ
    return str(renderer.render(report, width=width, verbose=verbose, colour=colour))


# ---------------------------------------------------------------- prove, certify, audit


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--show", is_flag=True, help="Print each step with its reason.")
@click.option("--latex", is_flag=True, help="Print the chain of equations as LaTeX.")
@click.option("--deep", is_flag=True, help="Try every mutant of every claim, not eight.")
@click.option(
    "--answer", type=click.Path(), metavar="FILE", help="Judge the symbolic answers in this file; - is stdin."
)
@click.option("--questions", is_flag=True, help="List what may be asked; with NAME, what is asked and in which names.")
@as_json
def prove(
    names: tuple[str, ...], show: bool, latex: bool, deep: bool, answer: str | None, questions: bool, json_: bool
) -> None:
    """Check our derivations: prove each claim, hold it against numbers, and refuse its mutants."""
    from derivations._catalogue import errata
    from graders import _proofs

    if answer is not None:
        _judge_answers(answer, json_)
    if questions:
        _print_questions(names)
    try:
        chosen = _proofs.select(names)
    except LookupError as error:
        _unusable(error.args[0])
    work = len(chosen) if names else len(chosen) + len(errata())
    with _bar(work, "proving") as step:
        result = _proofs.prove(names, mutants=10_000 if deep else 8, jobs=_proofs.jobs_for(work), progress=step)
    if json_:
        _print_json(result)
    else:
        for claim in result.claims:
            _print_claim(claim, chosen[claim.name], show, latex)
        for erratum in result.errata:
            click.echo(
                f"{erratum.as_written:9}  {erratum.id} as the lectures write it; right is {erratum.corrected_by}"
            )
        measured = sum(claim.status == "measured" for claim in result.claims)
        proved = sum(claim.status == "proved" for claim in result.claims)
        click.echo(
            f"\n{proved} of {len(result.claims) - measured} claims proved"
            + (f", {measured} measured" if measured else "")
            + (
                f"; {sum(e.as_written == 'refuted' for e in result.errata)} of {len(result.errata)} errata refuted"
                if result.errata
                else ""
            )
        )
    sys.exit(0 if result.sound else FELL_SHORT)


def _judge_answers(file: str, json_: bool) -> NoReturn:
    from graders import _symbolic

    try:
        answers = _symbolic.judged(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        _unusable(f"{file}: cannot be read ({error.strerror})")
    except _symbolic.Unusable as error:
        _unusable(f"{file}: {error}")
    except RuntimeError as error:
        _harness_failed(error)
    if json_:
        _print_json(answers)
    else:
        click.echo(_symbolic.as_text(answers), nl=False)
    sys.exit(0 if answers.all_proved else FELL_SHORT)


def _print_questions(names: Sequence[str]) -> NoReturn:
    from graders import _symbolic

    try:
        click.echo("\n".join(_symbolic.asked(name) for name in names or ("*",)), nl=False)
    except LookupError as error:
        _unusable(error.args[0])
    sys.exit(0)


def _print_claim(claim: Any, value: Any, show: bool, latex: bool) -> None:
    from derivations import _kernel as kernel

    refused = f"{claim.mutants} mutants refused"
    mutants = f"{claim.mutants_proved} MUTANTS PROVED" if claim.mutants_proved else refused
    facts = [claim.scope.replace("_", " "), f"{claim.numeric_digits} digits agree", mutants]
    if claim.status == "measured" or claim.measured:
        facts = [claim.scope, *claim.measured]
    if claim.trust == "scalar_sympy":
        facts.append("by SymPy's limit or integral")
    facts += ["on a named theorem"] * bool(claim.axioms)
    click.echo(f"{claim.status:9}  {claim.name}  ({'; '.join(facts)})")
    if claim.status not in ("proved", "measured"):
        for what, found in (("the first step that does not follow", claim.first_wrong), ("witness", claim.witness)):
            if found:
                click.echo(f"           {what}: {found}")
    if show:
        click.echo("\n" + _indented(kernel.as_text(value)) + "\n")
    if latex:
        click.echo("\n" + kernel.as_latex(value) + "\n")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _chosen(names: Sequence[str]) -> dict[str, Any]:
    from graders import _catalogue

    try:
        return _catalogue.select(names)
    except LookupError as error:
        _unusable(error.args[0])


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def certify(names: tuple[str, ...], json_: bool) -> None:
    """Measure our reference, and PyTorch beside it, in ulps against fifty digits and more."""
    from graders._api import PUBLIC_SEED
    from graders.harness import certify as certifying
    from graders.harness.key import AnswerKey

    chosen = _chosen(names)
    step = _progress(len(chosen), "certified")
    key = AnswerKey(PUBLIC_SEED, certifying.proved)
    made = []
    for name, exercise in chosen.items():
        step(name)
        try:
            made += certifying.certificates(exercise, key, certifying.proved(exercise))
        except certifying.Disagreement as error:
            _harness_failed(f"proof and reference disagree: {error}")
    short = [c for c in made if c.max_error_over_allowed > 1]
    if json_:
        _print_json({"schema": 1, "functions": made})
    else:
        click.echo(f"{'':38}{'':9}{'reference':>24}{'PyTorch':>24}")
        click.echo(f"{'name':38}{'dtype':9}{'ulp':>12}{'of allowed':>12}{'ulp':>12}{'of allowed':>12}  cases (proved)")
        for c in made:
            theirs = [c.torch_max_ulp, c.torch_max_error_over_allowed]
            beside = "".join(f"{'–' if x is None else format(x, '.3g'):>12}" for x in theirs)
            click.echo(f"{c.name:38}{c.dtype:9}{c.max_ulp:12.3g}{c.max_error_over_allowed:12.3f}{beside}  "
                       f"{c.cases} ({c.proved_cases})")  # fmt: skip
    sys.exit(FELL_SHORT if short else 0)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def audit(names: tuple[str, ...], json_: bool) -> None:
    """Grade the grader: is every known mistake caught and named, and does every honest program pass?"""
    from graders._api import PUBLIC_SEED
    from graders.harness import audit as auditing
    from graders.harness.certify import proved
    from graders.harness.key import AnswerKey

    chosen = _chosen(names)
    step = _progress(len(chosen), "audited")
    key = AnswerKey(PUBLIC_SEED, proved)
    made = []
    for name, exercise in chosen.items():
        step(name)
        made.append(auditing.audit(exercise, key))
    if json_:
        _print_json({"schema": 1, "exercises": made})
    else:
        click.echo(f"{'name':36}{'mistakes':>9}{'caught':>8}{'named':>7}{'mutants':>9}{'killed':>8}{'equal':>7}"
                   f"{'honest':>8}{'rejected':>10}{'vacuous':>9}")  # fmt: skip
        for a in made:
            click.echo(f"{a.name:36}{a.misconceptions:9}{a.caught:8}{a.named:7}{a.mutants:9}{a.killed:8}{a.equivalent:7}"
                       f"{a.honest:8}{a.rejected:10}{a.vacuous_cases:9}")  # fmt: skip
            for what in ("not_caught", "not_named", "rejects", "vacuous", "survivors"):
                for item in getattr(a, what):
                    click.echo(f"    {what.replace('_', ' ')}: {item}")
    sys.exit(0 if all(a.sound for a in made) else FELL_SHORT)


# ---------------------------------------------------------------- list, show, replay, doctor


@cli.command("list")
@click.argument("patterns", nargs=-1, metavar="[NAME]...")
@as_json
def list_(patterns: tuple[str, ...], json_: bool) -> None:
    """List the exercises, and what stands behind each."""
    from derivations._catalogue import claims

    chosen = _chosen(patterns)
    proved = claims()
    rows: list[dict[str, Any]] = [
        {
            "name": name, "summary": (e.reference.__doc__ or "").strip().split("\n")[0], "proved": name in proved,
            "misconceptions": len(e.misconceptions), "conventions": len(e.conventions),
        }
        for name, e in chosen.items()
    ]  # fmt: skip
    if json_:
        _print_json({"schema": 1, "exercises": rows})
        return
    for row in rows:
        click.echo(f"{row['name']:38} {row['summary']}")
    click.echo(f"\n{len(rows)} names, {sum(r['proved'] for r in rows)} with a proof of the same name")


@cli.command()
@click.argument("name")
@as_json
def show(name: str, json_: bool) -> None:
    """Show one name on a page: signature, reference, proof, mistakes and conventions."""
    import inspect

    from derivations import _kernel as kernel
    from derivations._catalogue import claims
    from graders import _api
    from graders.harness.diagnose import told

    try:
        exercise = _api.one(name)
    except LookupError as error:
        _unusable(error.args[0])
    claim = claims().get(exercise.name)
    page: dict[str, Any] = {
        "schema": 1,
        "name": exercise.name,
        "reference": inspect.getsource(exercise.reference),
        "proof": kernel.as_text(claim) if claim is not None else None,
        "misconceptions": {m.__name__: told(m) for m in exercise.misconceptions},
        "conventions": {c.__name__: told(c) for c in exercise.conventions},
        "edges": [edge.why for edge in exercise.edges],
    }
    if json_:
        _print_json(page)
        return
    click.echo(f"{page['name']}\n\nreference\n\n{_indented(str(page['reference']).rstrip())}\n")
    click.echo(f"proof\n\n{_indented(str(page['proof']) if page['proof'] else 'none: judged by the reference text')}\n")
    for part in ("misconceptions", "conventions"):
        click.echo(f"{part}\n")
        for key, text in page[part].items():
            click.echo(f"    {key}\n        {text}")
        click.echo("")
    click.echo("edges\n\n    " + "; ".join(page["edges"]))


@cli.command()
@click.argument("case", metavar="NAME@CASE")
@click.argument("path", required=False)
@click.option("--seed", type=click.IntRange(0), help="The seed of the run, to make its cases again on another machine.")
@as_json
def replay(case: str, path: str | None, seed: int | None, json_: bool) -> None:
    """Replay a verdict: its input, the true value, the allowed error, and what a submission returns today."""
    from graders import _replay
    from graders.harness.sandbox.parent import CannotStart

    try:
        result = _replay.replay(case, path, seed)
    except LookupError as error:
        _unusable(error.args[0])
    except CannotStart as error:
        _harness_failed(error)
    if json_:
        _print_json(result)
    else:
        click.echo(_replay.as_text(result), nl=False)
    sys.exit(FELL_SHORT if result["passed"] is False else 0)


@cli.command()
@as_json
def doctor(json_: bool) -> None:
    """Say what this machine can isolate and measure, and how to get more of it."""
    from graders import _doctor

    found = _doctor.examine()
    if json_:
        _print_json(found)
    else:
        click.echo(_doctor.as_text(found), nl=False)
    sys.exit(0 if found.tier == "full" else FELL_SHORT)


def main() -> None:
    """Run the command line; Ctrl-C ends it and its children, with exit status 130."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        cli.main(prog_name="gradproof", standalone_mode=False)
    except click_exceptions.Exit as finished:
        sys.exit(finished.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("gradproof: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(UNUSABLE)
    except BrokenPipeError:  # the reader of a pipe had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
