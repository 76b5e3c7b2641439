"""The short form of the rows `disks` and `nfs`: real file systems that are full, read-only, or more than one."""

from tests.faults.test_company import brief


def test_a_disk_that_is_full_or_cannot_be_written_loses_nothing() -> None:
    found = brief("disks")
    if "not possible" in found:
        may_not, reason = found["not possible"]
        # Without the capability to mount there is nothing to try; with it there must be.
        assert may_not, reason
        return
    assert len(found) == 5
    assert {name: faults for name, (_, faults) in found.items() if faults} == {}
    assert all(disturbed for disturbed, _ in found.values())
