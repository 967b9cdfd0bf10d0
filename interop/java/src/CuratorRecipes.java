import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.CreateMode;

/** Curator's framework and recipes. Arguments: host:port (through the proxy), control port. */
public final class CuratorRecipes {
    private static final String ROOT = "/curator";

    private final String address;
    private final Checks checks;
    private final BlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>();
    private final CuratorFramework a;
    private final CuratorFramework b;

    private CuratorRecipes(String address, Checks checks) throws Exception {
        this.address = address;
        this.checks = checks;
        a = client();
        b = client();
        a.getConnectionStateListenable().addListener((client, state) -> states.add(state));
    }

    private CuratorFramework client() throws Exception {
        CuratorFramework client =
                CuratorFrameworkFactory.newClient(address, 8000, 5000, new ExponentialBackoffRetry(100, 10));
        client.start();
        client.blockUntilConnected(10, TimeUnit.SECONDS);
        return client;
    }

    public static void main(String[] args) throws Exception {
        Checks checks = new Checks(Integer.parseInt(args[1]));
        CuratorRecipes recipes = new CuratorRecipes(args[0], checks);
        recipes.framework();
        recipes.locks();
        recipes.latch();
        recipes.cache();
        recipes.others();
        recipes.lostConnection();
        recipes.a.close();
        recipes.b.close();
        System.exit(checks.summary());
    }

    private void framework() {
        checks.check("create with parents", () -> {
            if (a.checkExists().forPath(ROOT) != null) {
                a.delete().deletingChildrenIfNeeded().forPath(ROOT);
            }
            a.create().creatingParentsIfNeeded().forPath(ROOT + "/some/where", Checks.bytes("x"));
            a.create().creatingParentContainersIfNeeded().forPath(ROOT + "/contained/child");
            Checks.same("x", Checks.text(b.getData().forPath(ROOT + "/some/where")));
        });
        checks.check("protected sequential create", () -> {
            String path = a.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(ROOT + "/p-");
            Checks.yes(path.contains("_c_"), path);
            a.delete().guaranteed().forPath(path);
        });
        checks.check("transaction", () -> {
            a.transaction().forOperations(
                    a.transactionOp().create().forPath(ROOT + "/t", Checks.bytes("1")),
                    a.transactionOp().setData().withVersion(0).forPath(ROOT + "/t", Checks.bytes("2")),
                    a.transactionOp().check().withVersion(1).forPath(ROOT + "/t"));
            Checks.same("2", Checks.text(a.getData().forPath(ROOT + "/t")));
        });
        checks.check("namespace", () -> {
            a.usingNamespace("curator/ns").create().creatingParentsIfNeeded().forPath("/in");
            Checks.yes(a.checkExists().forPath(ROOT + "/ns/in") != null, "not there");
        });
    }

    private void locks() {
        checks.check("InterProcessMutex", () -> {
            AtomicInteger inside = new AtomicInteger();
            AtomicInteger most = new AtomicInteger();
            ExecutorService threads = Executors.newFixedThreadPool(4);
            CountDownLatch done = new CountDownLatch(4);
            for (int i = 0; i < 4; i++) {
                InterProcessMutex mutex = new InterProcessMutex(i % 2 == 0 ? a : b, ROOT + "/mutex");
                threads.execute(() -> {
                    try {
                        for (int round = 0; round < 10; round++) {
                            mutex.acquire();
                            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                            inside.decrementAndGet();
                            mutex.release();
                        }
                        done.countDown();
                    } catch (Exception problem) {
                        problem.printStackTrace();
                    }
                });
            }
            Checks.yes(done.await(30, TimeUnit.SECONDS), "not all rounds were run");
            threads.shutdown();
            Checks.same(1, most.get());
        });
        checks.check("InterProcessReadWriteLock", () -> {
            InterProcessReadWriteLock first = new InterProcessReadWriteLock(a, ROOT + "/rw");
            InterProcessReadWriteLock second = new InterProcessReadWriteLock(b, ROOT + "/rw");
            first.readLock().acquire();
            Checks.yes(second.readLock().acquire(5, TimeUnit.SECONDS), "second reader refused");
            second.readLock().release();
            Checks.yes(!second.writeLock().acquire(200, TimeUnit.MILLISECONDS), "writer beside a reader");
            first.readLock().release();
            Checks.yes(second.writeLock().acquire(5, TimeUnit.SECONDS), "writer refused");
            second.writeLock().release();
        });
        checks.check("InterProcessSemaphoreV2", () -> {
            InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(a, ROOT + "/semaphore", 2);
            var one = semaphore.acquire();
            var two = semaphore.acquire();
            Checks.same(null, semaphore.acquire(200, TimeUnit.MILLISECONDS));
            semaphore.returnLease(one);
            semaphore.returnLease(semaphore.acquire());
            semaphore.returnLease(two);
        });
    }

    private void latch() {
        checks.check("LeaderLatch", () -> {
            LeaderLatch first = new LeaderLatch(a, ROOT + "/latch", "first");
            LeaderLatch second = new LeaderLatch(b, ROOT + "/latch", "second");
            first.start();
            Checks.yes(first.await(10, TimeUnit.SECONDS), "no leader");
            second.start();
            Checks.until("both participants", () -> second.getParticipants().size() == 2);
            Checks.same("first", second.getLeader().getId());
            first.close();
            Checks.yes(second.await(10, TimeUnit.SECONDS), "no new leader");
            second.close();
        });
    }

