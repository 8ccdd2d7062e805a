import os
from concurrent.futures import ThreadPoolExecutor

from adapters.sealing.nonces import NONCES, SIZE, Nonces


def test_no_nonce_is_given_twice_in_any_thread():
    nonces = Nonces()
    with ThreadPoolExecutor(8) as threads:
        taken = [
            nonce for part in threads.map(lambda _: [nonces.take() for _ in range(500)], range(16)) for nonce in part
        ]
    assert len(set(taken)) == len(taken) == 8000
    assert {len(nonce) for nonce in taken} == {SIZE}


def test_a_forked_process_does_not_give_the_nonces_of_its_parent():
    NONCES.take()
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(there, b"".join(NONCES.take() for _ in range(1000)))
        os._exit(0)
    with os.fdopen(here, "rb") as answer:
        os.close(there)
        given = answer.read()
    os.waitpid(child, 0)
    theirs = {given[at : at + SIZE] for at in range(0, len(given), SIZE)}
    assert len(theirs) == 1000
    assert not theirs & {NONCES.take() for _ in range(1000)}
