// go-zookeeper. Arguments: host:port (through the proxy), control port, direct host:port.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

const root = "/go"

var (
	passed, total int
	address       = os.Args[1]
	control       = os.Args[2]
	direct        = os.Args[3]
	open          = zk.WorldACL(zk.PermAll)
)

type quiet struct{}

func (quiet) Printf(string, ...interface{}) {}

// check runs one check; must and same leave it by panic.
func check(name string, action func()) {
	total++
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Println("FAIL", name, strings.ReplaceAll(fmt.Sprint(problem), "\n", " "))
			return
		}
		passed++
		fmt.Println("ok", name)
	}()
	action()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func same(expected, actual interface{}) {
	if !reflect.DeepEqual(expected, actual) {
		panic(fmt.Sprintf("expected %v, got %v", expected, actual))
	}
}

func until(what string, probe func() bool) {
	for deadline := time.Now().Add(15 * time.Second); !probe(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			panic("waited 15 s for " + what)
		}
	}
}

func next(events <-chan zk.Event) zk.Event {
	select {
	case event := <-events:
		return event
	case <-time.After(10 * time.Second):
		panic("no event in 10 s")
	}
}

func awaitState(events <-chan zk.Event, state zk.State) {
	for {
		if event := next(events); event.Type == zk.EventSession && event.State == state {
			return
		}
	}
}

func proxy(command string) {
	connection, err := net.Dial("tcp", "127.0.0.1:"+control)
	must(err)
	defer connection.Close()
	fmt.Fprintln(connection, command)
	_, err = bufio.NewReader(connection).ReadString('\n')
	must(err)
}

