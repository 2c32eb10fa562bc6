"""The command line. Each command imports what it needs when it runs, so that help appears at once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click
from click import exceptions as click_exceptions

FELL_SHORT, UNUSABLE, HARNESS_FAILED, INTERRUPTED = 1, 2, 3, 130
SILENT = 30.0
"""Seconds for which nothing is said of how far the work is, where no person looks."""

click.rich_click.TEXT_MARKUP = "markdown"
click.rich_click.STYLE_COMMANDS_TABLE_COLUMN_WIDTH_RATIO = (1, 4)

as_json = click.option("--json", "json_", is_flag=True, help="One JSON document on standard output, nothing else.")


def _include(context: click.Context, parameter: click.Parameter, files: tuple[str, ...]) -> None:
    """Have the exercises of these files in the catalogue while the command runs."""
    if files and not context.resilient_parsing:
        from graders import _catalogue

        try:
            context.with_resource(_catalogue.including(files))
        except _catalogue.UnusableExercises as error:
            _unusable(error.args[0])


with_exercises = click.option(
    "--exercises", multiple=True, metavar="FILE.py", is_eager=True, expose_value=False, callback=_include,
    help="Exercises of your own, from this file; those of installed packages are there anyway.",
)  # fmt: skip


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


def _write(text: str, output: Path | None) -> None:
    """Write a report to a file, or to standard output where none is named."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        _unusable(f"{output}: cannot be written ({error.strerror})")


def _print_json(value: Any) -> None:
    from graders.harness.report.json import document

    click.echo(document(value), nl=False)


def _progress(total: int | None, what: str) -> Callable[[str], None]:
    """Return what reports one step on standard error: to a person each, to a log one in half a minute."""
    done, said = 0, time.monotonic()

    def step(name: str) -> None:
        nonlocal done, said
        done += 1
        of = f" of {total}" if total else ""
        if not sys.stderr.isatty():
            if time.monotonic() - said > SILENT:
                said = time.monotonic()
                click.echo(f"{what} {done}{of}: {name}", err=True)
            return
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
@with_exercises
@click.option(
    "--assignment", type=click.Path(), metavar="FILE.toml",
    help="Which exercises count and how much, what may be imported, functions of other names: see docs/adapters.md.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Submissions graded at once.")
