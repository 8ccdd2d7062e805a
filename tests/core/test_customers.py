import pytest

from core.config import TierSettings
from core.customers import apply_profile, customer_records, find_customer, identities, new_customer
from core.errors import ChangedError, ConflictError
from core.models import ConversationRef, Profile
from tests.core.books import open_books

ALICE = ConversationRef("terminal", "local", "alice", "alice")
TIERS = TierSettings()


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


async def test_a_new_customer_is_found_by_who_they_are_wherever_they_write(books):
    profile = Profile("Alice", "premium")
    customer, records = await new_customer(books.sealer, ALICE, profile, tiers=TIERS, at=books.tick())
    await books.commit(*records)
    elsewhere = ConversationRef("terminal", "local", "C2", "alice", thread="17.1", direct=False)
    assert await find_customer(books.store, books.sealer, elsewhere) == customer
    assert (customer.name, customer.tier, customer.version, customer.changed) == ("Alice", "premium", 1, False)


async def test_what_a_platform_tells_of_a_person_is_kept_until_it_tells_something_else(books):
    customer = await books.customer("alice")
    told = Profile(email="alice@example.com", locale="de-AT", timezone="Europe/Vienna")
    assert apply_profile(customer, told, TIERS)
    await books.commit(*customer_records(customer, books.sealer))
    kept = await find_customer(books.store, books.sealer, ALICE)
    assert (kept.email, kept.locale, kept.timezone) == ("alice@example.com", "de-AT", "Europe/Vienna")
    assert not apply_profile(kept, Profile(), TIERS)
    assert not apply_profile(kept, told, TIERS)
    assert apply_profile(kept, Profile(timezone="Asia/Tokyo"), TIERS)
    assert (kept.email, kept.timezone) == ("alice@example.com", "Asia/Tokyo")


@pytest.mark.parametrize(
    "other",
    [
        ConversationRef("slack", "local", "alice", "alice"),
        ConversationRef("terminal", "T2", "alice", "alice"),
        ConversationRef("terminal", "local", "alice", "bob"),
        ConversationRef("terminal", "local/alice", "alice", ""),
    ],
)
async def test_another_platform_workspace_or_user_is_somebody_else(books, other):
    await books.customer("alice")
    assert await find_customer(books.store, books.sealer, other) is None


async def test_two_first_messages_at_once_make_one_customer(books):
    _, first = await new_customer(books.sealer, ALICE, Profile(), tiers=TIERS, at=1)
    _, second = await new_customer(books.sealer, ALICE, Profile(), tiers=TIERS, at=1)
    await books.commit(*first)
    with pytest.raises(ConflictError):
        await books.commit(*second)


async def test_who_nobody_told_a_name_of_is_called_by_their_id_and_has_the_default_tier(books):
    customer, _ = await new_customer(books.sealer, ALICE, Profile(), tiers=TIERS, at=1)
    assert (customer.name, customer.tier) == ("alice", "standard")


async def test_a_told_name_and_tier_are_taken_over_and_nothing_told_changes_nothing(books):
    customer = await books.customer("alice")
    assert not apply_profile(customer, Profile(), TIERS)
    assert not apply_profile(customer, Profile("Alice", "standard"), TIERS)
    assert apply_profile(customer, Profile("Alice B.", "free"), TIERS)
    assert (customer.name, customer.tier, customer.changed) == ("Alice B.", "free", True)


async def test_an_unknown_tier_is_ignored_and_logged_without_a_name(books, caplog):
    customer = await books.customer("alice")
    assert not apply_profile(customer, Profile(tier="galactic"), TIERS)
    assert customer.tier == "standard"
    assert customer.id in caplog.text and "galactic" not in caplog.text and "Alice" not in caplog.text


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("  Ann \n Example ", "Ann Example"),
        ("a\x1b[31mb\u202e", "a [31mb"),
        ("x" * 200, "x" * 80),
        ("\ud800", "Alice"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
async def test_a_name_is_one_short_line(books, told, kept):
    customer = await books.customer("alice")
    apply_profile(customer, Profile(told), TIERS)
    assert customer.name == kept


async def test_changes_commit_once_and_not_over_somebody_elses(books):
    customer = await books.customer("alice")
    customer.preferences["language"] = "German"
    records = customer_records(customer, books.sealer)
    await books.commit(*records)
    stored = await find_customer(books.store, books.sealer, ALICE)
    assert (stored.preferences, stored.version) == ({"language": "German"}, 2)
    with pytest.raises(ChangedError):
        await books.commit(*records)


async def test_staff_see_the_identities_of_a_customer(books):
    customer = await books.customer("alice")
    assert [str(identity) for identity in await identities(books.store, books.sealer, customer.id)] == [
        "terminal/local/alice"
    ]
