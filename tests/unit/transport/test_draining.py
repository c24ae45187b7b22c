from stepdown.transport.draining import DrainSignal


def test_those_who_watch_are_told_once() -> None:
    signal, told = DrainSignal(), list[str]()
    signal.watch(lambda: told.append("first"))
    signal.watch(lambda: told.append("second"))
    signal.set()
    signal.set()
    assert told == ["first", "second"]


def test_those_who_stopped_watching_are_not_told() -> None:
    signal, told = DrainSignal(), list[str]()
    stop = signal.watch(lambda: told.append("never"))
    stop()
    stop()
    signal.set()
    assert told == []


def test_those_who_come_late_are_told_at_once_and_stopping_is_harmless() -> None:
    signal, told = DrainSignal(), list[str]()
    signal.set()
    stop = signal.watch(lambda: told.append("late"))
    stop()
    assert told == ["late"]


def test_one_that_stops_while_it_is_told_is_harmless() -> None:
    signal, told = DrainSignal(), list[str]()

    def watcher() -> None:
        told.append("once")
        stop()

    stop = signal.watch(watcher)
    signal.set()
    assert told == ["once"]