@click.option("--seed", type=click.IntRange(0), help="Draw the cases from this seed; a secret one otherwise.")
@click.option("--packages", help="Packages a submission may import; numpy,scipy,torch,numba if nothing is said.")
@click.option(
    "--require-isolation", type=click.Choice(["full", "reduced", "basic"]),
    help="Refuse to run where submissions are kept apart less than this; `gradproof doctor` says how far they are.",
)  # fmt: skip
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]),
    help="Give functions of tensors theirs on this device; cpu if nothing is said.",
)  # fmt: skip
@click.option("--folders", is_flag=True, help="Each folder is one submission, as one with an __init__.py is anyway.")
@click.option("--hints", is_flag=True, help="Tell where it goes wrong, not what would be right: see docs/hints.md.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 though something fell short.")
@click.option("--verbose", "-v", is_flag=True, help="Seeds, bits and times as well.")
def grade(
    paths: tuple[str, ...], only: tuple[str, ...], format_: str, json_: bool, assignment: str | None,
    output: Path | None, jobs: int, seed: int | None, packages: str | None, require_isolation: Any, device: str | None,
    folders: bool, hints: bool, exit_zero: bool, verbose: bool,
) -> None:  # fmt: skip
    """Grade files, notebooks, packages, files of symbolic answers and folders of these.

    A function is found by its name in the catalogue (`gradproof list`), or by the name and call shape of a course; a
    class by the name of its kind of layer, loss or optimizer.
    """
    from graders import _api, _assignment, _catalogue, _device
    from graders.harness.sandbox.parent import CannotStart

    step = _progress(None, "graded")
    try:
        report = _api.grade(
            paths, only=only, jobs=jobs, seed=seed, packages=packages.split(",") if packages else None,
            require_isolation=require_isolation, assignment=assignment, device=device, hints=hints, folders=folders,
            progress=lambda done: step(done.path),
        )  # fmt: skip
    except (
        _catalogue.UnknownName, _catalogue.UnusableExercises, _assignment.UnusableAssignment, _device.NoDevice
    ) as error:  # fmt: skip
        _unusable(error.args[0])
    except CannotStart as error:
        _harness_failed(error)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    text = _rendered(report, "json" if json_ else format_, verbose, output is None)
    _write(text, output)
    if output is not None:
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
@click.option(
    "--against", metavar="REV",
    help="Beside the reference of another revision (main, HEAD~1), on the same cases; fails where ours is less exact.",
)  # fmt: skip
@with_exercises
@as_json
def certify(names: tuple[str, ...], against: str | None, json_: bool) -> None:
    """Measure our reference, and PyTorch beside it, in ulps against fifty digits and more."""
    from contextlib import ExitStack

    from graders._api import PUBLIC_SEED, Key
    from graders._bench import Unavailable, timed
    from graders.harness import certify as certifying

    chosen = _chosen(names)
    if not chosen:
        _unusable(
            f"{', '.join(names)}: judged by properties, so there is no true value to measure our reference against"
        )
    step = _progress(len(chosen), "certified")
    key = Key(PUBLIC_SEED, certifying.proved)
    made: list[certifying.Certificate] = []
    with ExitStack() as stack:
        try:
            other = timed.revision_of_ours(against, chosen, stack) if against is not None else None
        except Unavailable as error:
            _unusable(error.args[0])
        for name, exercise in chosen.items():
            step(name)
            with ExitStack() as one:
                start = timed.of_revision(exercise, other)
                theirs = None if start is None else one.enter_context(timed.outputs_of(exercise, start))
                try:
                    made += certifying.certificates(exercise, key, certifying.proved(exercise), theirs)
                except certifying.Disagreement as error:
                    _harness_failed(f"proof and reference disagree: {error}")
    short = [c for c in made if c.max_error_over_allowed > 1]
    worse = [c for c in made if c.is_worse]
    if json_:
        document = {"schema": 1, "functions": made}
        if other is not None:
            document |= {"against": timed.beside(other), "worse": [f"{c.name} {c.dtype}" for c in worse]}
        _print_json(document)
    else:
        heads, columns = ["reference", "PyTorch"], f"{'ulp':>12}{'of allowed':>12}"
        heads += [other.name] if other is not None else []
        click.echo(f"{'':38}{'':9}{''.join(f'{head[:22]:>24}' for head in heads)}")
        click.echo(f"{'name':38}{'dtype':9}{columns * len(heads)}  cases (proved)")
        for c in made:
            others = [c.torch_max_ulp, c.torch_max_error_over_allowed]
            others += [c.against_max_ulp, c.against_max_error_over_allowed] if other is not None else []
            beside = "".join(f"{'–' if x is None else format(x, '.3g'):>12}" for x in others)
            click.echo(f"{c.name:38}{c.dtype:9}{c.max_ulp:12.3g}{c.max_error_over_allowed:12.3f}{beside}  "
                       f"{c.cases} ({c.proved_cases})")  # fmt: skip
        for c in worse:
            click.echo(f"less exact than {other.name if other else ''}: {c.name} {c.dtype}, "
                       f"{c.max_ulp:.3g} ulp for {c.against_max_ulp:.3g}")  # fmt: skip
    sys.exit(FELL_SHORT if short or worse else 0)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@with_exercises
@click.option("--deep", is_flag=True, help="Try every mechanical mutant of every exercise, not twenty.")
@click.option(
    "--matrix", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.json",
    help="As --deep, and write which case catches what into this file; rows of other exercises stay.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Exercises audited at once.")
