"""The MIME tree: the fast reader and the tolerant one make the same of every mail that both can read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.content import clean_name, decoded
from eventum.mail.parts import MAX_PARTS, Tree, fast_tree, prepared, read_tree, tolerant_tree

HEAD = b'Content-Type: multipart/mixed; boundary="b"\n\n'


def leaves(tree: Tree) -> list[tuple[str, str, bytes]]:
    return [(leaf.path, leaf.type, leaf.body) for leaf in tree.leaves]


@pytest.mark.parametrize(
    ("body", "bodies"),
    [
        (b"--b\n\none\n--b\n\ntwo\n--b--\n", [b"one", b"two"]),
        (b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", [b"one", b"two"]),
        (b"preamble\n--b\n\none\n--b--\nepilogue\n--b\n\nno part\n", [b"one"]),
        (b"--b  \n\none\n--b--\t\n", [b"one"]),
        (b"--b\n\none\n--bx\n--b-\n--b --\n--b--\n", [b"one\n--bx\n--b-\n--b --"]),
        (b"--b\nContent-Type: text/html\n\none\n--b--", [b"one"]),
        (b"--b\n\n\none\n\n--b--\n", [b"\none\n"]),
        (b"--b\n\n--b--\n", [b""]),
        (b"--b\nContent-Type: text/html\n\n--b--\n", [b""]),
        (b"--b\nContent-Type: text/html\n--b--\n", [b""]),
        (b"--b\n\none\n", [b"one"]),
        (b"--b\n\none", [b"one"]),
        (b"--b\n\none\n--b\n", [b"one", b""]),
        (b"--b\n--b\n\none\n--b--\n", [b"one"]),
        (b"--b\nno blank line\n--b--\n", [b"no blank line"]),
        (b"--b\n folded\n\none\n--b--\n", [b"one"]),
        (b"--b--\n", [b"--b--\n"]),
        (b"no delimiter\n", [b"no delimiter\n"]),
        (b"--b\r\rone\r--b--\r", [b"one"]),
    ],
)
def test_the_parts_between_delimiter_lines_are_found(body: bytes, bodies: list[bytes]) -> None:
    assert [leaf.body for leaf in read_tree(HEAD + body).leaves] == bodies


def test_leaves_are_numbered_by_their_way_through_the_tree() -> None:
    inner = b'Content-Type: multipart/alternative; boundary="c"\n\n--c\n\n1\n--c\nContent-Type: text/html\n\n2\n--c--\n'
    raw = HEAD + b"--b\n" + inner + b"--b\nContent-Type: image/png\n\n3\n--b--\n"
    assert leaves(read_tree(raw)) == [("1.1", "text/plain", b"1"), ("1.2", "text/html", b"2"), ("2", "image/png", b"3")]


def test_a_mail_without_parts_is_its_own_leaf_number_one() -> None:
    assert leaves(read_tree(b"Subject: x\n\nbody")) == [("1", "text/plain", b"body")]


def test_the_parts_of_a_digest_are_mails() -> None:
    raw = HEAD.replace(b"mixed", b"digest") + b"--b\n\nSubject: x\n\ny\n--b\nContent-Type: text/plain\n\nz\n--b--\n"
    assert [leaf.type for leaf in read_tree(raw).leaves] == ["message/rfc822", "text/plain"]


def test_what_stands_behind_the_last_part_that_is_read_is_kept_as_one_leaf() -> None:
    tree = read_tree(HEAD + b"--b\n\nx\n" * (MAX_PARTS + 5) + b"--b--\n")
    assert len(tree.leaves) == MAX_PARTS + 1 and tree.leaves[-1].path == "rest"
    assert tree.leaves[-1].body.count(b"--b\n") == 4 and tree.defects == ("limit-parts",)


@pytest.mark.parametrize("depth", [5, 13, 70, 3_000])
def test_multiparts_in_one_another_lose_no_text(depth: int) -> None:
    raw = HEAD.replace(b'"b"', b'"b0"')
    for level in range(depth):
        raw += b'--b%d\nContent-Type: multipart/mixed; boundary="b%d"\n\n' % (level, level + 1)
    raw += b"--b%d\n\nbottom\n" % depth
    assert b"bottom" in b"".join(leaf.body for leaf in read_tree(raw).leaves)


LINES = st.sampled_from(
    [b"--b", b"--b--", b"--c", b"--c--", b"--b ", b"--bb", b"", b"", b"text", b"Content-Type: text/html", b" folded"]
    + [
        b'Content-Type: multipart/mixed; boundary="c"',
        b'Content-Type: multipart/digest; boundary="d"',
        b"--d",
        b"--d--",
    ]
    + [b"Content-Transfer-Encoding: base64", b"YWJj", b"Content-Type: message/rfc822", b"X: \xe9", b"From x", b"junk:"]
)
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=30), st.booleans())
def test_both_readers_find_the_same_leaves(lines: list[tuple[bytes, bytes]], mixed_ends: bool) -> None:
    body = b"".join(line + (end if mixed_ends else b"\n") for line, end in lines)
    raw, block = prepared(HEAD + body)
    fast, tolerant = fast_tree(raw, block), tolerant_tree(raw, block)
    if fast is not None:
        assert (leaves(fast), fast.defects) == (leaves(tolerant), tolerant.defects)
        for one, other in zip(fast.leaves, tolerant.leaves, strict=True):
            assert dict(one.headers) == dict(other.headers) and decoded(one) == decoded(other)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\dir\\a.txt", "a.txt"),
        ("..", ""),
        ("/", ""),
        ("dir/", "dir"),
        ("a\r\nb.txt", "a b.txt"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("=?utf-8?q?=C3=BC.txt?=", "ü.txt"),
        (".htaccess", ".htaccess"),
        ("x" * 300 + ".pdf", "x" * 188 + ".pdf"),
        ("\ud800.txt", "\ufffd.txt"),
    ],
)
def test_a_file_name_is_a_label_and_never_a_path(name: str, label: str) -> None:
    assert clean_name(name) == label


@given(st.text(max_size=400))
def test_any_file_name_becomes_a_short_label_without_folders(name: str) -> None:
    label = clean_name(name)
    assert len(label) <= 200 and not set(label) & set("/\\\r\n\0") and label not in (".", "..")
