// go-zookeeper on a server, as a story in which every line is certain. Arguments: HOST:PORT, or `words` HOST:PORT.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/samuel/go-zookeeper/zk"
)

const (
	patience     = 20 * time.Second
	shortSession = time.Second
	longSession  = 8 * time.Second
)

func say(story string, what ...interface{}) {
	words := make([]string, len(what))
	for i, one := range what {
		words[i] = fmt.Sprint(one)
	}
	fmt.Println(story + ": " + strings.Join(words, " "))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func waitFor(events <-chan zk.Event, what string) zk.Event {
	select {
	case event := <-events:
		return event
	case <-time.After(patience):
		panic("waited in vain: " + what)
	}
}

func waitUntil(holds func() bool, what string) {
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			panic("waited in vain: " + what)
		}
	}
}

// A network that can be cut.
type network struct {
	mutex sync.Mutex
	open  bool
	last  net.Conn
}

func (n *network) dial(kind, address string, timeout time.Duration) (net.Conn, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !n.open {
		return nil, errors.New("no network")
	}
	connection, err := net.DialTimeout(kind, address, timeout)
	n.last = connection
	return connection, err
}

func (n *network) set(open bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.open = open
	if !open {
		n.last.Close()
	}
}

// What a session has come to, in order, and without what the client alone decides.
type history struct {
	mutex  sync.Mutex
	states []string
}

func (h *history) note(event zk.Event) {
	if event.Type != zk.EventSession || event.State == zk.StateConnecting {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.states = append(h.states, event.State.String())
}

func (h *history) text() string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return strings.Join(h.states, ",")
}

type quiet struct{}

func (quiet) Printf(string, ...interface{}) {}

type client struct {
	*zk.Conn
	net     *network
	history *history
}

func connect(address string, timeout time.Duration) client {
	c := client{net: &network{open: true}, history: &history{}}
	var err error
	c.Conn, _, err = zk.Connect([]string{address}, timeout, zk.WithDialer(c.net.dial), zk.WithLogger(quiet{}),
		zk.WithEventCallback(c.history.note))
	must(err)
	waitUntil(func() bool { return c.State() == zk.StateHasSession }, "a session")
	return c
}

func create(c client, path, data string, flags int32) string {
	made, err := c.Create(path, []byte(data), flags, zk.WorldACL(zk.PermAll))
	must(err)
	return made
}

func sortedChildren(c client, path string) []string {
	names, _, err := c.Children(path)
	must(err)
	sort.Strings(names)
	return names
}

func operations(one, other client) {
	say("operations", create(one, "/app", "first", 0), create(one, "/app/s-", "", zk.FlagSequence),
		create(one, "/app/e", "", zk.FlagEphemeral), create(one, "/app/s-", "", zk.FlagEphemeral|zk.FlagSequence))
	data, stat, err := other.Get("/app")
	must(err)
	say("operations", string(data), stat.Version, stat.Cversion, stat.Aversion, stat.DataLength, stat.NumChildren,
		stat.EphemeralOwner, stat.Czxid == stat.Mzxid, stat.Pzxid > stat.Czxid)
	_, stat, err = other.Exists("/app/e")
	must(err)
	say("operations", stat.EphemeralOwner == one.SessionID(), sortedChildren(other, "/app"))
	stat, err = one.Set("/app", []byte("second"), 0)
	must(err)
	say("operations", stat.Version, stat.Mzxid > stat.Czxid)
	synced, err := other.Sync("/app")
	say("operations", synced, err)
	found, _, err := other.Exists("/none")
	say("operations", found, err)
	_, _, err = other.Get("/none")
	say("errors", err)
	_, err = one.Create("/app", nil, 0, zk.WorldACL(zk.PermAll))
	say("errors", err)
	_, err = one.Create("/none/child", nil, 0, zk.WorldACL(zk.PermAll))
	say("errors", err)
	_, err = one.Create("/app/e/child", nil, 0, zk.WorldACL(zk.PermAll))
	say("errors", err)
	_, err = one.Create("/app/odd", nil, 0, []zk.ACL{})
	say("errors", err)
	_, err = one.Create("/app/odd", nil, 64, zk.WorldACL(zk.PermAll))
	say("errors", err)
	_, err = one.Set("/app", nil, 7)
	say("errors", err, one.Delete("/app", -1), one.Delete("/app/e", 5), one.Delete("/none", -1))
	say("operations", one.Delete("/app/e", 0), sortedChildren(one, "/app"))
}