@as_json
def audit(names: tuple[str, ...], deep: bool, matrix: Path | None, jobs: int, json_: bool) -> None:
    """Grade the grader: is every known mistake caught and named, and does every honest program pass?"""
    from graders import _audits, _catalogue

    names_ = [*_chosen(names), *_catalogue.select_trials(names)]
    try:
        if matrix is not None:
            _audits.read(matrix)  # before an hour's work
    except _audits.UnusableMatrix as error:
        _unusable(error)
    step = _progress(len(names_), "audited")
    sample = None if deep or matrix is not None else _audits.SAMPLE
    made = list(_audits.audited(names_, sample, jobs, step))
    audits = [audit for audit, _ in made]
    if matrix is not None:
        try:
            _audits.write(matrix, [kills for _, kills in made if kills is not None])
        except OSError as error:
            _unusable(f"{matrix}: cannot be written ({error.strerror})")
    if json_:
        _print_json({"schema": 1, "exercises": audits})
    else:
        click.echo(f"{'name':36}{'mistakes':>9}{'caught':>8}{'named':>7}{'mutants':>9}{'killed':>8}{'equal':>7}"
                   f"{'honest':>8}{'rejected':>10}{'blunt':>7}{'refused':>9}{'vacuous':>9}")  # fmt: skip
        for a in audits:
            click.echo(f"{a.name:36}{a.misconceptions:9}{a.caught:8}{a.named:7}{a.mutants:9}{a.killed:8}{a.equivalent:7}"
                       f"{a.honest:8}{a.rejected:10}{a.blunt:7}{a.refused:9}{a.vacuous_cases:9}")  # fmt: skip
            for what in ("not_caught", "not_named", "rejects", "not_refused", "vacuous", "survivors"):
                for item in getattr(a, what):
                    click.echo(f"    {what.replace('_', ' ')}: {item}")
            for lie, passed in a.lenient.items() if len(audits) == 1 else ():
                click.echo(f"    cases that alone would let {lie} pass: {len(passed)}, such as {passed[0]}")
        click.echo("\n" + "\n".join(_audits.totals(audits)))
    sys.exit(0 if all(a.sound for a in audits) else FELL_SHORT)


@cli.command()
@click.argument("libraries", nargs=-1, required=True, metavar="LIB...")
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only these names; a pattern such as 'losses.*' may be given."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draw the cases from this seed.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "markdown", "html"]), default="text", show_default=True,
    help="How to write the matrix.",
)  # fmt: skip
@as_json
@click.option("--output", type=click.Path(path_type=Path), help="Write the matrix to this file.")
@click.option(
    "--dtypes", default="float64,float32", show_default=True, metavar="DTYPE,...", help="Call them in these only."
)
def conform(
    libraries: tuple[str, ...], only: tuple[str, ...], seed: int, format_: str, json_: bool, output: Path | None,
    dtypes: str,
) -> None:  # fmt: skip
    """Judge other libraries' own functions: torch, jax, scipy, scikit-learn, autograd, tinygrad, onnxruntime.

    Fails where a function falls short that is not expected to, or one does not that is; a library need not have all.
    """
    from graders import _conform
    from graders._conform import render

    step = _progress(None, "judged")
    try:
        result = _conform.conform(libraries, only, seed, dtypes.split(","), step)
    except (LookupError, _conform.UnknownDtype) as error:
        _unusable(error.args[0])
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if json_ or format_ == "json":
        from graders.harness.report.json import document

        text = document(result)
    else:
        text = {"text": render.text, "markdown": render.markdown, "html": render.page}[format_](result)
    _write(text, output)
    for surprise in result.surprises:
        click.echo(f"gradproof: not as expected: {surprise}", err=True)
    absent = [f"{library.name}: {library.reason}" for library in result.libraries if library.status == "absent"]
    if absent:
        _unusable("\ngradproof: ".join(absent))
    sys.exit(FELL_SHORT if result.surprises else 0)


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only these names; a pattern such as 'losses.*' may be given."
)
@click.option("--size", "sizes", multiple=True, type=click.Choice(["small", "medium", "large"]), help="Only this size.")
@click.option(
    "--dtype", "dtypes", multiple=True, type=click.Choice(["float64", "float32"]), default=["float64"],
    show_default=True, help="In this dtype; may be given twice.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(0.05), default=1.0, show_default=True,
    help="CPU time for the processes of a comparison; an interval that is narrow before takes less.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draw the inputs from this seed.")
