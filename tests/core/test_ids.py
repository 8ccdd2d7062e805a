import re
import threading
from datetime import UTC, datetime, timedelta

from core import ids
from core.ids import new_id, time_of


def test_an_id_is_a_uuid_of_version_7_in_32_hex_letters():
    assert re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", new_id())


def test_ids_sort_in_the_order_they_were_made():
    made = [new_id() for _ in range(10_000)]

    assert made == sorted(set(made))


def test_threads_never_get_the_same_id():
    made = []
    threads = [threading.Thread(target=lambda: made.extend(new_id() for _ in range(2_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8_000


def test_a_clock_that_is_set_back_does_not_disturb_the_order(monkeypatch):
    before = new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 0)

    assert new_id() > before


def test_an_id_tells_when_it_was_made():
    assert abs(time_of(new_id()) - datetime.now(UTC)) < timedelta(seconds=5)
