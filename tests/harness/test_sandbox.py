"""The boundary: what a stranger's file can do, and that all that comes of it is an outcome."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.harness.sandbox import codec, contract, parent, processes
from graders.harness.sandbox.arena import Arena
from graders.harness.sandbox.codec import Kept, Opaque, Record, decode
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Outcome, Raised, Returned, TimedOut
from graders.harness.sandbox.live import LiveBox
from graders.harness.sandbox.parent import CannotStart, ProcessBox, Submission

SHORT = Limits(call_seconds=0.3, load_seconds=1.5)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="a child process of its own needs POSIX")


@pytest.fixture
def basic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start children as where no zygote is to be had."""
    monkeypatch.setattr(processes, "start", processes.Interpreter)


def of(text: str, name: str = "theirs.py", kind: str = "file") -> Submission:
    return Submission(name, name, kind, name, {name: textwrap.dedent(text)})


def package(module: str | None = None, **files: str) -> Submission:
    texts = {name.replace("__", "/") + ".py": textwrap.dedent(text) for name, text in files.items()}
    texts = {name.replace("/init.py", "/__init__.py"): text for name, text in texts.items()}
    return Submission("theirs", "theirs", "module" if module else "package", module or "theirs", texts)


def answers(text: str, *calls: Call, limits: Limits = SHORT) -> list[Outcome]:
    with ProcessBox(of(text), ("numpy",), limits) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        return box.call(calls)


def answer(text: str, *arguments: Any, limits: Limits = SHORT) -> Outcome:
    (outcome,) = answers(text, Call("f", arguments), limits=limits)
    return outcome


def loading(text: str, limits: Limits = SHORT) -> Loaded | Raised | TimedOut | Killed:
    with ProcessBox(of(text), ("numpy",), limits) as box:
        return box.loaded


def returned(outcome: Outcome) -> Any:
    assert isinstance(outcome, Returned), outcome
    (value,) = outcome.values
    return value


def parent_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return None


def children_of(pid: int) -> set[int]:
    return {
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and parent_of(int(entry.name)) == pid
    }