func connect(to string, timeout time.Duration) (*zk.Conn, <-chan zk.Event) {
	conn, events, err := zk.Connect([]string{to}, timeout, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	must(err)
	awaitState(events, zk.StateHasSession)
	return conn, events
}

func removeAll(c *zk.Conn, path string) {
	children, _, err := c.Children(path)
	if err == zk.ErrNoNode {
		return
	}
	must(err)
	for _, child := range children {
		removeAll(c, path+"/"+child)
	}
	must(c.Delete(path, -1))
}

func main() {
	c, events := connect(address, 8*time.Second)
	nodes(c)
	watches(c)
	multi(c)
	acls(c)
	sessions(c, events)
	c.Close()
	fmt.Printf("passed %d of %d\n", passed, total)
	if passed != total {
		os.Exit(1)
	}
}

func nodes(c *zk.Conn) {
	check("create", func() {
		removeAll(c, root)
		path, err := c.Create(root, []byte("root"), 0, open)
		must(err)
		same(root, path)
	})
	check("read and set", func() {
		data, stat, err := c.Get(root)
		must(err)
		same("root 0 4", fmt.Sprintf("%s %d %d", data, stat.Version, stat.DataLength))
		stat, err = c.Set(root, []byte("two"), 0)
		must(err)
		same(int32(1), stat.Version)
		_, err = c.Set(root, nil, 0)
		same(zk.ErrBadVersion, err)
	})
	check("errors", func() {
		_, err := c.Create(root, nil, 0, open)
		same(zk.ErrNodeExists, err)
		_, err = c.Create(root+"/a/b", nil, 0, open)
		same(zk.ErrNoNode, err)
		_, _, err = c.Get(root + "/none")
		same(zk.ErrNoNode, err)
		exists, _, err := c.Exists(root + "/none")
		must(err)
		same(false, exists)
		_, err = c.Create(root+"/x", nil, 0, nil)
		same(zk.ErrInvalidACL, err)
	})
	check("list", func() {
		for _, name := range []string{"b", "a", "日本"} {
			_, err := c.Create(root+"/"+name, nil, 0, open)
			must(err)
		}
		children, stat, err := c.Children(root)
		must(err)
		sort.Strings(children)
		same([]string{"a", "b", "日本"}, children)
		same(int32(3), stat.NumChildren)
		same(zk.ErrNotEmpty, c.Delete(root, -1))
	})
	check("sequential and ephemeral", func() {
		path, err := c.Create(root+"/s-", nil, zk.FlagSequence, open)
		must(err)
		same(root+"/s-0000000003", path)
		_, err = c.Create(root+"/eph", nil, zk.FlagEphemeral, open)
		must(err)
		_, stat, err := c.Exists(root + "/eph")
		must(err)
		same(c.SessionID(), stat.EphemeralOwner)
		_, err = c.Create(root+"/eph/x", nil, 0, open)
		same(zk.ErrNoChildrenForEphemerals, err)
		path, err = c.CreateProtectedEphemeralSequential(root+"/p-", nil, open)
		must(err)
		must(c.Delete(path, -1))
	})
	check("container and TTL", func() {
		_, err := c.CreateContainer(root+"/container", nil, zk.FlagTTL, open)
		same(true, err != nil)
		_, err = c.CreateContainer(root+"/container", nil, 4, open)
		must(err)
		_, err = c.Create(root+"/container/child", nil, 0, open)
		must(err)
		must(c.Delete(root+"/container/child", -1))
		until("the container's deletion", func() bool { exists, _, _ := c.Exists(root + "/container"); return !exists })
		_, err = c.CreateTTL(root+"/ttl", nil, zk.FlagTTL, open, 200*time.Millisecond)
		must(err)
		until("the TTL node's deletion", func() bool { exists, _, _ := c.Exists(root + "/ttl"); return !exists })
	})
	check("500 kB of data", func() {
		_, err := c.Create(root+"/big", bytes.Repeat([]byte("x"), 500_000), 0, open)
		must(err)
		data, _, err := c.Get(root + "/big")
		must(err)
		same(500_000, len(data))
	})
	check("sync", func() {
		path, err := c.Sync(root)
		must(err)
		same(root, path)
	})
	check("concurrent writes", func() {
		_, err := c.Create(root+"/many", nil, 0, open)
		must(err)
		var all sync.WaitGroup
		for i := 0; i < 20; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for j := 0; j < 50; j++ {
					c.Set(root+"/many", []byte("x"), -1)
				}
			}()
		}
		all.Wait()
		_, stat, err := c.Get(root + "/many")
		must(err)
		same(int32(1000), stat.Version)
	})
	check("four-letter word", func() {
		// FLWSrvr and FLWCons are not asked: they cannot read what Apache 3.9 answers either.
		same([]bool{true}, zk.FLWRuok([]string{direct}, 5*time.Second))
	})
}

func watches(c *zk.Conn) {
	expect := func(events <-chan zk.Event, kind zk.EventType, path string) {
		event := next(events)
		same(fmt.Sprint(kind, path), fmt.Sprint(event.Type, event.Path))
	}
	check("watches", func() {
		path := root + "/watched"
		_, _, events, err := c.ExistsW(path)
		must(err)
		_, err = c.Create(path, nil, 0, open)
		must(err)
		expect(events, zk.EventNodeCreated, path)
		_, _, events, err = c.GetW(path)
		must(err)
		_, err = c.Set(path, []byte("x"), -1)
		must(err)
		expect(events, zk.EventNodeDataChanged, path)
		_, _, children, err := c.ChildrenW(root)
		must(err)
		_, _, events, err = c.GetW(path)
		must(err)
		must(c.Delete(path, -1))
		expect(events, zk.EventNodeDeleted, path)
		expect(children, zk.EventNodeChildrenChanged, root)
	})
}

