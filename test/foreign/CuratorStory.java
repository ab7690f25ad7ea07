import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.zookeeper.CreateMode;

/** Curator's recipes on a server, as a story in which every line is certain. Argument: HOST:PORT. */
public class CuratorStory {
  private static final int PATIENCE_S = 20;

  private static void say(String story, Object... what) {
    List<String> words = new ArrayList<>();
    for (Object one : what) words.add(String.valueOf(one));
    System.out.println(story + ": " + String.join(" ", words));
  }

  private static void waitUntil(BooleanSupplier holds, String what) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > deadline) throw new IllegalStateException("waited in vain: " + what);
      Thread.sleep(5);
    }
  }

  private static CuratorFramework connect(String servers) throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.newClient(servers, 8000, 5000, new RetryOneTime(100));
    client.start();
    client.blockUntilConnected();
    return client;
  }

  private static void operations(CuratorFramework one, CuratorFramework other) throws Exception {
    say("operations", one.create().creatingParentContainersIfNeeded().forPath("/app/a", "x".getBytes()));
    say("operations", one.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/app/s-"));
    String name = one.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/app/p-");
    say("operations", name.replaceAll("_c_[0-9a-f-]{36}", "GUID"));
    say("operations", new String(other.getData().forPath("/app/a")), other.checkExists().forPath("/app/a").getVersion());
    say("operations", other.transaction().forOperations(
        other.transactionOp().check().forPath("/app/a"),
        other.transactionOp().create().forPath("/app/b", "y".getBytes()),
        other.transactionOp().setData().forPath("/app/a", "z".getBytes()),
        other.transactionOp().delete().forPath("/app/b")).size());
    try {
      other.transaction().forOperations(other.transactionOp().create().forPath("/app/c"),
          other.transactionOp().check().withVersion(9).forPath("/app/a"));
    } catch (org.apache.zookeeper.KeeperException error) {
      say("operations", error.code(), other.checkExists().forPath("/app/c"));
    }
    one.delete().guaranteed().deletingChildrenIfNeeded().forPath("/app");
    say("operations", one.checkExists().forPath("/app"));
  }

  private static void locks(CuratorFramework one, CuratorFramework other) throws Exception {
    InterProcessMutex first = new InterProcessMutex(one, "/lock");
    InterProcessMutex second = new InterProcessMutex(other, "/lock");
    first.acquire();
    first.acquire();
    say("locks", second.acquire(50, TimeUnit.MILLISECONDS), first.getParticipantNodes().size());
    first.release();
    first.release();
    say("locks", second.acquire(PATIENCE_S, TimeUnit.SECONDS));
    second.release();

    InterProcessReadWriteLock reading = new InterProcessReadWriteLock(one, "/rw");
    InterProcessReadWriteLock writing = new InterProcessReadWriteLock(other, "/rw");
    reading.readLock().acquire();
    say("locks", writing.writeLock().acquire(50, TimeUnit.MILLISECONDS));
    say("locks", writing.readLock().acquire(PATIENCE_S, TimeUnit.SECONDS));
    writing.readLock().release();
    reading.readLock().release();
    say("locks", writing.writeLock().acquire(PATIENCE_S, TimeUnit.SECONDS));
    say("locks", reading.readLock().acquire(50, TimeUnit.MILLISECONDS));
    writing.writeLock().release();

    InterProcessSemaphoreV2 two = new InterProcessSemaphoreV2(one, "/semaphore", 2);
    Lease a = two.acquire();
    Lease b = two.acquire();
    say("locks", two.acquire(50, TimeUnit.MILLISECONDS), two.getParticipantNodes().size());
    two.returnLease(a);
    Lease c = two.acquire(PATIENCE_S, TimeUnit.SECONDS);
    say("locks", c != null);
    two.returnLease(b);
    two.returnLease(c);
  }

  private static void elections(CuratorFramework one, CuratorFramework other) throws Exception {
    LeaderLatch first = new LeaderLatch(one, "/latch", "one");
    first.start();
    first.await();
    LeaderLatch second = new LeaderLatch(other, "/latch", "two");
    second.start();
    waitUntil(() -> participants(first) == 2, "the second participant");
    say("elections", second.hasLeadership(), second.getLeader().getId());
    first.close();
    say("elections", second.await(PATIENCE_S, TimeUnit.SECONDS), second.getLeader().getId());
    second.close();
  }

  private static int participants(LeaderLatch latch) {
    try {
      return latch.getParticipants().size();
    } catch (Exception error) {
      return -1;
    }
  }

  private static void caches(CuratorFramework one, CuratorFramework other) throws Exception {
    one.create().creatingParentsIfNeeded().forPath("/cached/a", "1".getBytes());
    ConcurrentSkipListSet<String> seen = new ConcurrentSkipListSet<>();
    try (CuratorCache cache = CuratorCache.build(one, "/cached")) {
      cache.listenable().addListener((type, before, after) -> seen.add(type + " " + (after != null ? after : before).getPath()));
      cache.start();
      waitUntil(() -> seen.contains("NODE_CREATED /cached/a"), "what was there");
      other.create().forPath("/cached/a/deep", "2".getBytes());
      waitUntil(() -> seen.contains("NODE_CREATED /cached/a/deep"), "the new node");
      other.setData().forPath("/cached/a", "3".getBytes());
      waitUntil(() -> seen.contains("NODE_CHANGED /cached/a"), "the change");
      other.delete().forPath("/cached/a/deep");
      waitUntil(() -> seen.contains("NODE_DELETED /cached/a/deep"), "the end");
      say("caches", new String(cache.get("/cached/a").get().getData()), cache.get("/cached/a/deep").isPresent(), cache.size());
    }
    say("caches", seen.contains("NODE_CREATED /cached"));
  }

  private static void nodes(CuratorFramework one, CuratorFramework other) throws Exception {
    try (PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, "/node", "mine".getBytes())) {
      node.start();
      say("nodes", node.waitForInitialCreate(PATIENCE_S, TimeUnit.SECONDS), node.getActualPath());
      long created = other.checkExists().forPath("/node").getCzxid();
      other.delete().forPath("/node");
      waitUntil(() -> {
        try {
          var stat = other.checkExists().forPath("/node");
          return stat != null && stat.getCzxid() > created;
        } catch (Exception error) {
          return false;
        }
      }, "the node's return");
    }
    say("nodes", other.checkExists().forPath("/node"));
  }

  private static void discovery(CuratorFramework one, CuratorFramework other) throws Exception {
    ServiceInstance<Void> instance =
        ServiceInstance.<Void>builder().name("shop").address("host").port(80).id("first").build();
    try (ServiceDiscovery<Void> here = ServiceDiscoveryBuilder.builder(Void.class).client(one).basePath("/services")
             .thisInstance(instance).build();
         ServiceDiscovery<Void> there =
             ServiceDiscoveryBuilder.builder(Void.class).client(other).basePath("/services").build()) {
      here.start();
      there.start();
      say("discovery", there.queryForNames(), there.queryForInstances("shop").size(),
          there.queryForInstance("shop", "first").getPort());
      here.unregisterService(instance);
      say("discovery", there.queryForInstances("shop").size());
    }
  }

  public static void main(String[] arguments) throws Exception {
    try (CuratorFramework one = connect(arguments[0]); CuratorFramework other = connect(arguments[0])) {
      operations(one, other);
      locks(one, other);
      elections(one, other);
      caches(one, other);
      nodes(one, other);
      discovery(one, other);
      say("end", new TreeSet<>(one.getChildren().forPath("/")));
    }
  }
}
