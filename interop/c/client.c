/* The C client (libzookeeper_mt). Arguments: host:port (through the proxy), control port, direct host:port. */

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

#define ROOT "/c"

static const char *address, *direct_address;
static int control_port, passed, total;
static jmp_buf failed;
static char why[512];

/* Leaves the current check. */
static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    longjmp(failed, 1);
}

static void check(const char *name, void (*action)(void)) {
    total++;
    if (setjmp(failed) == 0) {
        action();
        passed++;
        printf("ok %s\n", name);
    } else {
        printf("FAIL %s %s\n", name, why);
    }
    fflush(stdout);
}

#define same(expected, actual)                                                                          \
    do {                                                                                                \
        long long want_ = (long long)(expected), got_ = (long long)(actual);                            \
        if (want_ != got_) fail("line %d: expected %lld, got %lld", __LINE__, want_, got_);             \
    } while (0)
#define same_text(expected, actual)                                                                     \
    do {                                                                                                \
        if (strcmp(expected, actual) != 0) fail("line %d: expected %s, got %s", __LINE__, expected, actual); \
    } while (0)

static void nap(int ms) {
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&time, NULL);
}

static void proxy(const char *command) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(control_port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char line[16], answer[16];
    snprintf(line, sizeof line, "%s\n", command);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, line, strlen(line)) < 0 ||
        read(fd, answer, sizeof answer) <= 0)
        fail("the proxy does not answer");
    close(fd);
}

/* The last event of a session and of a znode, with how many there were. */
struct events {
    pthread_mutex_t lock;
    int session_state, sessions, nodes, type;
    char path[256];
};

static void watcher(zhandle_t *handle, int type, int state, const char *path, void *context) {
    struct events *events = context;
    (void)handle;
    pthread_mutex_lock(&events->lock);
    if (type == ZOO_SESSION_EVENT) {
        events->session_state = state;
        events->sessions++;
    } else {
        events->type = type;
        snprintf(events->path, sizeof events->path, "%s", path);
        events->nodes++;
    }
    pthread_mutex_unlock(&events->lock);
}

static int get(struct events *events, int *field) {
    pthread_mutex_lock(&events->lock);
    int value = *field;
    pthread_mutex_unlock(&events->lock);
    return value;
}

static void await_state(struct events *events, int state) {
    for (int i = 0; i < 500 && get(events, &events->session_state) != state; i++) nap(30);
    same(state, get(events, &events->session_state));
}

static void await_node(struct events *events, int type, const char *path) {
    for (int i = 0; i < 300 && get(events, &events->nodes) == 0; i++) nap(20);
    same(1, get(events, &events->nodes));
    same(type, events->type);
    same_text(path, events->path);
    events->nodes = 0;
}

static struct events session = {.lock = PTHREAD_MUTEX_INITIALIZER};
static zhandle_t *zk;

static zhandle_t *open_session(const char *to, int timeout, const clientid_t *id, struct events *events) {
    zhandle_t *handle = zookeeper_init(to, watcher, timeout, id, events, 0);
    await_state(events, ZOO_CONNECTED_STATE);
    return handle;
}

static void remove_all(const char *path) {
    struct String_vector children;
    if (zoo_get_children(zk, path, 0, &children) != ZOK) return;
    for (int i = 0; i < children.count; i++) {
        char child[512];
        snprintf(child, sizeof child, "%s/%s", path, children.data[i]);
        remove_all(child);
    }
    deallocate_String_vector(&children);
    zoo_delete(zk, path, -1);
}

static int create_node(const char *path, const char *data, int flags) {
    return zoo_create(zk, path, data, data ? (int)strlen(data) : -1, &ZOO_OPEN_ACL_UNSAFE, flags, NULL, 0);
}

static void create(void) {
    char path[64];
    remove_all(ROOT);
    same(ZOK, zoo_create(zk, ROOT, "root", 4, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path));
    same_text(ROOT, path);
    struct Stat stat;
    same(ZOK, zoo_create2(zk, ROOT "/two", "12345", 5, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path, &stat));
    same(5, stat.dataLength);
}