@click.option(
    "--against", metavar="REV|FILE",
    help="Beside the same functions of a revision (main, HEAD~1) or of a file, and of nothing else: see docs/bench.md.",
)  # fmt: skip
@click.option(
    "--clock", type=click.Choice(["cpu", "instructions"]), default="cpu", show_default=True,
    help="What is compared; instructions with --against REV alone, by valgrind: slow, and the same on every run.",
)  # fmt: skip
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Time files whose functions take tensors on this device, beside PyTorch's own there.",
)  # fmt: skip
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "html"]), default="text", show_default=True,
    help="How to write the report.",
)  # fmt: skip
@as_json
@with_exercises
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option(
    "--history", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.jsonl",
    help="Add the ratios of this run to this file as a line; HTML then shows them over all its runs.",
)  # fmt: skip
@click.option(
    "--fail-on", multiple=True, type=click.Choice(["slower", "not timed"]),
    help="Exit with 1 if a function is surely slower, or has no time (it is wrong, it failed); may be given twice.",
)  # fmt: skip
def bench(
    paths: tuple[str, ...],
    only: tuple[str, ...],
    sizes: tuple[str, ...],
    dtypes: tuple[str, ...],
    seconds: float,
    seed: int,
    against: str | None,
    clock: str,
    device: str,
    format_: str,
    json_: bool,
    output: Path | None,
    history: Path | None,
    fail_on: tuple[str, ...],
) -> None:
    """Time right functions beside the reference, PyTorch and the machine's limit; without PATH, the reference.

    A PATH may be the name of a library that `gradproof conform` knows, such as torch or jax.
    """
    from graders import _bench, _device
    from graders._bench import history as past
    from graders._bench import render, revisions, timed
    from graders.harness.sandbox.parent import CannotStart

    if history is not None and clock != "cpu":
        _unusable("--history keeps ratios of times: leave it out, or --clock instructions")
    step = _progress(None, "timed")
    try:
        runs = past.read(history) if history is not None else []  # before an hour's work
        of = next((Path(path) for path in paths if Path(path).exists()), timed.HOME.home)
        revision = revisions.described(of) if history is not None else ""
        result = _bench.bench(
            paths, only=only, sizes=sizes or tuple(_bench.SIZES), dtypes=dtypes, seconds=seconds, seed=seed,
            against=against, clock="instructions" if clock == "instructions" else "cpu", device=device,
            progress=lambda row: step(f"{row.name} {row.size}"),
        )  # fmt: skip
        if history is not None:
            runs.append(past.entry(result, revision))
            past.append(history, runs[-1])
    except (LookupError, _device.NoDevice) as error:
        _unusable(error.args[0])
    except past.UnusableHistory as error:
        _unusable(error)
    except CannotStart as error:
        _harness_failed(error)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if json_ or format_ == "json":
        from graders.harness.report.json import document

        text = document(result)
    else:
        text = render.text(result) if format_ == "text" else render.page(result, past.trends(runs))
    _write(text, output)
    if result.problems or not result.benchmarks:
        sys.exit(UNUSABLE)
    sys.exit(FELL_SHORT if any(row.verdict in fail_on for row in result.benchmarks) else 0)


# ---------------------------------------------------------------- list, show, replay, doctor


