import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/** Prints one line per check, and commands the proxy that stands between client and server. */
final class Checks {
    interface Action {
        void run() throws Exception;
    }

    /** Collects events, so that a check can wait for one. */
    static final class Events implements Watcher {
        final BlockingQueue<WatchedEvent> queue = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            queue.add(event);
        }

        WatchedEvent next() throws Exception {
            WatchedEvent event = queue.poll(10, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no event in 10 s");
            }
            return event;
        }

        /** The next event of a znode; events about the connection are passed over. */
        WatchedEvent nextOfNode() throws Exception {
            for (;;) {
                WatchedEvent event = next();
                if (event.getType() != Event.EventType.None) {
                    return event;
                }
            }
        }

        void await(Event.KeeperState state) throws Exception {
            while (next().getState() != state) {
                // Other events do not matter here.
            }
        }
    }

    private final int controlPort;
    private int passed;
    private int all;

    Checks(int controlPort) {
        this.controlPort = controlPort;
    }

    void check(String name, Action action) {
        all++;
        try {
            action.run();
            passed++;
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            System.out.println("FAIL " + name + " " + String.valueOf(problem).replace('\n', ' '));
        }
    }

    /** Prints the summary; the exit code of the program. */
    int summary() {
        System.out.println("passed " + passed + " of " + all);
        return passed == all ? 0 : 1;
    }

    void proxy(String command) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", controlPort)) {
            socket.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
            new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
        }
    }

    static void same(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError("expected " + expected + ", got " + actual);
        }
    }

    static void yes(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    static <T> KeeperException refused(KeeperException.Code code, Callable<T> call) throws Exception {
        try {
            call.call();
        } catch (KeeperException problem) {
            same(code, problem.code());
            return problem;
        }
        throw new AssertionError("expected " + code);
    }

    static void until(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited 15 s for " + what);
            }
            Thread.sleep(30);
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