static void read_and_set(void) {
    char data[64];
    int length = sizeof data;
    struct Stat stat;
    same(ZOK, zoo_get(zk, ROOT, 0, data, &length, &stat));
    same(4, length);
    same(0, memcmp(data, "root", 4));
    same(ZOK, zoo_set2(zk, ROOT, "changed", 7, 0, &stat));
    same(1, stat.version);
    same(ZBADVERSION, zoo_set(zk, ROOT, "x", 1, 0));
    same(ZOK, create_node(ROOT "/null", NULL, 0));
    length = sizeof data;
    same(ZOK, zoo_get(zk, ROOT "/null", 0, data, &length, &stat));
    same(-1, length);
}

static void errors(void) {
    char data[64];
    int length = sizeof data;
    struct ACL_vector none = {0, NULL};
    same(ZNODEEXISTS, create_node(ROOT, "", 0));
    same(ZNONODE, create_node(ROOT "/a/b", "", 0));
    same(ZNONODE, zoo_get(zk, ROOT "/none", 0, data, &length, NULL));
    same(ZNOTEMPTY, zoo_delete(zk, ROOT, -1));
    same(ZINVALIDACL, zoo_create(zk, ROOT "/x", "", 0, &none, 0, NULL, 0));
    same(ZNONODE, zoo_exists(zk, ROOT "/none", 0, NULL));
}

static void list(void) {
    struct String_vector children;
    struct Stat stat;
    same(ZOK, zoo_get_children2(zk, ROOT, 0, &children, &stat));
    same(2, children.count);
    same(2, stat.numChildren);
    deallocate_String_vector(&children);
}

static void special(void) {
    char path[128];
    struct Stat stat;
    same(ZOK, zoo_create(zk, ROOT "/s-", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, path, sizeof path));
    same_text(ROOT "/s-0000000002", path);
    same(ZOK, create_node(ROOT "/eph", "", ZOO_EPHEMERAL));
    same(ZOK, zoo_exists(zk, ROOT "/eph", 0, &stat));
    same(zoo_client_id(zk)->client_id, stat.ephemeralOwner);
    same(ZNOCHILDRENFOREPHEMERALS, create_node(ROOT "/eph/x", "", 0));
    same(ZOK, create_node(ROOT "/container", "", ZOO_CONTAINER));
    same(ZOK, zoo_create_ttl(zk, ROOT "/ttl", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 200, NULL, 0));
    for (int i = 0; i < 300 && zoo_exists(zk, ROOT "/ttl", 0, NULL) == ZOK; i++) nap(50);
    same(ZNONODE, zoo_exists(zk, ROOT "/ttl", 0, NULL));
}

static void delete_node(void) {
    same(ZBADVERSION, zoo_delete(zk, ROOT "/null", 7));
    same(ZOK, zoo_delete(zk, ROOT "/null", 0));
    same(ZNONODE, zoo_exists(zk, ROOT "/null", 0, NULL));
}

static pthread_mutex_t sync_lock = PTHREAD_MUTEX_INITIALIZER;
static int sync_rc = 1;

static void synced(int rc, const char *path, const void *context) {
    (void)path, (void)context;
    pthread_mutex_lock(&sync_lock);
    sync_rc = rc;
    pthread_mutex_unlock(&sync_lock);
}

static void sync_node(void) {
    int rc = 1;
    same(ZOK, zoo_async(zk, ROOT, synced, NULL));
    for (int i = 0; i < 200 && rc == 1; i++) {
        nap(20);
        pthread_mutex_lock(&sync_lock);
        rc = sync_rc;
        pthread_mutex_unlock(&sync_lock);
    }
    same(ZOK, rc);
}

