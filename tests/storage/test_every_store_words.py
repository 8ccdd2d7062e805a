import asyncio

from adapters.storage import open_store
from tests.postgres import cut, database, url_for
from tests.storage.conftest import listening


async def test_a_word_reaches_every_process_of_a_shared_store_and_nobody_of_another(store):
    heard = await listening(store)
    await store.notify(["one", "two"])
    if store.shared:
        assert [await heard.get() for _ in range(2)] == ["one", "two"]
    else:
        assert heard.empty()


async def test_what_is_told_while_many_listen_reaches_each(tmp_path):
    async with open_store(url_for(tmp_path)) as one, open_store(url_for(tmp_path)) as other:
        mine, theirs = await listening(one), await listening(other)
        await one.notify(["from one"])
        await other.notify(["from the other"])
        for heard in (mine, theirs):
            assert {await heard.get(), await heard.get()} == {"from one", "from the other"}


async def test_more_words_than_one_notification_holds_are_all_heard_in_order(tmp_path):
    async with open_store(url_for(tmp_path)) as store:
        heard = await listening(store)
        words = [f"{number:032}" for number in range(1000)]
        await store.notify(words)
        assert [await heard.get() for _ in words] == words


async def test_words_are_heard_again_after_the_connection_was_cut(tmp_path):
    async with open_store(url_for(tmp_path)) as store:
        heard = await listening(store)
        assert await cut(database(), "listening") == 1
        word = asyncio.create_task(heard.get())
        while not word.done():
            await store.notify(["again"])
            await asyncio.wait({word}, timeout=0.1)
        assert word.result() == "again"