func transactions(one, other client) {
	open := zk.WorldACL(zk.PermAll)
	results, err := one.Multi(&zk.CheckVersionRequest{Path: "/app", Version: 1},
		&zk.CreateRequest{Path: "/app/m", Data: []byte("x"), Acl: open},
		&zk.CreateRequest{Path: "/app/m/s-", Acl: open, Flags: zk.FlagSequence},
		&zk.SetDataRequest{Path: "/app/m", Data: []byte("y"), Version: 0},
		&zk.DeleteRequest{Path: "/app/m/s-0000000000", Version: -1})
	say("transactions", err, len(results), results[1].String, results[2].String, results[3].Stat.Version)
	results, err = one.Multi(&zk.CreateRequest{Path: "/app/n", Acl: open},
		&zk.CheckVersionRequest{Path: "/app", Version: 9}, &zk.DeleteRequest{Path: "/app/m", Version: -1})
	say("transactions", err, len(results))
	for _, result := range results {
		say("transactions", result.Error)
	}
	found, _, err := other.Exists("/app/n")
	say("transactions", found, err, sortedChildren(other, "/app/m"))
}

func access(one, other client) {
	private := zk.DigestACL(zk.PermAll, "ann", "secret")
	_, err := one.Create("/private", []byte("x"), 0, private)
	must(err)
	_, _, err = one.Get("/private")
	say("access", err, one.AddAuth("digest", []byte("ann:secret")))
	data, _, err := one.Get("/private")
	say("access", string(data), err)
	_, _, err = other.Get("/private")
	_, setError := other.Set("/private", nil, -1)
	_, _, aclError := other.GetACL("/private")
	say("access", err, setError, aclError)
	acl, stat, err := one.GetACL("/private")
	say("access", acl, stat.Aversion, err)
	stat, err = one.SetACL("/private", append(zk.AuthACL(zk.PermAll), zk.WorldACL(zk.PermRead)...), 0)
	must(err)
	acl, _, err = other.GetACL("/private")
	say("access", acl, stat.Aversion, err)
	_, err = one.SetACL("/private", private, 7)
	_, oddError := one.SetACL("/private", []zk.ACL{{Perms: 31, Scheme: "odd", ID: "x"}}, -1)
	say("access", err, oddError)
	_, err = other.Create("/odd", nil, 0, zk.AuthACL(zk.PermAll))
	say("access", err)
}

func watches(one, other client) {
	create(one, "/watched", "", 0)
	_, _, data, err := one.GetW("/watched")
	must(err)
	_, _, children, err := one.ChildrenW("/watched")
	must(err)
	_, _, birth, err := one.ExistsW("/watched/child")
	must(err)
	create(other, "/watched/child", "", 0)
	say("watches", waitFor(birth, "the birth").Type, waitFor(children, "the children").Type)
	_, err = other.Set("/watched", []byte("x"), -1)
	must(err)
	event := waitFor(data, "the change")
	say("watches", event.Type, event.Path)
	_, _, gone, err := one.GetW("/watched/child")
	must(err)
	_, _, childless, err := one.ChildrenW("/watched/child")
	must(err)
	must(other.Delete("/watched/child", -1))
	say("watches", waitFor(gone, "the end").Type, waitFor(childless, "the end of the children").Type)
}