@cli.command("list")
@click.argument("patterns", nargs=-1, metavar="[NAME]...")
@with_exercises
@as_json
def list_(patterns: tuple[str, ...], json_: bool) -> None:
    """List the exercises, and what stands behind each."""
    from derivations._catalogue import claims
    from graders import _catalogue

    chosen = _chosen(patterns)
    trials = _catalogue.select_trials(patterns)
    proved = claims()
    ours = _catalogue.OURS.said
    rows: list[dict[str, Any]] = [
        {
            "name": name, "summary": (e.reference.__doc__ or "").strip().split("\n")[0], "proved": name in proved,
            "misconceptions": len(e.misconceptions), "conventions": len(e.conventions),
            "source": ours if name in trials else _catalogue.origin(name).said,
            "judged_by": "properties" if name in trials else "values",
        }
        for name, e in sorted({**chosen, **trials}.items(), key=lambda pair: _catalogue.names().index(pair[0]))
    ]  # fmt: skip
    if json_:
        _print_json({"schema": 1, "exercises": rows})
        return
    for row in rows:
        click.echo(f"{row['name']:38} {row['summary']}")
    outside = sorted({row["source"] for row in rows} - {ours})
    click.echo(
        f"\n{len(rows)} names, {sum(r['proved'] for r in rows)} with a proof of the same name"
        + (f", {len(trials)} judged by properties" if trials else "")
        + (f"; some from {', '.join(outside)}" if outside else "")
    )


@cli.command()
@click.argument("name")
@with_exercises
@as_json
def show(name: str, json_: bool) -> None:
    """Show one name on a page: signature, reference, proof, mistakes and conventions."""
    import inspect

    from derivations import _kernel as kernel
    from derivations._catalogue import claims
    from graders import _api
    from graders.harness.diagnose import told
    from graders.harness.trials import Trial

    try:
        exercise = _api.trial_of(name) or _api.one(name)
    except LookupError as error:
        _unusable(error.args[0])
    claim = claims().get(exercise.name)
    by_properties = isinstance(exercise, Trial)
    page: dict[str, Any] = {
        "schema": 1,
        "name": exercise.name,
        "reference": inspect.getsource(exercise.reference),
        "proof": kernel.as_text(claim) if claim is not None else None,
        "misconceptions": {m.__name__: told(m) for m in exercise.misconceptions},
        "conventions": {c.__name__: told(c) for c in exercise.conventions},
        "edges": [edge.why for edge in (exercise.settings if isinstance(exercise, Trial) else exercise.edges)],
        "judged_by": "properties" if by_properties else "values",
    }
    if json_:
        _print_json(page)
        return
    click.echo(f"{page['name']}\n\nreference\n\n{_indented(str(page['reference']).rstrip())}\n")
    click.echo(f"proof\n\n{_indented(str(page['proof'] or _without_proof(exercise)))}\n")
    for part in ("misconceptions", "conventions"):
        click.echo(f"{part}\n" if page[part] else f"{part}\n\n    none")
        for key, text in page[part].items():
            click.echo(f"    {key}\n        {text}")
        click.echo("")
    click.echo(f"{'settings' if by_properties else 'edges'}\n\n    " + "; ".join(page["edges"]))


def _without_proof(exercise: Any) -> str:
    """Say what a name without a claim is judged by."""
    from graders import _catalogue
    from graders.harness.trials import Trial

    if isinstance(exercise, Trial):
        return "none: it is judged by properties of what it returns, each with its chance to fail an honest one"
    if _catalogue.is_ours(exercise):
        return "none: the truth is the value of the reference text above, at 50 digits or more"
    return (
        "none: no claim speaks of an exercise of your own. The truth is the value of the text above, at 50 digits or\n"
        "more; an error in the formula is not found out. `gradproof audit` says whether each mistake would be."
    )


@cli.command()
@click.argument("case", metavar="NAME@CASE")
@click.argument("path", required=False)
@click.option("--seed", type=click.IntRange(0), help="The seed of the run, to make its cases again on another machine.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Give functions of tensors theirs on this device.",
)  # fmt: skip
@with_exercises
@as_json
def replay(case: str, path: str | None, seed: int | None, device: str, json_: bool) -> None:
    """Replay a verdict: its input, the true value, the allowed error, and what a submission returns today."""
    from graders import _device, _replay
    from graders.harness.sandbox.parent import CannotStart

    try:
        result = _replay.replay(case, path, seed, device)
    except (LookupError, _device.NoDevice) as error:
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
