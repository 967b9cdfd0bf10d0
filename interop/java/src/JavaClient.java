import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;

/** Apache's own Java client. Arguments: host:port (through the proxy), control port. */
public final class JavaClient {
    private static final String ROOT = "/java";

    private final String address;
    private final Checks checks;
    private final Checks.Events session = new Checks.Events();
    private final ZooKeeper zk;

    private JavaClient(String address, Checks checks) throws Exception {
        this.address = address;
        this.checks = checks;
        zk = connect(session);
    }

    private ZooKeeper connect(Checks.Events events) throws Exception {
        ZooKeeper client = new ZooKeeper(address, 8000, events);
        events.await(KeeperState.SyncConnected);
        return client;
    }

    public static void main(String[] args) throws Exception {
        Checks checks = new Checks(Integer.parseInt(args[1]));
        JavaClient client = new JavaClient(args[0], checks);
        client.nodes();
        client.specialNodes();
        client.watches();
        client.persistentWatches();
        client.multi();
        client.acls();
        client.many();
        client.sessions();
        client.zk.close();
        System.exit(checks.summary());
    }

    private String create(String path, String data, CreateMode mode) throws Exception {
        return zk.create(path, Checks.bytes(data), OPEN_ACL_UNSAFE, mode);
    }

    private void nodes() {
        checks.check("create", () -> {
            if (zk.exists(ROOT, false) != null) {
                ZKUtil.deleteRecursive(zk, ROOT);
            }
            Checks.same(ROOT, create(ROOT, "root", CreateMode.PERSISTENT));
        });
        checks.check("read", () -> {
            Stat stat = new Stat();
            Checks.same("root", Checks.text(zk.getData(ROOT, false, stat)));
            Checks.same(0, stat.getVersion());
            Checks.same(4, stat.getDataLength());
            Checks.same(stat.getCzxid(), stat.getMzxid());
            Checks.yes(Math.abs(System.currentTimeMillis() - stat.getCtime()) < 60_000, "ctime is not now");
        });
        checks.check("set", () -> {
            Checks.same(1, zk.setData(ROOT, Checks.bytes("two"), 0).getVersion());
            Checks.refused(Code.BADVERSION, () -> zk.setData(ROOT, Checks.bytes("x"), 0));
            Checks.same("two", Checks.text(zk.getData(ROOT, false, null)));
        });
        checks.check("null and empty data", () -> {
            zk.create(ROOT + "/null", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            create(ROOT + "/empty", "", CreateMode.PERSISTENT);
            Checks.same(null, zk.getData(ROOT + "/null", false, null));
            Checks.same(0, zk.getData(ROOT + "/empty", false, null).length);
        });
        checks.check("errors", () -> {
            Checks.refused(Code.NODEEXISTS, () -> create(ROOT, "", CreateMode.PERSISTENT));
            Checks.refused(Code.NONODE, () -> create(ROOT + "/a/b", "", CreateMode.PERSISTENT));
            Checks.refused(Code.NONODE, () -> zk.getData(ROOT + "/none", false, null));
            Checks.refused(Code.NOTEMPTY, () -> {
                zk.delete(ROOT, -1);
                return null;
            });
            Checks.refused(Code.INVALIDACL,
                    () -> zk.create(ROOT + "/x", null, Collections.emptyList(), CreateMode.PERSISTENT));
            Checks.same(null, zk.exists(ROOT + "/none", false));
        });
        checks.check("list", () -> {
            List<String> children = new ArrayList<>(zk.getChildren(ROOT, false));
            Collections.sort(children);
            Checks.same(Arrays.asList("empty", "null"), children);
            Stat stat = new Stat();
            zk.getChildren(ROOT, false, stat);
            Checks.same(2, stat.getNumChildren());
            Checks.same(2, zk.getAllChildrenNumber(ROOT));
        });
        checks.check("sequential", () -> {
            Checks.same(ROOT + "/s-0000000002", create(ROOT + "/s-", "", CreateMode.PERSISTENT_SEQUENTIAL));
            Checks.same(ROOT + "/s-0000000003", create(ROOT + "/s-", "", CreateMode.PERSISTENT_SEQUENTIAL));
        });
        checks.check("delete", () -> {
            zk.delete(ROOT + "/empty", 0);
            Checks.same(null, zk.exists(ROOT + "/empty", false));
            Stat stat = zk.exists(ROOT, false);
            Checks.same("3 children after 5 changes", stat.getNumChildren() + " children after " + stat.getCversion() + " changes");
        });
        checks.check("UTF-8 path", () -> {
            String path = create(ROOT + "/日本-żółć", "u", CreateMode.PERSISTENT);
            Checks.same("u", Checks.text(zk.getData(path, false, null)));
            Checks.yes(zk.getChildren(ROOT, false).contains("日本-żółć"), "not listed");
        });
        checks.check("1 MB of data", () -> {
            byte[] data = new byte[1_000_000];
            Arrays.fill(data, (byte) 'x');
            zk.create(ROOT + "/big", data, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            Checks.yes(Arrays.equals(data, zk.getData(ROOT + "/big", false, null)), "data differ");
        });
        checks.check("sync", () -> {
            CountDownLatch done = new CountDownLatch(1);
            zk.sync(ROOT, (rc, path, context) -> {
                if (rc == 0) {
                    done.countDown();
                }
            }, null);
            Checks.yes(done.await(5, TimeUnit.SECONDS), "sync was not answered");
        });
        checks.check("configuration node", () -> Checks.same(0, zk.getConfig(false, null).length));
    }

    private void specialNodes() {
        checks.check("ephemeral", () -> {
            create(ROOT + "/eph", "", CreateMode.EPHEMERAL);
            create(ROOT + "/eph-", "", CreateMode.EPHEMERAL_SEQUENTIAL);
            Checks.same(zk.getSessionId(), zk.exists(ROOT + "/eph", false).getEphemeralOwner());
            Checks.refused(Code.NOCHILDRENFOREPHEMERALS, () -> create(ROOT + "/eph/x", "", CreateMode.PERSISTENT));
            Checks.same(2, zk.getEphemerals().size());
            Checks.same(Arrays.asList(), zk.getEphemerals("/none"));
        });
        checks.check("create2", () -> {
            Stat stat = new Stat();
            zk.create(ROOT + "/c2", Checks.bytes("12345"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, stat);
            Checks.same(5, stat.getDataLength());
            Checks.same(stat, zk.exists(ROOT + "/c2", false));
        });
        checks.check("container", () -> {
            create(ROOT + "/container", "", CreateMode.CONTAINER);
            create(ROOT + "/container/child", "", CreateMode.PERSISTENT);
            zk.delete(ROOT + "/container/child", -1);
            Checks.until("the container's deletion", () -> zk.exists(ROOT + "/container", false) == null);
        });
        checks.check("TTL", () -> {
            Stat stat = new Stat();
            zk.create(ROOT + "/ttl", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 300);
            String path = zk.create(
                    ROOT + "/ttl-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 900_000);
            Checks.until("the TTL node's deletion", () -> zk.exists(ROOT + "/ttl", false) == null);
            Checks.yes(zk.exists(path, false) != null, "the long TTL node is gone");
        });
    }

    private void watches() {
        checks.check("watch created, changed, deleted", () -> {
            Checks.Events events = new Checks.Events();
            String path = ROOT + "/watched";
            zk.exists(path, events);
            create(path, "", CreateMode.PERSISTENT);
            expect(events, EventType.NodeCreated, path);
            zk.getData(path, events, null);
            Stat changed = zk.setData(path, Checks.bytes("x"), -1);
            WatchedEvent event = expect(events, EventType.NodeDataChanged, path);
            Checks.same(changed.getMzxid(), event.getZxid());
            zk.getData(path, events, null);
            zk.delete(path, -1);
            expect(events, EventType.NodeDeleted, path);
        });
        checks.check("watch children", () -> {
            Checks.Events events = new Checks.Events();
            zk.getChildren(ROOT, events);
            create(ROOT + "/child", "", CreateMode.PERSISTENT);
            expect(events, EventType.NodeChildrenChanged, ROOT);
            create(ROOT + "/child2", "", CreateMode.PERSISTENT);
            Checks.same(null, events.queue.poll(200, TimeUnit.MILLISECONDS));
        });
        checks.check("remove watches", () -> {
            Checks.Events events = new Checks.Events();
            zk.getData(ROOT, events, null);
            zk.removeWatches(ROOT, events, WatcherType.Data, false);
            expect(events, EventType.DataWatchRemoved, ROOT);
            Checks.refused(Code.NOWATCHER, () -> {
                zk.removeWatches(ROOT, events, WatcherType.Data, false);
                return null;
            });
            zk.setData(ROOT, Checks.bytes("again"), -1);
            Checks.same(null, events.queue.poll(200, TimeUnit.MILLISECONDS));
        });
    }

    private void persistentWatches() {
        checks.check("persistent watch", () -> {
            Checks.Events events = new Checks.Events();
            String path = create(ROOT + "/pw", "", CreateMode.PERSISTENT);
            zk.addWatch(path, events, AddWatchMode.PERSISTENT);
            for (int i = 0; i < 3; i++) {
                zk.setData(path, Checks.bytes("" + i), -1);
                expect(events, EventType.NodeDataChanged, path);
            }
            create(path + "/x", "", CreateMode.PERSISTENT);
            expect(events, EventType.NodeChildrenChanged, path);
            zk.removeWatches(path, events, WatcherType.Any, false);
        });
        checks.check("recursive watch", () -> {
            Checks.Events events = new Checks.Events();
            String path = create(ROOT + "/rw", "", CreateMode.PERSISTENT);
            zk.addWatch(path, events, AddWatchMode.PERSISTENT_RECURSIVE);
            create(path + "/a", "", CreateMode.PERSISTENT);
            create(path + "/a/b", "", CreateMode.PERSISTENT);
            zk.setData(path + "/a/b", Checks.bytes("1"), -1);
            zk.delete(path + "/a/b", -1);
            expect(events, EventType.NodeCreated, path + "/a");
            expect(events, EventType.NodeCreated, path + "/a/b");
            expect(events, EventType.NodeDataChanged, path + "/a/b");
            expect(events, EventType.NodeDeleted, path + "/a/b");
        });
    }

    private static WatchedEvent expect(Checks.Events events, EventType type, String path) throws Exception {
        WatchedEvent event = events.nextOfNode();
        Checks.same(type + " " + path, event.getType() + " " + event.getPath());
        return event;
    }

    private void multi() {
        checks.check("multi", () -> {
            String path = ROOT + "/multi";
            List<OpResult> results = zk.multi(Arrays.asList(
                    Op.create(path, Checks.bytes("m"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                    Op.create(path + "/s-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL),
                    Op.create(path + "/c", null, OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
                    Op.setData(path, Checks.bytes("mm"), 0),
                    Op.check(path, 1),
                    Op.delete(path + "/s-0000000000", 0)));
            Checks.same(6, results.size());
            Checks.same(path, ((OpResult.CreateResult) results.get(0)).getPath());
            Checks.same(path + "/s-0000000000", ((OpResult.CreateResult) results.get(1)).getPath());
            Checks.same(1, ((OpResult.SetDataResult) results.get(3)).getStat().getVersion());
        });
        checks.check("multi refused", () -> {
            List<Op> ops = Arrays.asList(
                    Op.create(ROOT + "/rolled-back", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                    Op.check(ROOT, 99),
                    Op.delete(ROOT + "/none", -1));
            KeeperException problem = Checks.refused(Code.BADVERSION, () -> zk.multi(ops));
            List<Integer> codes = new ArrayList<>();
            for (OpResult result : problem.getResults()) {
                codes.add(((OpResult.ErrorResult) result).getErr());
            }
            Checks.same(Arrays.asList(0, Code.BADVERSION.intValue(), Code.RUNTIMEINCONSISTENCY.intValue()), codes);
            Checks.same(null, zk.exists(ROOT + "/rolled-back", false));
        });
        checks.check("multi read", () -> {
            List<OpResult> results = zk.multi(
                    Arrays.asList(Op.getData(ROOT), Op.getChildren(ROOT + "/multi"), Op.getData(ROOT + "/none")));
            Checks.same("again", Checks.text(((OpResult.GetDataResult) results.get(0)).getData()));
            Checks.same(Arrays.asList("c"), ((OpResult.GetChildrenResult) results.get(1)).getChildren());
            Checks.same(Code.NONODE.intValue(), ((OpResult.ErrorResult) results.get(2)).getErr());
        });
    }

    private void acls() {
        checks.check("digest ACL", () -> {
            Id alice = new Id("digest", DigestAuthenticationProvider.generateDigest("alice:secret"));
            String path = ROOT + "/private";
            zk.create(path, Checks.bytes("p"), Arrays.asList(new ACL(ZooDefs.Perms.ALL, alice)), CreateMode.PERSISTENT);
            Checks.refused(Code.NOAUTH, () -> zk.getData(path, false, null));
            Checks.refused(Code.NOAUTH, () -> zk.setData(path, null, -1));
            zk.addAuthInfo("digest", Checks.bytes("alice:secret"));
            Checks.same("p", Checks.text(zk.getData(path, false, null)));
            Checks.same(alice, zk.getACL(path, null).get(0).getId());
        });
        checks.check("auth ACL and whoAmI", () -> {
            zk.create(ROOT + "/authed", null, ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
            Checks.same("digest", zk.getACL(ROOT + "/authed", null).get(0).getId().getScheme());
            Checks.yes(zk.whoAmI().stream().anyMatch(each -> each.getUser().equals("alice")), "alice is missing");
        });
        checks.check("set ACL", () -> {
            create(ROOT + "/acl", "", CreateMode.PERSISTENT);
            Stat stat = zk.setACL(ROOT + "/acl", ZooDefs.Ids.READ_ACL_UNSAFE, 0);
            Checks.same(1, stat.getAversion());
            Checks.refused(Code.NOAUTH, () -> zk.setData(ROOT + "/acl", null, -1));
            Checks.same(ZooDefs.Ids.READ_ACL_UNSAFE, zk.getACL(ROOT + "/acl", stat));
        });
        checks.check("auth refused", () -> {
            Checks.Events events = new Checks.Events();
            ZooKeeper other = connect(events);
            other.addAuthInfo("nosuch", Checks.bytes("x"));
            events.await(KeeperState.AuthFailed);
            other.close();
        });
    }

    private void many() {
        checks.check("2000 pipelined writes in order", () -> {
            int count = 2000;
            String path = create(ROOT + "/many", "", CreateMode.PERSISTENT);
            CountDownLatch done = new CountDownLatch(count);
            List<Integer> versions = Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < count; i++) {
                zk.setData(path, Checks.bytes("" + i), i, (rc, p, context, stat) -> {
                    versions.add(rc == 0 ? stat.getVersion() : rc);
                    done.countDown();
                }, null);
            }
            Checks.yes(done.await(30, TimeUnit.SECONDS), "not all were answered");
            for (int i = 0; i < count; i++) {
                Checks.same(i + 1, versions.get(i));
            }
        });
        checks.check("3000 children listed", () -> {
            String path = create(ROOT + "/wide", "", CreateMode.PERSISTENT);
            CountDownLatch done = new CountDownLatch(3000);
            for (int i = 0; i < 3000; i++) {
                zk.create(path + "/a-rather-long-name-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL,
                        (rc, p, context, name) -> done.countDown(), null);
            }
            Checks.yes(done.await(30, TimeUnit.SECONDS), "not all were answered");
            Checks.same(3000, zk.getChildren(path, false).size());
        });
    }

    private void sessions() {
        checks.check("reconnect with the same session", () -> {
            long id = zk.getSessionId();
            Checks.Events events = new Checks.Events();
            zk.exists(ROOT + "/after-cut", events);
            zk.getChildren(ROOT + "/pw", events);
            Checks.Events recursive = new Checks.Events();
            zk.addWatch(ROOT + "/rw", recursive, AddWatchMode.PERSISTENT_RECURSIVE);
            session.queue.clear();
            checks.proxy("cut");
            session.await(KeeperState.Disconnected);
            session.await(KeeperState.SyncConnected);
            Checks.same(id, zk.getSessionId());
            Checks.yes(zk.exists(ROOT + "/eph", false) != null, "the ephemeral is gone");
            Checks.same("p", Checks.text(zk.getData(ROOT + "/private", false, null)));
            create(ROOT + "/after-cut", "", CreateMode.PERSISTENT);
            expect(events, EventType.NodeCreated, ROOT + "/after-cut");
            zk.delete(ROOT + "/pw/x", -1);
            expect(events, EventType.NodeChildrenChanged, ROOT + "/pw");
            create(ROOT + "/rw/later", "", CreateMode.PERSISTENT);
            expect(recursive, EventType.NodeCreated, ROOT + "/rw/later");
        });
        checks.check("missed change is told after reconnect", () -> {
            Checks.Events events = new Checks.Events();
            zk.getData(ROOT + "/c2", events, null);
            ZooKeeper other = new ZooKeeper(System.getProperty("direct"), 8000, event -> { });
            session.queue.clear();
            checks.proxy("down");
            session.await(KeeperState.Disconnected);
            other.setData(ROOT + "/c2", Checks.bytes("missed"), -1);
            checks.proxy("up");
            session.await(KeeperState.SyncConnected);
            expect(events, EventType.NodeDataChanged, ROOT + "/c2");
            other.close();
        });
        checks.check("resume with id and password", () -> {
            Checks.Events events = new Checks.Events();
            ZooKeeper first = connect(events);
            first.create(ROOT + "/carried", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            Checks.Events again = new Checks.Events();
            ZooKeeper second = new ZooKeeper(address, 8000, again, first.getSessionId(), first.getSessionPasswd());
            again.await(KeeperState.SyncConnected);
            Checks.same(first.getSessionId(), second.getSessionId());
            second.delete(ROOT + "/carried", -1);
            second.close();
            first.close();
        });
        checks.check("wrong password is expired", () -> {
            // The server closes the session's connection before it looks at the password, so ours comes back too.
            Checks.Events events = new Checks.Events();
            session.queue.clear();
            ZooKeeper other = new ZooKeeper(address, 8000, events, zk.getSessionId(), new byte[16]);
            events.await(KeeperState.Expired);
            other.close();
            session.await(KeeperState.SyncConnected);
        });
        checks.check("close removes ephemerals", () -> {
            ZooKeeper other = connect(new Checks.Events());
            other.create(ROOT + "/closing", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            Checks.Events events = new Checks.Events();
            zk.exists(ROOT + "/closing", events);
            other.close();
            expect(events, EventType.NodeDeleted, ROOT + "/closing");
        });
        checks.check("expired session", () -> {
            Checks.Events events = new Checks.Events();
            ZooKeeper other = new ZooKeeper(address, 1000, events);
            events.await(KeeperState.SyncConnected);
            Checks.yes(other.getSessionTimeout() < 2000, "timeout " + other.getSessionTimeout());
            other.create(ROOT + "/expiring", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            ZooKeeper direct = new ZooKeeper(System.getProperty("direct"), 8000, event -> { });
            checks.proxy("down");
            Checks.until("the ephemeral's removal", () -> direct.exists(ROOT + "/expiring", false) == null);
            checks.proxy("up");
            events.await(KeeperState.Expired);
            other.close();
            direct.close();
        });
    }
}