    private void cache() {
        checks.check("CuratorCache", () -> {
            Set<String> seen = ConcurrentHashMap.newKeySet();
            CountDownLatch ready = new CountDownLatch(1);
            a.create().forPath(ROOT + "/cache");
            a.create().forPath(ROOT + "/cache/before");
            CuratorCache cache = CuratorCache.build(b, ROOT + "/cache");
            cache.listenable().addListener(CuratorCacheListener.builder()
                    .forCreates(node -> seen.add("+" + node.getPath()))
                    .forChanges((old, node) -> seen.add("~" + node.getPath()))
                    .forDeletes(node -> seen.add("-" + node.getPath()))
                    .forInitialized(ready::countDown)
                    .build());
            cache.start();
            Checks.yes(ready.await(10, TimeUnit.SECONDS), "not initialized");
            a.create().forPath(ROOT + "/cache/new");
            a.create().forPath(ROOT + "/cache/new/deep", Checks.bytes("d"));
            a.setData().forPath(ROOT + "/cache/new/deep", Checks.bytes("dd"));
            a.delete().forPath(ROOT + "/cache/before");
            Checks.until("all changes", () -> seen.contains("+" + ROOT + "/cache/before")
                    && seen.contains("+" + ROOT + "/cache/new")
                    && seen.contains("+" + ROOT + "/cache/new/deep")
                    && seen.contains("-" + ROOT + "/cache/before"));
            Checks.until("the new data",
                    () -> "dd".equals(Checks.text(cache.get(ROOT + "/cache/new/deep").get().getData())));
            cache.close();
        });
    }

    private void others() {
        checks.check("DistributedAtomicLong", () -> {
            DistributedAtomicLong one = new DistributedAtomicLong(a, ROOT + "/long", new ExponentialBackoffRetry(10, 5));
            DistributedAtomicLong two = new DistributedAtomicLong(b, ROOT + "/long", new ExponentialBackoffRetry(10, 5));
            for (int i = 0; i < 10; i++) {
                Checks.yes(one.increment().succeeded() && two.add(2L).succeeded(), "not counted");
            }
            Checks.same(30L, one.get().postValue());
        });
        checks.check("DistributedDoubleBarrier", () -> {
            DistributedDoubleBarrier one = new DistributedDoubleBarrier(a, ROOT + "/barrier", 2);
            DistributedDoubleBarrier two = new DistributedDoubleBarrier(b, ROOT + "/barrier", 2);
            ExecutorService thread = Executors.newSingleThreadExecutor();
            var entered = thread.submit(() -> one.enter(10, TimeUnit.SECONDS) && one.leave(10, TimeUnit.SECONDS));
            Checks.yes(two.enter(10, TimeUnit.SECONDS) && two.leave(10, TimeUnit.SECONDS), "second did not pass");
            Checks.yes(entered.get(20, TimeUnit.SECONDS), "first did not pass");
            thread.shutdown();
        });
    }

    private void lostConnection() {
        checks.check("suspended and reconnected", () -> {
            PersistentNode node = new PersistentNode(a, CreateMode.EPHEMERAL, false, ROOT + "/mine", Checks.bytes("m"));
            node.start();
            Checks.yes(node.waitForInitialCreate(10, TimeUnit.SECONDS), "not created");
            InterProcessMutex mutex = new InterProcessMutex(a, ROOT + "/kept");
            mutex.acquire();
            long id = a.getZookeeperClient().getZooKeeper().getSessionId();
            states.clear();
            checks.proxy("cut");
            awaitState(ConnectionState.SUSPENDED);
            awaitState(ConnectionState.RECONNECTED);
            Checks.same(id, a.getZookeeperClient().getZooKeeper().getSessionId());
            Checks.yes(!new InterProcessMutex(b, ROOT + "/kept").acquire(200, TimeUnit.MILLISECONDS), "lock was lost");
            mutex.release();
            Checks.same("m", Checks.text(b.getData().forPath(ROOT + "/mine")));
            node.close();
        });
        checks.check("session lost and made anew", () -> {
            BlockingQueue<ConnectionState> seen = new LinkedBlockingQueue<>();
            CuratorFramework brief =
                    CuratorFrameworkFactory.newClient(address, 1500, 1500, new ExponentialBackoffRetry(100, 20));
            brief.getConnectionStateListenable().addListener((client, state) -> seen.add(state));
            brief.start();
            brief.blockUntilConnected(10, TimeUnit.SECONDS);
            PersistentNode node =
                    new PersistentNode(brief, CreateMode.EPHEMERAL, false, ROOT + "/again", Checks.bytes("m"));
            node.start();
            Checks.yes(node.waitForInitialCreate(10, TimeUnit.SECONDS), "not created");
            long first = brief.getZookeeperClient().getZooKeeper().getSessionId();
            checks.proxy("down");
            while (seen.poll(20, TimeUnit.SECONDS) != ConnectionState.LOST) {
                // SUSPENDED comes first.
            }
            Thread.sleep(2500);
            checks.proxy("up");
            Checks.yes(brief.blockUntilConnected(20, TimeUnit.SECONDS), "not connected again");
            Checks.until("the node made again", () -> {
                var stat = brief.checkExists().forPath(ROOT + "/again");
                return stat != null && stat.getEphemeralOwner() != first;
            });
            node.close();
            brief.close();
        });
    }

    private void awaitState(ConnectionState expected) throws Exception {
        Checks.same(expected, states.poll(15, TimeUnit.SECONDS));
    }
}
