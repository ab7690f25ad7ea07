import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.retry.RetryOneTime;

/** Takes locks that others share, and writes a journal. Arguments: HOST:PORT JOURNAL CYCLES WORK WAY..., a contender each. */
public class CuratorLocks {
  private static InterProcessLock lock(CuratorFramework client, String way) {
    switch (way) {
      case "mutex": return new InterProcessMutex(client, "/lock");
      case "write": return new InterProcessReadWriteLock(client, "/lock").writeLock();
      default: return new InterProcessReadWriteLock(client, "/lock").readLock();
    }
  }

  private static void contend(String servers, Path journal, int cycles, int work, String way) {
    CuratorFramework client = CuratorFrameworkFactory.newClient(servers, 8000, 5000, new RetryOneTime(100));
    client.start();
    InterProcessLock lock = lock(client, way);
    try {
      for (int i = 0; i < cycles; ++i) {
        if (!lock.acquire(60, TimeUnit.SECONDS)) throw new IllegalStateException("no lock");
        Files.writeString(journal, "enter " + way + " curator\n", StandardOpenOption.APPEND);
        for (int k = 0; k < work; ++k) client.getData().forPath("/lock");
        Files.writeString(journal, "leave " + way + " curator\n", StandardOpenOption.APPEND);
        lock.release();
      }
    } catch (Exception problem) {
      problem.printStackTrace();
      System.exit(1);
    } finally {
      client.close();
    }
  }

  public static void main(String[] arguments) throws Exception {
    List<Thread> all = new ArrayList<>();
    for (int i = 4; i < arguments.length; ++i) {
      String way = arguments[i];
      all.add(new Thread(
          () -> contend(arguments[0], Path.of(arguments[1]), Integer.parseInt(arguments[2]),
              Integer.parseInt(arguments[3]), way)));
    }
    for (Thread one : all) one.start();
    for (Thread one : all) one.join();
  }
}
