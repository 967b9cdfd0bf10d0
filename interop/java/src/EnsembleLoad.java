import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/** The load of Java: Curator writes, the plain client reads. Arguments: servers, root. See ensembles/load.mjs. */
public final class EnsembleLoad {
    private interface Call<T> {
        T run() throws Exception;
    }

    private static final int SESSION_TIMEOUT_MS = 20_000;

    private final String root;
    private final CuratorFramework writer;
    private final ZooKeeper reader;
    private volatile boolean paused;
    private volatile boolean ended;

    private EnsembleLoad(String servers, String root) throws Exception {
        this.root = root;
        writer = CuratorFrameworkFactory.newClient(servers, SESSION_TIMEOUT_MS, 15_000, new RetryForever(50));
        writer.getConnectionStateListenable().addListener((client, state) -> {
            if (state == ConnectionState.SUSPENDED) {
                say("lost");
            } else if (state == ConnectionState.LOST && !ended) {
                say("fail the session of the writer is lost");
            }
        });
        writer.start();
        writer.blockUntilConnected(30, TimeUnit.SECONDS);
        CompletableFuture<Void> connected = new CompletableFuture<>();
        reader = new ZooKeeper(servers, SESSION_TIMEOUT_MS, (WatchedEvent event) -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.complete(null);
            } else if (event.getState() == KeeperState.Expired) {
                say("fail the session of the reader is expired");
            }
        });
        connected.get(30, TimeUnit.SECONDS);
    }

    private static synchronized void say(String line) {
        System.out.println(line);
    }

    private void create(String path, String data, CreateMode mode) throws Exception {
        try {
            writer.create().creatingParentsIfNeeded().withMode(mode).forPath(path, data.getBytes());
        } catch (KeeperException.NodeExistsException alreadyThere) {
            // An attempt whose answer was lost has made it.
        }
    }

    /** The plain client retries nothing. */
    private <T> T retried(Call<T> call) throws Exception {
        for (;;) {
            try {
                return call.run();
            } catch (KeeperException.ConnectionLossException lost) {
                say("retry");
                Thread.sleep(50);
            }
        }
    }

    private Void sync() throws Exception {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        reader.sync(root + "/last", (code, path, context) -> done.complete(code), null);
        int code = done.get(60, TimeUnit.SECONDS);
        if (code != 0) {
            throw KeeperException.create(KeeperException.Code.get(code));
        }
        return null;
    }

    private int read() throws Exception {
        return Integer.parseInt(new String(retried(() -> reader.getData(root + "/last", false, null))));
    }

    private int turn(int i, int seen) throws Exception {
        if (i % 5 == 0) {
            create(root + "/n-" + i, String.valueOf(i), CreateMode.PERSISTENT);
        }
        writer.setData().forPath(root + "/last", String.valueOf(i).getBytes());
        say("ack " + i);
        int plain = read();
        if (plain < seen) {
            say("stale " + plain + " read after " + seen);
        }
        retried(this::sync);
        int fresh = read();
        if (fresh < i) {
            String port = reader.toString().replaceFirst("(?s).*remoteserver:[^ ]*:(\\d+) .*", "$1");
            say("unsynced " + port + " " + fresh + " read after sync when " + i + " was written");
        }
        return fresh;
    }

    private void obey() {
        try (BufferedReader orders = new BufferedReader(new InputStreamReader(System.in))) {
            for (String word = orders.readLine(); word != null; word = orders.readLine()) {
                if (word.equals("pause")) {
                    paused = true;
                } else if (word.equals("resume")) {
                    paused = false;
                } else if (word.equals("end")) {
                    ended = true;
                }
            }
        } catch (Exception over) {
            ended = true;
        }
    }

    private void run() throws Exception {
        create(root + "/last", "0", CreateMode.PERSISTENT);
        create(root + "/alive", "", CreateMode.EPHEMERAL);
        long session = writer.getZookeeperClient().getZooKeeper().getSessionId();
        say("session " + Long.toHexString(session));
        Thread orders = new Thread(this::obey);
        orders.setDaemon(true);
        orders.start();
        int seen = 0;
        for (int i = 1; !ended; ) {
            if (paused) {
                say("paused " + (i - 1));
                while (paused && !ended) {
                    Thread.sleep(20);
                }
            } else {
                seen = turn(i++, seen);
            }
            Thread.sleep(15);
        }
        if (writer.getZookeeperClient().getZooKeeper().getSessionId() != session) {
            say("fail the writer has got another session");
        }
        writer.close();
        reader.close();
        say("ended");
    }

    public static void main(String[] args) throws Exception {
        try {
            new EnsembleLoad(args[0], args[1]).run();
            System.exit(0);
        } catch (Exception problem) {
            say("fail " + problem.toString().replace('\n', ' '));
            System.exit(1);
        }
    }
}