static void large(void) {
    int length = 900000;
    char *data = malloc(length), *back = malloc(length);
    memset(data, 'x', length);
    same(ZOK, zoo_create(zk, ROOT "/big", data, length, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    same(ZOK, zoo_get(zk, ROOT "/big", 0, back, &length, NULL));
    same(900000, length);
    same(0, memcmp(data, back, length));
    free(data);
    free(back);
}

static void watches(void) {
    static struct events events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const char *path = ROOT "/watched";
    char data[8];
    int length = sizeof data;
    struct String_vector children;
    same(ZNONODE, zoo_wexists(zk, path, watcher, &events, NULL));
    same(ZOK, create_node(path, "", 0));
    await_node(&events, ZOO_CREATED_EVENT, path);
    same(ZOK, zoo_wget(zk, path, watcher, &events, data, &length, NULL));
    same(ZOK, zoo_set(zk, path, "x", 1, -1));
    await_node(&events, ZOO_CHANGED_EVENT, path);
    same(ZOK, zoo_wget_children(zk, path, watcher, &events, &children));
    deallocate_String_vector(&children);
    same(ZOK, create_node(ROOT "/watched/child", "", 0));
    await_node(&events, ZOO_CHILD_EVENT, path);
    same(ZOK, zoo_delete(zk, ROOT "/watched/child", -1));
    same(ZOK, zoo_wexists(zk, path, watcher, &events, NULL));
    same(ZOK, zoo_delete(zk, path, -1));
    await_node(&events, ZOO_DELETED_EVENT, path);
}

static void remove_watches(void) {
    static struct events events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    same(ZOK, zoo_wexists(zk, ROOT, watcher, &events, NULL));
    same(ZOK, zoo_remove_watches(zk, ROOT, ZWATCHTYPE_DATA, watcher, &events, 0));
    same(ZNOWATCHER, zoo_remove_watches(zk, ROOT, ZWATCHTYPE_DATA, watcher, &events, 0));
}

static void multi(void) {
    zoo_op_t ops[4];
    zoo_op_result_t results[4];
    char path[64];
    struct Stat stat;
    zoo_create_op_init(&ops[0], ROOT "/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
    zoo_set_op_init(&ops[1], ROOT "/m", "2", 1, 0, &stat);
    zoo_check_op_init(&ops[2], ROOT "/m", 1);
    zoo_delete_op_init(&ops[3], ROOT "/two", -1);
    same(ZOK, zoo_multi(zk, 4, ops, results));
    for (int i = 0; i < 4; i++) same(ZOK, results[i].err);
    same_text(ROOT "/m", path);
    same(1, stat.version);
}

static void multi_refused(void) {
    zoo_op_t ops[3];
    zoo_op_result_t results[3];
    zoo_create_op_init(&ops[0], ROOT "/never", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    zoo_check_op_init(&ops[1], ROOT "/m", 99);
    zoo_delete_op_init(&ops[2], ROOT "/none", -1);
    same(ZBADVERSION, zoo_multi(zk, 3, ops, results));
    same(ZOK, results[0].err);
    same(ZBADVERSION, results[1].err);
    same(ZRUNTIMEINCONSISTENCY, results[2].err);
    same(ZNONODE, zoo_exists(zk, ROOT "/never", 0, NULL));
}

static pthread_mutex_t auth_lock = PTHREAD_MUTEX_INITIALIZER;
static int auth_rc = 1;

static void authenticated(int rc, const void *data) {
    (void)data;
    pthread_mutex_lock(&auth_lock);
    auth_rc = rc;
    pthread_mutex_unlock(&auth_lock);
}

static void acls(void) {
    struct Id id = {"digest", "dave:gmWayIzh3DQj4khzmLQGkTHw2es="};
    struct ACL acl = {ZOO_PERM_ALL, id};
    struct ACL_vector vector = {1, &acl}, read_back;
    char data[8];
    int length = sizeof data, rc = 1;
    struct Stat stat;
    same(ZOK, zoo_create(zk, ROOT "/private", "p", 1, &vector, 0, NULL, 0));
    same(ZNOAUTH, zoo_get(zk, ROOT "/private", 0, data, &length, NULL));
    same(ZOK, zoo_add_auth(zk, "digest", "dave:secret", 11, authenticated, NULL));
    for (int i = 0; i < 200 && rc == 1; i++) {
        nap(20);
        pthread_mutex_lock(&auth_lock);
        rc = auth_rc;
        pthread_mutex_unlock(&auth_lock);
    }
    same(ZOK, rc);
    length = sizeof data;
    same(ZOK, zoo_get(zk, ROOT "/private", 0, data, &length, NULL));
    same(ZOK, zoo_create(zk, ROOT "/authed", "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
    same(ZOK, zoo_get_acl(zk, ROOT "/authed", &read_back, &stat));
    same_text("digest", read_back.data[0].id.scheme);
    deallocate_ACL_vector(&read_back);
    same(ZOK, zoo_set_acl(zk, ROOT "/m", 0, &ZOO_READ_ACL_UNSAFE));
    same(ZNOAUTH, zoo_set(zk, ROOT "/m", "x", 1, -1));
}

static void reconnect(void) {
    static struct events events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t id = zoo_client_id(zk)->client_id;
    char data[8];
    int length = sizeof data, before;
    same(ZNONODE, zoo_wexists(zk, ROOT "/after-cut", watcher, &events, NULL));
    before = get(&session, &session.sessions);
    proxy("cut");
    for (int i = 0; i < 500 && get(&session, &session.sessions) < before + 2; i++) nap(20);
    await_state(&session, ZOO_CONNECTED_STATE);
    same(id, zoo_client_id(zk)->client_id);
    same(ZOK, zoo_exists(zk, ROOT "/eph", 0, NULL));
    same(ZOK, zoo_get(zk, ROOT "/private", 0, data, &length, NULL));
    same(ZOK, create_node(ROOT "/after-cut", "", 0));
    for (int i = 0; i < 300 && get(&events, &events.nodes) == 0; i++) nap(20);
    same(ZOO_CREATED_EVENT, get(&events, &events.type));
}

static void resume(void) {
    static struct events first_events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static struct events again_events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    zhandle_t *first = open_session(address, 8000, NULL, &first_events);
    clientid_t id = *zoo_client_id(first);
    struct Stat stat;
    same(ZOK, zoo_create(first, ROOT "/carried", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
    zhandle_t *again = open_session(address, 8000, &id, &again_events);
    same(id.client_id, zoo_client_id(again)->client_id);
    same(ZOK, zoo_exists(again, ROOT "/carried", 0, &stat));
    same(id.client_id, stat.ephemeralOwner);
    zookeeper_close(again);
    zookeeper_close(first);
    same(ZNONODE, zoo_exists(zk, ROOT "/carried", 0, NULL));
}

static void expired(void) {
    static struct events brief_events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static struct events direct_events = {.lock = PTHREAD_MUTEX_INITIALIZER};
    zhandle_t *direct = open_session(direct_address, 8000, NULL, &direct_events);
    zhandle_t *brief = open_session(address, 1000, NULL, &brief_events);
    same(ZOK, zoo_create(brief, ROOT "/expiring", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
    proxy("down");
    for (int i = 0; i < 300 && zoo_exists(direct, ROOT "/expiring", 0, NULL) == ZOK; i++) nap(50);
    same(ZNONODE, zoo_exists(direct, ROOT "/expiring", 0, NULL));
    proxy("up");
    await_state(&brief_events, ZOO_EXPIRED_SESSION_STATE);
    zookeeper_close(brief);
    zookeeper_close(direct);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    address = argv[1];
    control_port = atoi(argv[2]);
    direct_address = argv[3];
    zoo_set_debug_level(0);
    if (setjmp(failed) != 0) {
        printf("FAIL connect %s\n", why);
        return 1;
    }
    zk = open_session(address, 8000, NULL, &session);
    check("create", create);
    check("read and set", read_and_set);
    check("errors", errors);
    check("list", list);
    check("sequential, ephemeral, container, TTL", special);
    check("delete", delete_node);
    check("sync", sync_node);
    check("900 kB of data", large);
    check("watches", watches);
    check("remove watches", remove_watches);
    check("multi", multi);
    check("multi refused", multi_refused);
    check("ACLs", acls);
    check("reconnect with the same session", reconnect);
    check("resume with id and password", resume);
    check("expired session", expired);
    zookeeper_close(zk);
    printf("passed %d of %d\n", passed, total);
    return passed == total ? 0 : 1;
}
