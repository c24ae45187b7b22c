from stepdown.adapters.worker_pool.log import WorkerLines, printable


def spoken(*parts: bytes) -> tuple[WorkerLines, list[str]]:
    log: list[str] = []
    lines = WorkerLines("worker 1", log.append)
    for part in parts:
        lines.feed(part)
    lines.finish()
    return lines, log


def test_lines_come_out_whole_however_they_were_read() -> None:
    assert spoken(b"fir", b"st\nsecond\nthi", b"rd")[1] == ["worker 1: first", "worker 1: second", "worker 1: third"]


def test_what_could_move_a_terminal_is_taken_out() -> None:
    assert spoken(b"\x1b[1;31mred\x1b[m \x07bell \xff\xfe\n\n  \n")[1] == ["worker 1: red ?bell \ufffd\ufffd"]
    assert printable("a\tb\n\x00c") == "a b ?c"


def test_a_line_without_an_end_is_cut_and_nothing_is_kept_of_it() -> None:
    log = spoken(b"x" * 100_000)[1]
    assert [len(line) for line in log] == [len("worker 1: ") + 400]


def test_a_worker_that_does_not_stop_is_no_longer_passed_on() -> None:
    log = spoken(b"line\n" * 5000)[1]
    assert len(log) == 201
    assert log[-1] == "worker 1: further lines of this worker are dropped"


def test_the_library_that_could_not_be_loaded_is_the_telling_part() -> None:
    lines, _ = spoken(
        b"E: provider_bridge " + b"x" * 600 + b" failed with error: libcublasLt.so.13: cannot open shared object\n",
        b"W: Failed to create CUDAExecutionProvider\n",
    )
    assert lines.telling() == "libcublasLt.so.13: cannot open shared object"


def test_else_the_last_complaint_tells_and_a_quiet_worker_tells_nothing() -> None:
    assert spoken(b"loading\nValueError: bad\nbye\n")[0].telling() == "ValueError: bad"
    assert spoken(b"loading\nbye\n")[0].telling() == ""
