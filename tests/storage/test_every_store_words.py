async def test_a_store_that_one_desk_works_alone_has_nobody_to_tell(store):
    heard = []
    await store.listen(heard.append)
    await store.notify(["word"])
    assert not store.shared
    assert heard == []