def zygotes_of(pid: int) -> set[int]:
    """Return the children that are zygotes, or bubblewraps around one: before them another is tried, and goes."""

    def is_zygote(child: int) -> bool:
        try:
            return b"gradproof_child.zygote" in Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            return False

    return set(filter(is_zygote, children_of(pid)))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(happens: Any, seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happens():
            return True
        time.sleep(0.02)
    return False


# ---------------------------------------------------------------- what the child can see


@pytest.mark.parametrize(
    "name", ["reference", "derivations", "graders", "sympy", "hypothesis", "mpmath", "pytest", "click"]
)
def test_a_submission_cannot_import_the_grader_or_its_tools(name: str) -> None:
    result = loading(f"import {name}")

    assert isinstance(result, Raised)
    assert result.kind == "ModuleNotFoundError"
    assert result.missing == name


def test_a_self_check_in_a_submission_does_nothing_here() -> None:
    result = loading(
        "import gradproof\nanswer = gradproof.check('relu', None)\nassert not hasattr(gradproof, '__file__')"
    )

    assert isinstance(result, Loaded)


def test_a_decorator_of_an_absent_package_costs_only_what_it_decorates() -> None:
    text = "from numba import njit\nimport keras\nclass Net(keras.Model):\n    pass\n"
    text += "@njit\ndef f(x): return x\ndef g(x): return x\n"
    submission = dataclasses.replace(of(text), absent=("numba", "keras"))
    with parent.open(submission) as box:
        refused, returned = box.call([Call("f", (1,)), Call("g", (1,))])

    assert isinstance(refused, Raised)
    assert refused.missing == "numba"
    assert isinstance(returned, Returned)


def test_a_forged_reply_is_no_reply() -> None:
    text = (
        "import sys\nchild = sys.modules['gradproof_child.child']\ndef f(x): return x\n"
        "child.perform = lambda *a: {'status': 'returned', 'values': [], 'aliased': False}\n"
    )
    with parent.open(of(text)) as box:
        (outcome,) = box.call([Call("f", (1,))])

    assert isinstance(outcome, Killed)
    assert "broke the protocol" in outcome.why


def test_a_package_that_the_text_never_names_is_not_missing() -> None:
    with parent.open(of("def f(): raise ModuleNotFoundError('x', name='what' + 'ever')")) as box:
        (outcome,) = box.call([Call("f", ())])

    assert isinstance(outcome, Raised)
    assert outcome.missing is None


def test_a_signal_without_a_name_kills_like_any_other() -> None:
    with parent.open(of("import os\ndef f(): os.kill(os.getpid(), 40)")) as box:
        (outcome,) = box.call([Call("f", ())])

    assert outcome == Killed("the process died of signal 40")


def test_numpy_and_the_standard_library_can_be_imported() -> None:
    assert isinstance(loading("import math, json, numpy.linalg, collections.abc"), Loaded)


def test_no_path_and_no_variable_leads_to_the_grader() -> None:
    seen = returned(
        answer(
            """
            import os, sys
            def f():
                return [*sys.path, os.getcwd(), *sys.argv], dict(os.environ)
            """
        )
    )

    here = str(Path(parent.__file__).parents[3])
    paths, environment = seen
    assert here not in [os.path.realpath(path) for path in paths]
    assert "XDG_CACHE_HOME" not in environment
    assert set(environment) <= {"HOME", "LC_CTYPE", "PATH", *processes.ONE_THREAD}


def test_only_call_data_crosses_to_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = []
    put = Arena.put

    def recorded(arena: Arena, body: bytes) -> int:
        bodies.append(body)
        return put(arena, body)

    monkeypatch.setattr(Arena, "put", recorded)
    x = np.array([0.5, 0.25])
    answers("def f(x, *, by):\n    return x * by", Call("f", (x,), {"by": 3.0}))
    monkeypatch.undo()

    load, call = map(decode, bodies)
    assert set(load) == {"do", "name", "kind", "files", "absent"}
    assert load["files"] == {"theirs.py": "def f(x, *, by):\n    return x * by"}
    assert set(call) == {"do", "calls"}
    ((function, arguments, keywords, read, keep),) = call["calls"]
    assert (function, keywords, read, keep) == ("f", {"by": 3.0}, [[]], "")
    np.testing.assert_array_equal(arguments[0], x)


def test_a_submission_knows_no_path_of_its_own() -> None:
    assert returned(answer("def f():\n    return __file__, __name__")) == ("theirs.py", "theirs")


# ---------------------------------------------------------------- loading


def test_an_import_that_raises_says_what_and_where() -> None:
    result = loading("x = 1\nraise ValueError('not today')\n")

    assert result == Raised("ValueError", "not today", 2, "raise ValueError('not today')", "theirs.py")


def test_a_listing_says_what_functions_import() -> None:
    made = loading(
        """
        import json
        def f():
            from scipy.special import erf
            import torch, os.path as path
        class C:
            def g(self):
                if self:
                    from . import nothing
        """
    )

    assert isinstance(made, Loaded)
    assert made.imports == ("json", "os", "scipy", "torch")
    plain = loading("import json\nfrom math import pi\ndef f():\n    return pi\n")
    assert isinstance(plain, Loaded)
    assert plain.imports == ()


def test_a_notebook_says_so_too() -> None:
    cell = {"cell_type": "code", "source": ["def f():\n", "    import torch\n", "    return 1\n"]}
    submission = Submission("n", "n.ipynb", "notebook", "n.ipynb", {"n.ipynb": json.dumps({"cells": [cell]})})

    with ProcessBox(submission, ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Loaded)
        assert box.loaded.imports == ("torch",)


def test_a_syntax_error_says_where() -> None:
    result = loading("def f(:\n    pass\n")

    assert isinstance(result, Raised)
    assert (result.kind, result.line, result.text) == ("SyntaxError", 1, "def f(:")


def test_sys_exit_at_import_is_an_exception_as_any() -> None:
    assert loading("import sys; sys.exit('bye')") == Raised(
        "SystemExit", "bye", 1, "import sys; sys.exit('bye')", "theirs.py"
    )


def test_ending_the_process_at_import_is_told() -> None:
    assert loading("import os; os._exit(0)") == Killed("the process ended itself (exit status 0)")


def test_an_import_that_never_ends_is_stopped_by_its_cpu_clock() -> None:
    assert loading("while True: pass", Limits(load_seconds=0.3, wall_factor=100)) == TimedOut(0.3, "of CPU time")


def test_an_import_that_prints_fifty_megabytes_is_loaded_and_what_it_printed_is_cut() -> None:
    text = "print('x' * 50_000_000)\ndef f():\n    return 1.0\n"
    with ProcessBox(of(text), ("numpy",), Limits(printed=1000)) as box:
        assert isinstance(box.loaded, Loaded)
        assert returned(box.call([Call("f", ())])[0]) == 1.0
        assert bytes(box.printed) == b"x" * 1000


def test_a_listing_says_what_each_function_takes_and_whose_it_is() -> None:
    result = loading(
        """
        from math import exp
        import numpy as np
        from numpy import tanh
        def f(x, y=1, *rest, axis, eps=1e-5, **others): pass
        def _private(): pass
        class Layer: pass
        g = lambda z: z
        number = 3
        """
    )

    assert isinstance(result, Loaded)
    by_name = {function.name: function for function in result.functions}
    assert set(by_name) == {"exp", "tanh", "f", "g"}
    assert [name for name, function in by_name.items() if function.own] == ["f", "g"]
    assert by_name["f"].parameters == (
        ("x", "positional", True),
        ("y", "positional", False),
        ("rest", "rest", True),
        ("axis", "keyword", True),
        ("eps", "keyword", False),
        ("others", "others", True),
    )


def test_a_notebook_is_loaded_cell_by_cell_and_a_broken_cell_spoils_itself_only() -> None:
    cells = [
        ("markdown", "# Exercise"),
        ("code", "%matplotlib inline\nimport numpy as np\n!pip install x\n"),
        ("code", "def f(x):\n    return np.exp(x)"),
        ("code", "def half(x):\n    return x +"),
        ("code", "raise SystemExit  # not a definition: never run\nwhile True: pass"),
        ("code", "%%timeit\nf(3)"),
        ("code", "f(undefined)\nscale = undefined\nK = 2\ndef g(x):\n    return K * f(x)"),
    ]
    text = json.dumps({"cells": [{"cell_type": kind, "source": source.splitlines(True)} for kind, source in cells]})

    with ProcessBox(of(text, "hw.ipynb", "notebook"), ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Loaded)
        assert [f.name for f in box.loaded.functions] == ["f", "g"]
        first, second = box.loaded.notes
        assert first.startswith("cell 3 is not Python:")
        assert second == "cell 6, line 2: NameError: name 'undefined' is not defined"
        assert returned(box.call([Call("g", (np.zeros(1),))])[0])[0] == 2


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"cells": 3}', '{"cells": [{}]}', '{"worksheets": []}'])
def test_what_is_no_notebook_says_so(text: str) -> None:
    with ProcessBox(of(text, "hw.ipynb", "notebook"), ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Raised)
        assert "not a notebook of format 4" in box.loaded.message


