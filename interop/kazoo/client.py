"""kazoo, the Python client. Arguments: host:port (through the proxy), control port, direct host:port."""

import queue
import socket
import subprocess
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    NoAuthError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.protocol.states import EventType
from kazoo.security import CREATOR_ALL_ACL, READ_ACL_UNSAFE, make_acl, make_digest_acl

ADDRESS, CONTROL, DIRECT = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ROOT = "/kazoo"
passed = 0
total = 0


def check(action):
    """Runs one check; its docstring is its name."""
    global passed, total
    total += 1
    try:
        action()
        passed += 1
        print("ok " + action.__doc__, flush=True)
    except BaseException as problem:  # noqa: BLE001 - whatever it was, the next check runs
        print(f"FAIL {action.__doc__} {problem!r}".replace("\n", " "), flush=True)


def proxy(command):
    with socket.create_connection(("127.0.0.1", CONTROL)) as control:
        control.sendall(command.encode() + b"\n")
        control.recv(16)


def same(expected, actual):
    assert expected == actual, f"expected {expected!r}, got {actual!r}"


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error:
        return
    raise AssertionError(f"expected {error.__name__}")


def until(what, probe, seconds=15):
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.03)


def connect(address=ADDRESS, timeout=8.0, **options):
    client = KazooClient(hosts=address, timeout=timeout, **options)
    client.start(timeout=10)
    return client


# A process that opens a session, makes an ephemeral, tells its id and password, and dies without closing it.
ABANDON = """
import os, sys
from kazoo.client import KazooClient
client = KazooClient(hosts=sys.argv[1], timeout=8.0)
client.start(timeout=10)
client.create(sys.argv[2], ephemeral=True)
print(client.client_id[0], client.client_id[1].hex(), flush=True)
os._exit(0)
"""


zk = connect()


def create():
    "create"
    if zk.exists(ROOT):
        zk.delete(ROOT, recursive=True)
    same(ROOT, zk.create(ROOT, b"root"))


def read_write():
    "read and set"
    data, stat = zk.get(ROOT)
    same((b"root", 0, 4), (data, stat.version, stat.data_length))
    same(1, zk.set(ROOT, b"two", version=0).version)
    refused(BadVersionError, zk.set, ROOT, b"x", version=0)
    same(stat.czxid, zk.exists(ROOT).czxid)


def errors():
    "errors"
    refused(NodeExistsError, zk.create, ROOT)
    refused(NoNodeError, zk.create, ROOT + "/a/b")
    refused(NoNodeError, zk.get, ROOT + "/none")
    same(None, zk.exists(ROOT + "/none"))
    zk.create(ROOT + "/full/child", makepath=True)
    refused(NotEmptyError, zk.delete, ROOT + "/full")
    refused(InvalidACLError, zk.create, ROOT + "/x", acl=[make_acl("world", "nobody", all=True)])


def lists():
    "list"
    zk.create(ROOT + "/list")
    for name in ("b", "a", "日本"):
        zk.create(f"{ROOT}/list/{name}")
    same(["a", "b", "日本"], sorted(zk.get_children(ROOT + "/list")))
    children, stat = zk.get_children(ROOT + "/list", include_data=True)
    same((3, 3), (len(children), stat.numChildren))


def special():
    "sequential and ephemeral"
    same(ROOT + "/list/s-0000000003", zk.create(ROOT + "/list/s-", sequence=True))
    path, stat = zk.create(ROOT + "/eph", b"e", ephemeral=True, include_data=True)
    same((ROOT + "/eph", zk.client_id[0]), (path, stat.ephemeralOwner))
    refused(NoChildrenForEphemeralsError, zk.create, ROOT + "/eph/x")


def delete():
    "delete"
    zk.delete(ROOT + "/full", recursive=True)
    same(None, zk.exists(ROOT + "/full"))


def large():
    "900 kB of data"
    zk.create(ROOT + "/big", b"x" * 900_000)
    same(900_000, len(zk.get(ROOT + "/big")[0]))


def sync():
    "sync"
    same(ROOT, zk.sync(ROOT))


def server_version():
    "server version by four-letter word"
    assert zk.server_version()[0] == 3, zk.server_version()


def watches():
    "watches"
    events = queue.Queue()
    path = ROOT + "/watched"
    zk.exists(path, watch=events.put)
    zk.create(path)
    same((EventType.CREATED, path), (lambda e: (e.type, e.path))(events.get(timeout=5)))
    zk.get(path, watch=events.put)
    zk.set(path, b"x")
    same(EventType.CHANGED, events.get(timeout=5).type)
    zk.get_children(path, watch=events.put)
    zk.create(path + "/child")
    same(EventType.CHILD, events.get(timeout=5).type)
    zk.delete(path + "/child")
    zk.get(path, watch=events.put)
    zk.delete(path)
    same(EventType.DELETED, events.get(timeout=5).type)


def watchers():
    "DataWatch and ChildrenWatch"
    seen, lists_seen = [], []
    zk.create(ROOT + "/dw", b"0")
    zk.DataWatch(ROOT + "/dw", lambda data, stat: seen.append(data))
    zk.ChildrenWatch(ROOT + "/dw", lambda children: lists_seen.append(sorted(children)))
    zk.set(ROOT + "/dw", b"1")
    until("the new data", lambda: seen[-1] == b"1")
    zk.create(ROOT + "/dw/c")
    until("the new child", lambda: lists_seen[-1] == ["c"])


