#include <algorithm>
#include <array>
#include <string>

#include "server/setting_rules.hpp"

// Keys that Apache obeys and this server does not: harmless ones, and those that must not be passed over.
namespace zkr::backend {

namespace {

using text = std::string_view;

constexpr text prefix = "zookeeper.";
constexpr text plain_key(text key) noexcept { return key.starts_with(prefix) ? key.substr(prefix.size()) : key; }

// About elections, files, threads and tuning that this server has not, or has by itself.
constexpr std::array unneeded{
    text("initLimit"),
    text("syncLimit"),
    text("connectToLearnerMasterLimit"),
    text("electionAlg"),
    text("electionPortBindRetry"),
    text("maxTimeToWaitForEpoch"),
    text("initialConfig"),
    text("syncEnabled"),
    text("observerMasterPort"),
    text("cnxTimeout"),
    text("tcpKeepAlive"),
    text("quorumListenOnAllIPs"),
    text("leaderServes"),
    text("skipACL"),
    text("forceSync"),
    text("localSessionsEnabled"),
    text("localSessionsUpgradingEnabled"),
    text("clientPortListenBacklog"),
    text("globalOutstandingLimit"),
    text("connectionMaxTokens"),
    text("connectionTokenFillTime"),
    text("connectionTokenFillCount"),
    text("connectionFreezeTime"),
    text("connectionDropIncrease"),
    text("connectionDropDecrease"),
    text("connectionDecreaseRatio"),
    text("largeRequestMaxBytes"),
    text("largeRequestThreshold"),
    text("throttledOpWaitTime"),
    text("maxResponseCacheSize"),
    text("maxGetChildrenResponseCacheSize"),
    text("bitHashCacheSize"),
    text("watchManagerName"),
    text("watcherCleanThreadsNum"),
    text("watcherCleanThreshold"),
    text("watcherCleanIntervalInSeconds"),
    text("maxInProcessingDeadWatchers"),
    text("znode.container.maxPerMinute"),
    text("znode.container.maxNeverUsedIntervalMs"),
    text("commitLogCount"),
    text("txnLogSizeLimitInKb"),
    text("snapSizeLimitInKb"),
    text("snapsync"),
    text("maxBatchSize"),
    text("flushDelay"),
    text("maxWriteQueuePollTime"),
    text("jute.maxbuffer.extrasize"),
    text("digest.enabled"),
    text("closeSessionTxn.enabled"),
    text("serializeLastProcessedZxid.enabled"),
    text("intBufferStartingSizeBytes"),
    text("superUser"),
    text("serverCnxnFactory"),
    text("shutdownTimeout"),
    text("reconfigEnabled"),
    text("allowSaslFailedClients"),
};

// Whole families.
constexpr std::array unneeded_families{
    text("admin."),    text("audit."),  text("commitProcessor."), text("datadir."),         text("db."),
    text("fsync."),    text("leader."), text("learner."),         text("metricsProvider."), text("multiAddress."),
    text("netty."),    text("nio."),    text("observer."),        text("readonlymode."),    text("request_throttle"),
    text("snapshot."), text("ssl."),
};

constexpr std::array ensemble_families{text("server."), text("group."), text("weight."), text("quorum.")};
constexpr std::array ensemble_keys{text("dynamicConfigFile"), text("sslQuorum"), text("sslQuorumReloadCertFiles")};
constexpr std::array client_auth_families{text("authProvider"), text("kerberos."), text("sasl.")};
constexpr std::array client_auth_keys{text("requireClientAuthScheme"), text("enforce.auth.enabled"),
                                      text("enforce.auth.schemes"), text("X509AuthenticationProvider.superUser")};
constexpr std::array tls_keys{text("secureClientPort"), text("secureClientPortAddress"), text("client.portUnification"),
                              text("portUnification"), text("admin.forceHttps")};

template <typename List>
bool has(const List& list, text key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}
template <typename List>
bool has_family(const List& list, text key) {
  return std::any_of(list.begin(), list.end(), [key](text family) { return key.starts_with(family); });
}

}  // namespace

std::string refusal_of(std::string_view key, std::string_view value) {
  key = plain_key(key);
  const bool off = value == "false";
  const bool ensemble = has_family(ensemble_families, key) || (has(ensemble_keys, key) && !off) ||
                        (key == "standaloneEnabled" && value != "true") ||
                        (key == "peerType" && value != "participant");
  if (ensemble) return "this server is a single one; for an ensemble, use Apache ZooKeeper";
  if (has(tls_keys, key) && !off) return "this server has no TLS";
  if ((has(client_auth_keys, key) && !off) || has_family(client_auth_families, key)) {
    return "this server knows no authentication but digest, ip and SASL with --sasl-users, and would not protect what "
           "this "
           "protects";
  }
  return {};
}

bool is_unneeded(std::string_view key) noexcept {
  key = plain_key(key);
  // Known, and of those values only that change nothing: see refusal_of.
  if (key == "standaloneEnabled" || key == "peerType") return true;
  return has(unneeded, key) || has_family(unneeded_families, key) || has(ensemble_keys, key) || has(tls_keys, key) ||
         has(client_auth_keys, key);
}

}  // namespace zkr::backend