func locks(one, other client) {
	first := zk.NewLock(one.Conn, "/locks/lock", zk.WorldACL(zk.PermAll))
	second := zk.NewLock(other.Conn, "/locks/lock", zk.WorldACL(zk.PermAll))
	say("locks", first.Lock(), first.Lock())
	held := make(chan error, 1)
	go func() { held <- second.Lock() }()
	waitUntil(func() bool { return len(sortedChildren(one, "/locks/lock")) == 2 }, "the second contender")
	select {
	case <-held:
		say("locks", "held twice")
	default:
	}
	say("locks", first.Unlock())
	select {
	case err := <-held:
		say("locks", err, second.Unlock(), second.Unlock())
	case <-time.After(patience):
		panic("waited in vain: the lock")
	}
	say("locks", len(sortedChildren(one, "/locks/lock")))
}

func returning(address string, other client) {
	one := connect(address, longSession)
	session := one.SessionID()
	create(one, "/returning", "", zk.FlagEphemeral)
	_, _, changes, err := one.GetW("/returning")
	must(err)
	_, _, births, err := one.ExistsW("/returning-too")
	must(err)
	one.net.set(false)
	waitUntil(func() bool { return one.State() != zk.StateHasSession }, "the loss")
	_, err = other.Set("/returning", []byte("x"), -1)
	must(err)
	one.net.set(true)
	say("returning", waitFor(changes, "the change while it was away").Type)
	create(other, "/returning-too", "", 0)
	say("returning", waitFor(births, "the watch that was set again").Type)
	found, _, err := one.Exists("/returning")
	say("returning", found, err, one.SessionID() == session, one.history.text())
	one.Close()
	waitUntil(func() bool { found, _, _ := other.Exists("/returning"); return !found }, "the end")
}

func expiry(address string, other client) {
	one := connect(address, shortSession)
	session := one.SessionID()
	must(one.AddAuth("digest", []byte("ann:secret")))
	create(one, "/expiring", "", zk.FlagEphemeral)
	_, _, end, err := other.ExistsW("/expiring")
	must(err)
	_, _, change, err := one.GetW("/expiring")
	must(err)
	one.net.set(false)
	say("expiry", waitFor(end, "the end of the session").Type)
	one.net.set(true)
	say("expiry", waitFor(change, "the end of the watch").Err)
	waitUntil(func() bool { return one.State() == zk.StateHasSession }, "a new session")
	// Identities are proved again after the state is set.
	_, err = one.Set("/private", []byte("y"), -1)
	say("expiry", err, one.SessionID() != session, one.history.text())
	one.Close()
}

func sizes(one client) {
	create(one, "/large", strings.Repeat("x", 1000000), 0)
	data, stat, err := one.Get("/large")
	say("sizes", len(data), stat.DataLength, err)
	_, err = one.Set("/large", []byte(strings.Repeat("x", 1048576)), -1)
	// Whether the end is noticed in writing or in reading is chance.
	var writing *net.OpError
	say("sizes", errors.Is(err, zk.ErrConnectionClosed) || errors.As(err, &writing))
	waitUntil(func() bool { return one.State() == zk.StateHasSession }, "the connection")
	data, stat, err = one.Get("/large")
	say("sizes", len(data), stat.Version, err)
	var all sync.WaitGroup
	for i := 0; i < 200; i++ {
		all.Add(1)
		go func() {
			create(one, "/large/s-", "", zk.FlagSequence)
			all.Done()
		}()
	}
	all.Wait()
	names := sortedChildren(one, "/large")
	say("sizes", len(names), names[0], names[199])
}

// What Apache's server of today says, go-zookeeper cannot read; the bundled one says it so that it can.
func words(address string) {
	servers, ok := zk.FLWSrvr([]string{address}, patience)
	clients, alsoOk := zk.FLWCons([]string{address}, patience)
	say("words", ok, servers[0].Mode, alsoOk, len(clients[0].Clients))
}

func main() {
	address := os.Args[len(os.Args)-1]
	if len(os.Args) > 2 {
		words(address)
		return
	}
	one, other := connect(address, longSession), connect(address, longSession)
	operations(one, other)
	transactions(one, other)
	access(one, other)
	watches(one, other)
	locks(one, other)
	returning(address, other)
	expiry(address, other)
	sizes(one)
	say("words", zk.FLWRuok([]string{address}, patience))
	say("end", sortedChildren(other, "/"))
	one.Close()
	other.Close()
}