def transaction():
    "transaction"
    transaction = zk.transaction()
    transaction.create(ROOT + "/t", b"1")
    transaction.create(ROOT + "/t/s-", sequence=True)
    transaction.set_data(ROOT + "/t", b"2", version=0)
    transaction.check(ROOT + "/t", version=1)
    transaction.delete(ROOT + "/t/s-0000000000")
    results = transaction.commit()
    same([ROOT + "/t", ROOT + "/t/s-0000000000", 1, True, True], [getattr(r, "version", r) for r in results])


def transaction_refused():
    "transaction refused"
    transaction = zk.transaction()
    transaction.create(ROOT + "/never")
    transaction.check(ROOT + "/t", version=99)
    transaction.delete(ROOT + "/none")
    kinds = [type(result) for result in transaction.commit()]
    same([RolledBackError, BadVersionError, RuntimeInconsistency], kinds)
    same(None, zk.exists(ROOT + "/never"))


def acls():
    "ACLs"
    zk.create(ROOT + "/private", b"p", acl=[make_digest_acl("bob", "secret", all=True)])
    refused(NoAuthError, zk.get, ROOT + "/private")
    zk.add_auth("digest", "bob:secret")
    same(b"p", zk.get(ROOT + "/private")[0])
    zk.create(ROOT + "/authed", acl=CREATOR_ALL_ACL)
    acl, stat = zk.get_acls(ROOT + "/authed")
    same("digest", acl[0].id.scheme)
    zk.create(ROOT + "/readable")
    same(1, zk.set_acls(ROOT + "/readable", READ_ACL_UNSAFE, version=0).aversion)
    refused(NoAuthError, zk.set, ROOT + "/readable", b"x")


def pipelined():
    "1000 asynchronous writes in order"
    zk.create(ROOT + "/many")
    results = [zk.set_async(ROOT + "/many", b"%d" % i) for i in range(1000)]
    same(list(range(1, 1001)), [result.get(timeout=20).version for result in results])


def lock():
    "Lock recipe"
    other = connect()
    inside, most = [], []

    def work(client):
        for _ in range(8):
            with client.Lock(ROOT + "/lock", "me"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work, args=(client,)) for client in (zk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    same((16, 1), (len(most), max(most)))
    other.stop()
    other.close()


def election_and_party():
    "Election, Party, Counter and Queue recipes"
    done = threading.Event()
    zk.Election(ROOT + "/election", "me").run(done.set)
    assert done.is_set()
    party = zk.Party(ROOT + "/party", "me")
    party.join()
    same(["me"], list(party))
    counter = zk.Counter(ROOT + "/counter")
    counter += 3
    counter -= 1
    same(2, counter.value)
    line = zk.LockingQueue(ROOT + "/queue")
    line.put_all([b"one", b"two"])
    same(b"one", line.get(5))
    line.consume()
    same(b"two", line.get(5))


def reconnect():
    "reconnect with the same session"
    states = queue.Queue()
    zk.add_listener(states.put)
    session = zk.client_id
    proxy("cut")
    same(KazooState.SUSPENDED, states.get(timeout=10))
    same(KazooState.CONNECTED, states.get(timeout=10))
    zk.remove_listener(states.put)
    same(session, zk.client_id)
    assert zk.exists(ROOT + "/eph") is not None, "the ephemeral is gone"
    same(b"p", zk.get(ROOT + "/private")[0])


def resume():
    "resume with id and password"
    command = [sys.executable, "-c", ABANDON, ADDRESS, ROOT + "/carried"]
    words = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout.split()
    identity = (int(words[0]), bytes.fromhex(words[1]))
    again = connect(client_id=identity)
    same(identity, again.client_id)
    same(identity[0], again.exists(ROOT + "/carried").ephemeralOwner)
    again.stop()
    again.close()
    same(None, zk.exists(ROOT + "/carried"))


def closing():
    "close removes ephemerals"
    events = queue.Queue()
    other = connect()
    other.create(ROOT + "/closing", ephemeral=True)
    zk.exists(ROOT + "/closing", watch=events.put)
    other.stop()
    other.close()
    same(EventType.DELETED, events.get(timeout=5).type)


def expired():
    "expired session"
    direct = connect(DIRECT)
    states = queue.Queue()
    brief = connect(timeout=1.0)
    brief.create(ROOT + "/expiring", ephemeral=True)
    brief.add_listener(states.put)
    proxy("down")
    until("the ephemeral's removal", lambda: direct.exists(ROOT + "/expiring") is None)
    proxy("up")
    until("LOST", lambda: states.get(timeout=10) == KazooState.LOST)
    until("a new session", lambda: brief.connected)
    assert brief.exists(ROOT) is not None
    for client in (brief, direct):
        client.stop()
        client.close()


for each in (
    create,
    read_write,
    errors,
    lists,
    special,
    delete,
    large,
    sync,
    server_version,
    watches,
    watchers,
    transaction,
    transaction_refused,
    acls,
    pipelined,
    lock,
    election_and_party,
    reconnect,
    resume,
    closing,
    expired,
):
    check(each)
print(f"passed {passed} of {total}", flush=True)
zk.stop()
zk.close()
sys.exit(0 if passed == total else 1)