def test_a_package_keeps_its_relative_imports() -> None:
    made = package(
        theirs__init="from .layers import f\n",
        theirs__layers="from . import tools\nfrom .tools import twice\ndef f(x):\n    return twice(x)\n",
        theirs__tools="def twice(x):\n    return 2 * x\n",
        theirs__broken="import nowhere\n",
    )

    with ProcessBox(made, ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Loaded)
        assert [f.name for f in box.loaded.functions] == ["layers.f", "tools.twice"]  # each once, where it is defined
        assert box.loaded.notes == ("imports 'nowhere', which is not here: what needs it cannot be judged",)
        assert returned(box.call([Call("layers.f", (2.0,))])[0]) == 4


def test_one_file_of_a_package_is_loaded_inside_it() -> None:
    made = package(
        "theirs.layers",
        theirs__init="",
        theirs__layers="from .tools import twice\ndef f(x):\n    return twice(x)\n",
        theirs__tools="def twice(x):\n    return 2 * x\n",
    )

    with ProcessBox(made, ("numpy",), SHORT) as box:
        assert returned(box.call([Call("f", (2.0,))])[0]) == 4


PRINTS = "def helper(x):\n    print 'x'\n"
SAID = "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)? (old.py, line 2)"


@pytest.mark.parametrize(
    "init, note",
    [
        ("from .old import helper\nfrom .right import f\n", f"line 1: {SAID}; what needs this import cannot be judged"),
        ("from .old import *\nX = helper(1)\n", f"line 1: {SAID}; what needs this import cannot be judged"),
        ("import old\n", f"line 1: {SAID}; what needs this import cannot be judged"),
        ("from . import lost\n", "line 1: ImportError: cannot import name 'lost' from partially initialized module"),
        ("from .lost import f\n", "line 1: ModuleNotFoundError: No module named 'theirs.lost'; what needs this"),
        (
            "from collections import Iterable\n",
            "line 1: ImportError: cannot import name 'Iterable' from 'collections';",
        ),
        ("from .right import f\nV = open('V').read()\n", "raised FileNotFoundError (line 2): [Errno 2] No such file"),
        ("import sys\nsys.exit(1)\n", "raised SystemExit (line 2): 1; its definitions are judged"),
        ("print 'x'\n", "print(...)? (__init__.py, line 1); the other files are judged without it"),
    ],
)
@pytest.mark.parametrize("module", [None, "theirs.right"])
def test_what_an_init_fails_at_costs_no_other_file(init: str, note: str, module: str | None) -> None:
    made = package(module, theirs__init=init, theirs__old=PRINTS, theirs__right="def f(x):\n    return 2 * x\n")

    with ProcessBox(made, ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        assert returned(box.call([Call("f" if module else "right.f", (2.0,))])[0]) == 4
        (told,) = [one for one in box.loaded.notes if "__init__" in one]
        assert note in told


@pytest.mark.parametrize(
    "way, called",
    [("from .old import helper", "helper"), ("from .old import *", "helper"), ("from . import old", "old.helper"),
     ("import theirs.old as o", "o.helper"), ("from old import helper", "helper")],
)  # fmt: skip
def test_what_needs_a_file_that_cannot_be_imported_says_so_and_nothing_else_is_lost(way: str, called: str) -> None:
    uses = f"from __future__ import annotations\n{way}\ndef f(x: Unknown):\n    return x\n"
    uses += f"def g(x):\n    return {called}(x)\n"
    with ProcessBox(package(theirs__init="", theirs__old=PRINTS, theirs__uses=uses), ("numpy",), SHORT) as box:
        right, lost, own = box.call([Call("uses.f", (2.0,)), Call("uses.g", (2.0,)), Call("old.helper", (2.0,))])
        assert isinstance(box.loaded, Loaded)

    assert returned(right) == 2
    for raised in (lost, own):
        assert isinstance(raised, Raised)
        assert (raised.kind, raised.line) == ("SyntaxError", 2)
    assert [note.partition(":")[0] for note in box.loaded.notes] == ["theirs/old.py", "theirs/uses.py, line 2"]


def test_files_that_import_each_other_in_a_circle_are_judged() -> None:
    made = package(
        theirs__init="from .a import f\n",
        theirs__a="from .b import g\ndef f(x):\n    return x\n",
        theirs__b="from .a import f\ndef g(x):\n    return 2 * x\ndef h(x):\n    return f(x)\n",
    )
    with ProcessBox(made, ("numpy",), SHORT) as box:
        first, second, third = box.call([Call("a.f", (2.0,)), Call("b.g", (2.0,)), Call("b.h", (2.0,))])

    assert (returned(first), returned(second)) == (2, 4)
    assert isinstance(third, Raised)
    assert "cannot import name 'f' from partially initialized module 'theirs.a'" in third.message


def test_old_course_files_find_past_builtins_and_matplotlib() -> None:
    text = """
        from builtins import range
        from past.builtins import xrange
        import matplotlib.pyplot as plt
        plt.rcParams
        plt.plot([1, 2])
        def f():
            return sum(xrange(4))
        """

    assert returned(answer(text)) == 6


# ---------------------------------------------------------------- calling


def test_an_exception_says_what_and_where() -> None:
    outcome = answer("def f(x):\n    return x + undefined\n", 1.0)

    assert outcome == Raised("NameError", "name 'undefined' is not defined", 2, "return x + undefined", "theirs.py")


@pytest.mark.parametrize(
    "body",
    [
        "raise Bad",
        "raise type('Name' * 1000, (Exception,), {})('x' * 10_000_000)",
        "raise ModuleNotFoundError('m', name=Odd())",
        "raise Exception(Bad())",
    ],
)
def test_hostile_exceptions_are_data_of_bounded_size(body: str) -> None:
    text = f"""
        class Odd(str):
            def __getitem__(self, key): return object()
            def partition(self, by): return 1
        class Bad(Exception):
            def __str__(self): raise SystemExit
            __repr__ = __str__
        def f():
            {body}
        """
    outcome = answer(text)

    assert isinstance(outcome, Raised)
    assert len(outcome.kind) <= 100
    assert len(outcome.message) <= 2000


def test_sys_exit_in_a_call_is_an_exception_as_any_and_the_next_call_is_made() -> None:
    text = "import sys\ndef f(x):\n    return 1.0 if x else sys.exit(0)\n"
    first, second = answers(text, Call("f", (0.0,)), Call("f", (1.0,)))

    assert isinstance(first, Raised)
    assert first.kind == "SystemExit"
    assert returned(second) == 1.0


@pytest.mark.parametrize(
    "body, why",
    [
        ("os._exit(0)", "the process ended itself (exit status 0)"),
        ("os._exit(7)", "the process ended itself (exit status 7)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the process died of SIGSEGV"),
        ("os.abort()", "the process died of SIGABRT"),
        ("os.closerange(0, 64); time.sleep(9)", "it closed the channel to the grader"),
    ],
)
def test_a_process_that_ends_itself_is_killed_with_its_cause(body: str, why: str) -> None:
    assert answer(f"import os, signal, time\ndef f():\n    {body}\n") == Killed(why)


def test_memory_beyond_the_limit_is_the_submissions_own_error() -> None:
    outcome = answer(
        "import numpy as np\ndef f():\n    return float(np.ones(1 << 30).sum())\n", limits=Limits(memory=2 << 30)
    )

    assert isinstance(outcome, Raised)
    assert "MemoryError" in outcome.kind


def test_twenty_thousand_calls_may_be_made_at_once() -> None:
    calls = [Call("f", (float(i),), {"y": 1.0}) for i in range(20_000)]
    outcomes = answers("def f(x, y=0):\n    return x + y\n", *calls, limits=Limits())

    assert [returned(one) for one in outcomes] == [i + 1.0 for i in range(20_000)]


def test_a_loop_is_stopped_by_the_cpu_clock() -> None:
    limits = Limits(call_seconds=0.2, wall_factor=100)

    assert answer("def f():\n    while True: pass\n", limits=limits) == TimedOut(0.2, "of CPU time")


def test_a_sleep_is_stopped_by_the_wall_clock() -> None:
    limits = Limits(call_seconds=0.125, wall_factor=2)

    outcome = answer("import time\ndef f():\n    time.sleep(60)\n", limits=limits)

    assert outcome == TimedOut(0.25, "of wall-clock time")


def test_a_machine_that_stands_still_is_not_charged_to_a_submission(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the wall clock half is another machine's: it may last twice as long, and no longer."""
    monkeypatch.setattr(parent, "stolen_seconds", lambda: time.monotonic() * (os.cpu_count() or 1) / 2)
    limits = Limits(call_seconds=0.125, wall_factor=2)
    text = "import time\ndef f(seconds):\n    time.sleep(seconds)\n    return 1.0\n"

    assert returned(answer(text, 0.375, limits=limits)) == 1.0
    assert answer(text, 60.0, limits=limits) == TimedOut(0.25, "of wall-clock time")


def test_what_other_machines_take_is_read_where_the_system_tells_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "stat"
    told.write_text("cpu  10 11 12 13 14 15 16 250 18 19\ncpu0 5 6 7 8 9 10 11 12 13 14\n")
    monkeypatch.setattr(parent, "SYSTEM", told)

    assert parent.stolen_seconds() == 250 / os.sysconf("SC_CLK_TCK")
    told.write_text("cpu  10 11 12\n")  # an old system
    assert parent.stolen_seconds() == 0
    told.unlink()
    assert parent.stolen_seconds() == 0


def test_no_call_is_made_after_one_that_was_stopped() -> None:
    text = "def f(x):\n    while x: pass\n    return x\n"
    outcomes = answers(text, Call("f", (0.0,)), Call("f", (1.0,)), Call("f", (0.0,)), limits=Limits(call_seconds=0.2))

    assert [type(outcome) for outcome in outcomes] == [Returned, TimedOut]


def test_the_whole_submission_has_a_clock_too() -> None:
    text = "import time\ndef f():\n    end = time.process_time() + 0.05\n    while time.process_time() < end: pass\n"
    outcomes = answers(text, *[Call("f", ())] * 9, limits=Limits(total_seconds=0.2))

    assert outcomes[-1] == TimedOut(0.2, "for the whole submission")
    assert isinstance(outcomes[0], Returned)


def test_to_sleep_a_little_in_every_call_costs_time_too() -> None:
    limits = Limits(call_seconds=0.3, wall_factor=2, total_seconds=0.4)
    text = "import time\ndef f():\n    time.sleep(0.2)\n    return 1.0\n"

    outcomes = answers(text, *[Call("f", ())] * 10, limits=limits)

    assert 3 <= len(outcomes) <= 6
    assert outcomes[-1] == TimedOut(0.4, "for the whole submission")


def test_printing_fifty_megabytes_changes_nothing() -> None:
    text = """
        import os, sys
        def f():
            sys.stdout.write("x" * 25_000_000)
            sys.stderr.write("y" * 25_000_000)
            os.write(1, b"HTTP/1.1 200 OK")
            return 2.0
        """

    assert returned(answer(text, limits=Limits())) == 2.0


@pytest.mark.parametrize("junk", ["b'junk'", "bytes(16)", "b'\\xff' * 64", "b'\\x00' * 1_000_000"])
def test_junk_on_every_descriptor_breaks_the_protocol_and_nothing_else(junk: str) -> None:
    text = f"""
        import os
        def f():
            for descriptor in range(3, 64):
                try:
                    os.write(descriptor, {junk})
                except OSError:
                    pass
            return 1.0
        """
    outcome = answer(text)

    assert isinstance(outcome, Killed)
    assert outcome.why.startswith("it broke the protocol")


def test_a_well_formed_reply_that_nobody_asked_for_is_no_answer() -> None:
    text = """
        import os
        from gradproof_child.codec import REPLY, encode
        def f():
            body = encode([[42.0], False])
            forged = REPLY.pack(0, len(body)) + body
            for descriptor in range(3, 64):
                try:
                    os.write(descriptor, forged)
                except OSError:
                    pass
            return 1.0
        """

    assert answer(text) == Killed("it broke the protocol: a reply that nobody asked for")


def test_a_forged_reply_of_no_known_form_breaks_the_protocol() -> None:
    replies: list[Any] = [{"status": "returned"}, [], [[]], [1, False], [[], 0], [[], False, 1]]

    for reply in replies:
        assert contract.outcome(reply) == Killed("it broke the protocol: a reply of an unknown form")


def test_a_forged_listing_breaks_the_protocol() -> None:
    listings: list[Any] = [[{}], [3], [{"name": "f", "parameters": [1], "own": True}]]

    for functions in listings:
        forged = contract.loaded({"status": "loaded", "functions": functions, "notes": [], "imports": []})
        assert forged == Killed("it broke the protocol: a listing of an unknown form")
    assert contract.loaded([[], False]) == Killed("it broke the protocol: a reply out of order")


def test_standard_input_is_empty() -> None:
    assert returned(answer("import sys\ndef f():\n    return sys.stdin.read()\n")) == ""


# ---------------------------------------------------------------- results


@pytest.mark.parametrize(
    "expression, described",
    [
        ("object()", "a object"),
        ("(n for n in range(3))", "a generator"),
        ("2 ** 100", "an integer of more than 64 bits"),
        ("1j", "a complex"),
        ("np.array([1j])", "an array of complex128"),
        ("np.array([object()])", "an array of object"),
        ("np.array(['a'])", "an array of <U1"),
        ("f", "a function"),
        ("{1, 2}", "a set"),
        ("b'bytes'", "a bytes"),
    ],
)
def test_what_is_no_data_comes_back_as_words(expression: str, described: str) -> None:
    value = returned(answer(f"import numpy as np\ndef f():\n    return {expression}\n"))

    assert value == Opaque(described)


def test_a_lying_subclass_of_an_array_comes_back_as_the_array_that_it_is() -> None:
    text = """
        import numpy as np
        class Liar(np.ndarray):
            shape = (2, 2)
            def __eq__(self, other): return True
            def __array__(self, *args, **kwargs): return np.ones(3)
            def __reduce__(self): raise SystemExit
            def tobytes(self): return b""
        def f(x):
            return x.view(Liar)
        """
    value = returned(answer(text, np.array([1.0, 2.0, 3.0])))

    assert type(value) is np.ndarray
    assert value.shape == (3,)
    np.testing.assert_array_equal(value, [1, 2, 3])


def test_an_array_of_another_kind_comes_back_as_what_it_gives_numpy() -> None:
    text = """
        import dataclasses, numpy as np
        @dataclasses.dataclass
        class Tensor:
            data: object
            def __array__(self, dtype=None, copy=None): return np.asarray(self.data)
        class Lent:
            def __init__(self, data): self.data = data
            def __dlpack__(self, **keywords): return self.data.__dlpack__(**keywords)
            def __dlpack_device__(self): return self.data.__dlpack_device__()
        class Odd:
            def __array__(self, dtype=None, copy=None): return np.array([object()])
        def f(x):
            return Tensor(2 * x), [Lent(3 * x)], Odd(), Tensor
        """
    doubled, (tripled,), odd, kind = returned(answer(text, np.array([1.0, 2.0])))

    np.testing.assert_array_equal([doubled, tripled], [[2, 4], [3, 6]])
    assert (odd, kind) == (Opaque("an array of object"), Opaque("a type"))


def test_long_doubles_come_back_as_doubles() -> None:
    value = returned(answer("import numpy as np\ndef f():\n    return np.full(2, 0.1, dtype=np.longdouble)\n"))

    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, [0.1, 0.1])


def test_what_an_absent_package_offers_says_so_only_when_it_is_used() -> None:
    text = """
        import cupy.linalg as cp
        from cupy import asarray
        def f(x):
            return x
        def g(x):
            return asarray(x)
        def h(x):
            return cp.norm(x)
        """
    submission = Submission("a", "a.py", "file", "a.py", {"a.py": textwrap.dedent(text)}, absent=("cupy",))
    with ProcessBox(submission, ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Loaded)
        assert box.loaded.notes == (
            "imports 'cupy', which is not allowed or not installed: what needs it cannot be judged",
        )
        right, *wrong = box.call([Call(name, (1.0,)) for name in "fgh"])

    assert returned(right) == 1.0
    for outcome in wrong:
        assert isinstance(outcome, Raised)
        assert (outcome.kind, outcome.missing) == ("ModuleNotFoundError", "cupy")


def test_a_subclass_of_float_earns_no_more_than_words() -> None:
    text = """
        class Chameleon(float):
            def __eq__(self, other): return True
        def f():
            return Chameleon(3)
        """

    assert returned(answer(text)) == Opaque("a Chameleon")


def test_containers_named_tuples_and_mappings_come_back_as_plain_ones() -> None:
    text = """
        import collections, dataclasses, numpy as np
        Pair = collections.namedtuple("Pair", "dx dw")
        @dataclasses.dataclass
        class Grads:
            dW: object
        def f():
            return [Pair(np.float32(1), 2), {1: (3,)}, Grads(np.int64(4)), None, True, "text"]
        """
    pair, mapping, grads, *rest = returned(answer(text))

    assert pair["dx"].dtype == np.float32
    assert (pair["dw"], mapping, int(grads["dW"]), rest) == (2, {"1": (3,)}, 4, [None, True, "text"])


def test_a_result_that_holds_itself_is_an_error_and_does_not_end_the_submission() -> None:
    first, second = answers(
        "def f():\n    x = []\n    x.append(x)\n    return x\ng = lambda: 1.0\n", Call("f", ()), Call("g", ())
    )

    assert isinstance(first, Raised)
    assert returned(second) == 1.0


def test_a_result_too_large_is_told_and_does_not_end_the_submission() -> None:
    text = "import numpy as np\ndef f(n):\n    return np.zeros(int(n))\n"
    first, second = answers(text, Call("f", (1e7,)), Call("f", (2.0,)), limits=Limits())

    assert isinstance(first, Raised)
    assert "80,000,065 bytes, at most 262,144 are read" in first.message
    assert returned(second).shape == (2,)


def test_writing_to_an_argument_is_seen_and_spoils_no_later_call() -> None:
    text = "def f(x, y):\n    y[0] = 7\n    return x\n"
    x, y = np.array([1.0]), np.array([2.0])
    first, second = answers(text, Call("f", (x, y)), Call("f", (y, [x])))

    assert isinstance(first, Returned)
    assert isinstance(second, Returned)
    assert (first.mutated, first.aliased) == ((1,), True)
    np.testing.assert_array_equal(returned(second), [2.0])
    np.testing.assert_array_equal(y, [2.0])


@pytest.mark.parametrize("expression, aliased", [("x", True), ("x[::-1]", True), ("x.T", True), ("x.copy()", False)])
def test_a_view_of_an_argument_is_seen(expression: str, aliased: bool) -> None:
    outcome = answer(f"def f(x):\n    return {expression}\n", np.ones((2, 3)))

    assert isinstance(outcome, Returned)
    assert outcome.aliased is aliased
    assert outcome.mutated == ()


def test_a_cache_stays_in_the_child_under_its_handle() -> None:
    text = """
        class Cache:
            def __init__(self, x): self.x = x
        def forward(x):
            return 2 * x, Cache(x)
        def backward(dout, cache):
            return dout * cache.x
        """
    x, dout = np.array([3.0]), np.array([5.0])
    first, second = answers(
        text, Call("forward", (x,), read=((0,),), keep="it"), Call("backward", (dout, Kept("it", (1,))))
    )

    np.testing.assert_array_equal(returned(first), [6.0])
    np.testing.assert_array_equal(returned(second), [15.0])


def test_a_handle_to_a_failed_call_is_unreadable_and_so_is_a_part_that_is_not_there() -> None:
    text = "def f(x):\n    return 1 / x\n"
    outcomes = answers(
        text,
        Call("f", (0,), keep="a"),
        Call("f", (Kept("a"),)),
        Call("f", (2,), keep="b"),
        Call("f", (Kept("b", (0,)),)),
        Call("f", (Kept("b", ("x",)),)),
        Call("f", (2,), read=((0,),)),
    )

    messages = [outcome.message if isinstance(outcome, Raised) else "" for outcome in outcomes]
    assert messages == [
        "division by zero",
        "an earlier call failed, so a is not there",
        "",
        "returned a float, expected a tuple of several results",
        "returned a float, expected it to hold 'x'",
        "returned a float, expected a tuple of several results",
    ]


def test_handles_do_not_outlive_their_request() -> None:
    with ProcessBox(of("def f(x):\n    return x\n"), ("numpy",), SHORT) as box:
        box.call([Call("f", (1.0,), keep="a")])
        (outcome,) = box.call([Call("f", (Kept("a"),))])

    assert outcome == Raised("unreadable", "an earlier call failed, so a is not there")


def test_a_record_becomes_a_namedtuple() -> None:
    text = "def f(state):\n    return [type(state).__name__, list(state._fields), state.t, state._replace(t=9)]\n"

    assert returned(answer(text, Record("AdamState", {"t": 2, "m": 1.5}))) == [
        "AdamState",
        ["t", "m"],
        2,
        {"t": 9, "m": 1.5},
    ]


def test_a_live_function_answers_as_the_child_does() -> None:
    text = "def f(x, y):\n    y[0] = 7\n    return x, object()\n"
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102
    call = Call("f", (np.ones(2), np.ones(1)))

    with LiveBox({"f": scope["f"]}) as box:
        assert isinstance(box.loaded, Loaded)
        (live,) = box.call([call])
    apart = answer(text, *call.arguments)

    assert isinstance(live, Returned)
    assert isinstance(apart, Returned)
    assert (live.mutated, live.aliased) == (apart.mutated, apart.aliased) == ((1,), True)
    assert live.values[0][1] == apart.values[0][1] == Opaque("a object")
    np.testing.assert_array_equal(call.arguments[1], [1.0])  # it wrote to a copy


# ---------------------------------------------------------------- the end


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_closing_leaves_no_process_not_even_one_that_the_submission_started(basic: None) -> None:
    text = """
        import os, subprocess, sys
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        def f():
            return [os.getpid(), helper.pid]
        """
    with ProcessBox(of(text), ("numpy",), SHORT) as box:
        child, helper = returned(box.call([Call("f", ())])[0])
        assert is_alive(child)
        assert is_alive(helper)

    assert eventually(lambda: not is_alive(child) and not is_alive(helper))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forbid it")
def test_no_process_can_be_started() -> None:
    made = loading("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])\n")

    assert isinstance(made, Raised)
    assert made.kind == "PermissionError"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_submission_that_was_stopped_leaves_no_process() -> None:
    before = children_of(os.getpid())
    answer("import time\ndef f():\n    time.sleep(60)\n", limits=Limits(call_seconds=0.1))

    assert eventually(lambda: children_of(os.getpid()) <= before)


def test_closing_twice_is_harmless() -> None:
    box = ProcessBox(of("def f(): pass"), ("numpy",), SHORT)
    box.close()
    box.close()


def test_a_file_too_large_for_a_message_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MAX_BODY", 1 << 26)
    with ProcessBox(Submission("a", "a", "package", "a", {"a.py": "#" * 10, **many_files()}), ("numpy",), SHORT) as box:
        assert isinstance(box.loaded, Raised)
        assert "too large" in box.loaded.message


def many_files() -> dict[str, str]:
    text = "#" * (1 << 22)
    return {f"file{n}.py": text for n in range(17)}


def test_a_submission_that_dies_at_import_is_told_apart_from_a_broken_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    dies = of("import os; os._exit(1)")
    with parent.open(dies, limits=SHORT) as box:
        assert isinstance(box.loaded, Killed)

    monkeypatch.setattr(parent, "CANARY", dies)
    with pytest.raises(CannotStart, match="not even an empty submission could be loaded"):
        parent.open(of("import os; os._exit(1)"), limits=SHORT)


def test_a_process_that_cannot_be_started_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    processes.close_all()  # one that runs already could go on
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")

    with pytest.raises(CannotStart, match="no process could be started"):
        parent.open(of("def f(): pass"))


@contextlib.contextmanager
def started(command: Sequence[str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_ends_the_grader_and_its_child(number: signal.Signals, status: int, tmp_path: Path) -> None:
    (tmp_path / "sleeps.py").write_text("import time\ntime.sleep(600)\n")
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a background run ignores it
        "sys.argv = ['gradproof', 'grade', 'sleeps.py']; import gradproof; gradproof.main()"
    )

    with started([sys.executable, "-P", "-c", program], tmp_path) as process:
        assert eventually(lambda: zygotes_of(process.pid))
        (child,) = zygotes_of(process.pid)
        process.send_signal(number)
        out, error = process.communicate(timeout=30)

        assert process.returncode == status
        assert eventually(lambda: not is_alive(child))
        assert out == b""
        assert b"Traceback" not in error
        if number == signal.SIGINT:
            assert error.strip() == b"gradproof: interrupted"