func multi(c *zk.Conn) {
	check("multi", func() {
		results, err := c.Multi(
			&zk.CreateRequest{Path: root + "/m", Data: []byte("1"), Acl: open},
			&zk.SetDataRequest{Path: root + "/m", Data: []byte("2"), Version: 0},
			&zk.CheckVersionRequest{Path: root + "/m", Version: 1},
			&zk.DeleteRequest{Path: root + "/s-0000000003", Version: -1},
		)
		must(err)
		same(4, len(results))
		same(root+"/m", results[0].String)
		same(int32(1), results[1].Stat.Version)
	})
	check("multi refused", func() {
		results, err := c.Multi(
			&zk.CreateRequest{Path: root + "/never", Acl: open},
			&zk.CheckVersionRequest{Path: root + "/m", Version: 99},
			&zk.DeleteRequest{Path: root + "/none", Version: -1},
		)
		same(zk.ErrBadVersion, err)
		same(zk.ErrBadVersion, results[1].Error)
		exists, _, err := c.Exists(root + "/never")
		must(err)
		same(false, exists)
	})
}

func acls(c *zk.Conn) {
	check("ACLs", func() {
		acl := zk.DigestACL(zk.PermAll, "carol", "secret")
		_, err := c.Create(root+"/private", []byte("p"), 0, acl)
		must(err)
		_, _, err = c.Get(root + "/private")
		same(zk.ErrNoAuth, err)
		must(c.AddAuth("digest", []byte("carol:secret")))
		data, _, err := c.Get(root + "/private")
		must(err)
		same("p", string(data))
		got, _, err := c.GetACL(root + "/private")
		must(err)
		same(acl, got)
		_, err = c.Create(root+"/authed", nil, 0, zk.AuthACL(zk.PermAll))
		must(err)
		stat, err := c.SetACL(root+"/m", zk.WorldACL(zk.PermRead), 0)
		must(err)
		same(int32(1), stat.Aversion)
		_, err = c.Set(root+"/m", nil, -1)
		same(zk.ErrNoAuth, err)
	})
	check("lock recipe", func() {
		one := zk.NewLock(c, root+"/lock", open)
		two := zk.NewLock(c, root+"/lock", open)
		must(one.Lock())
		got := make(chan error, 1)
		go func() { got <- two.Lock() }()
		select {
		case <-got:
			panic("two owners")
		case <-time.After(200 * time.Millisecond):
		}
		must(one.Unlock())
		must(<-got)
		must(two.Unlock())
	})
}

func sessions(c *zk.Conn, events <-chan zk.Event) {
	check("reconnect with the same session", func() {
		id := c.SessionID()
		_, _, watch, err := c.ExistsW(root + "/after-cut")
		must(err)
		proxy("cut")
		awaitState(events, zk.StateDisconnected)
		awaitState(events, zk.StateHasSession)
		same(id, c.SessionID())
		exists, _, err := c.Exists(root + "/eph")
		must(err)
		same(true, exists)
		data, _, err := c.Get(root + "/private")
		must(err)
		same("p", string(data))
		_, err = c.Create(root+"/after-cut", nil, 0, open)
		must(err)
		same(zk.EventNodeCreated, next(watch).Type)
	})
	check("close removes ephemerals", func() {
		other, _ := connect(address, 8*time.Second)
		_, err := other.Create(root+"/closing", nil, zk.FlagEphemeral, open)
		must(err)
		_, _, watch, err := c.ExistsW(root + "/closing")
		must(err)
		other.Close()
		same(zk.EventNodeDeleted, next(watch).Type)
	})
	check("expired session", func() {
		watcher, _ := connect(direct, 8*time.Second)
		brief, briefEvents := connect(address, time.Second)
		_, err := brief.Create(root+"/expiring", nil, zk.FlagEphemeral, open)
		must(err)
		proxy("down")
		until("the ephemeral's removal", func() bool {
			exists, _, err := watcher.Exists(root + "/expiring")
			must(err)
			return !exists
		})
		proxy("up")
		awaitState(briefEvents, zk.StateExpired)
		awaitState(briefEvents, zk.StateHasSession)
		_, _, err = brief.Exists(root)
		must(err)
		brief.Close()
		watcher.Close()
	})
}
