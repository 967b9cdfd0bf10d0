"""The load of kazoo. Arguments: servers, root. See load.mjs for what is said and obeyed."""

import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import NodeExistsError
from kazoo.retry import KazooRetry

SERVERS, ROOT = sys.argv[1], sys.argv[2]
paused = threading.Event()
ended = threading.Event()
lock = threading.Lock()


def say(line):
    with lock:
        print(line, flush=True)


def obey():
    for word in sys.stdin:
        if word.strip() == "pause":
            paused.set()
        elif word.strip() == "resume":
            paused.clear()
        elif word.strip() == "end":
            ended.set()


def listener(name):
    def changed(state):
        if state == KazooState.SUSPENDED:
            say("lost")
        elif state == KazooState.LOST and not ended.is_set():
            say(f"fail the session of the {name} is lost")

    return changed


def patience():
    return KazooRetry(max_tries=-1, delay=0.05, backoff=1, max_delay=0.3)


def connect(name):
    client = KazooClient(hosts=SERVERS, timeout=20.0, connection_retry=patience(), command_retry=patience())
    client.add_listener(listener(name))
    client.start(timeout=30)
    return client


def create(path, data, **options):
    try:
        writer.retry(writer.create, path, data, **options)
    except NodeExistsError:
        pass


def read():
    return int(reader.retry(reader.get, ROOT + "/last")[0])


def turn(i, seen):
    if i % 5 == 0:
        create(f"{ROOT}/n-{i}", str(i).encode())
    writer.retry(writer.set, ROOT + "/last", str(i).encode())
    say(f"ack {i}")
    plain = read()
    if plain < seen:
        say(f"stale {plain} read after {seen}")
    reader.retry(reader.sync, ROOT + "/last")
    fresh = read()
    if fresh < i:
        port = reader._connection._socket.getpeername()[1]
        say(f"unsynced {port} {fresh} read after sync when {i} was written")
    return fresh


try:
    writer = connect("writer")
    reader = connect("reader")
    writer.ensure_path(ROOT)
    create(ROOT + "/last", b"0")
    create(ROOT + "/alive", b"", ephemeral=True)
    say("session %x" % writer.client_id[0])
    threading.Thread(target=obey, daemon=True).start()
    i, seen = 1, 0
    while not ended.is_set():
        if paused.is_set():
            say(f"paused {i - 1}")
            while paused.is_set() and not ended.is_set():
                time.sleep(0.02)
        else:
            seen = turn(i, seen)
            i += 1
        time.sleep(0.015)
    writer.stop()
    reader.stop()
    say("ended")
except BaseException as problem:  # noqa: BLE001 - whatever it was, the load has failed
    say(f"fail {problem!r}".replace("\n", " "))
    raise
