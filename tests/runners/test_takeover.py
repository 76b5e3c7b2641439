"""Two runs on one store, of which one dies while the other goes on."""

from eventum.mail.envelope import Envelope
from eventum.runners.incoming import Incoming
from eventum.tracker.disposition import Disposition
from eventum.tracker.tracker import Tracker
from tests.house import House, mail


def accept(tracker: Tracker, house: House, *mails: bytes) -> None:
    tracker.spool.accept([(Envelope(destination=house.account.id, received=house.now), raw) for raw in mails])


def die(tracker: Tracker) -> None:
    """As by SIGKILL: the kernel frees the lease, everything else stays as it is."""
    assert tracker.maker._lease is not None
    tracker.maker._lease.release()


def test_what_a_run_had_in_hand_that_died_meanwhile_goes_before_its_answer(house: House) -> None:
    other = Tracker(house.config, clock=lambda: house.now)
    house.tracker.recover()  # As every run begins; the other one is alive then.
    accept(other, house, mail(Message_ID="<1@a.example>"))
    other.spool.claim(other.spool.waiting())
    die(other)
    accept(house.tracker, house, mail("Re: first", In_Reply_To="<1@a.example>", Message_ID="<2@a.example>"))
    told: list[Disposition] = []
    Incoming(house.tracker, told.append).work()
    assert [(one.message_id, one.outcome, one.issue) for one in told] == [
        ("<1@a.example>", "new_issue", 1),
        ("<2@a.example>", "filed", 1),
    ]


def test_a_mail_that_a_person_read_in_the_spool_is_decided_all_the_same(house: House) -> None:
    accept(house.tracker, house, mail(Message_ID="<1@a.example>"))
    (path,) = (house.tracker.layout.incoming / "new").iterdir()
    path.rename(house.tracker.layout.incoming / "cur" / f"{path.name}:2,S")
    assert Incoming(house.tracker).work() == 1
    assert house.issue(1).emails == 1
