#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <mutex>

#include "zkrecipes/prometheus.hpp"

namespace zkr {
namespace {

using ::prometheus::BuildCounter;
using ::prometheus::BuildGauge;
using ::prometheus::BuildHistogram;
using ::prometheus::Counter;
using ::prometheus::Family;
using ::prometheus::Gauge;
using ::prometheus::Histogram;
using labels_t = std::map<std::string, std::string>;

// From a read in a quiet rack to a write whose ensemble elects a leader first.
const Histogram::BucketBoundaries in_seconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                             0.25,   0.5,   1,      2.5,   5,    10,    30};
// Of the session's time-out. With docs/leases.md's figures, 0.15 and more is in order.
const Histogram::BucketBoundaries in_timeouts{0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

double seconds(duration of) { return std::chrono::duration<double>(of).count(); }

class metrics final : public observer {
 public:
  metrics(std::shared_ptr<::prometheus::Registry> registry, const labels_t& labels)
      : registry_(std::move(registry)), labels_(labels) {}

  void on_log(log_level level, std::string_view) override {
    constexpr const char* names[] = {"error", "warn", "info", "debug"};
    log_lines_.Add({{"level", names[static_cast<std::size_t>(level)]}}).Increment();
  }

  void on_session(const session_info& session) override {
    connected_.Set(session.state == session_state::connected ? 1 : 0);
    switch (session.state) {
      case session_state::connected: (session.connection <= 1 ? sessions_ : reconnects_).Increment(); break;
      case session_state::suspended:
      case session_state::lost: disconnects_.Add({{"cause", std::string(to_string(session.cause))}}).Increment(); break;
      case session_state::connecting:
      case session_state::closed: break;
    }
  }

  void on_operation(std::string_view operation, duration latency, const error* problem) override {
    latency_of(operation).Observe(seconds(latency));
    if (problem == nullptr) return;
    failures_
        .Add({{"operation", std::string(operation)},
              {"error", std::string(to_string(problem->code()))},
              {"outcome", problem->outcome() == outcome::unknown ? "unknown" : "not_applied"}})
        .Increment();
  }

  void on_load(std::size_t in_flight, std::size_t waiting) override {
    in_flight_.Set(static_cast<double>(in_flight));
    waiting_.Set(static_cast<double>(waiting));
  }

  void on_watch(duration lag) override { watch_lag_.Observe(seconds(lag)); }
  void on_lease(duration left, duration session_timeout) override {
    lease_left_.Observe(seconds(left) / seconds(session_timeout));
  }

  void on_grant(std::string_view, std::int64_t, bool given) override {
    if (given) {
      grants_.Increment();
      held_.Increment();
    } else {
      held_.Decrement();
    }
  }

  void on_background_error(const error& problem) override {
    background_errors_.Add({{"error", std::string(to_string(problem.code()))}}).Increment();
  }
  void on_callback_exception(std::string_view) override { exceptions_.Increment(); }

 private:
  Family<Counter>& counters(const char* name, const char* help) {
    return BuildCounter().Name(name).Help(help).Labels(labels_).Register(*registry_);
  }
  Counter& counter(const char* name, const char* help) { return counters(name, help).Add({}); }
  Gauge& gauge(const char* name, const char* help) {
    return BuildGauge().Name(name).Help(help).Labels(labels_).Register(*registry_).Add({});
  }
  Family<Histogram>& histograms(const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Labels(labels_).Register(*registry_);
  }

  // Operations are few, and their names last for ever: what was made for one is kept at hand.
  Histogram& latency_of(std::string_view operation) {
    const std::scoped_lock lock(mutex_);
    auto& found = by_operation_[operation];
    if (found == nullptr) found = &latencies_.Add({{"operation", std::string(operation)}}, in_seconds);
    return *found;
  }

  const std::shared_ptr<::prometheus::Registry> registry_;
  const labels_t labels_;

  Family<Histogram>& latencies_ = histograms("zkr_operation_seconds", "From the call to its end");
  Family<Counter>& failures_ = counters("zkr_operation_failures_total", "Operations that ended with an error");
  Gauge& in_flight_ = gauge("zkr_operations_in_flight", "Sent, not answered yet");
  Gauge& waiting_ = gauge("zkr_operations_waiting", "Waiting for a connection, or for room");
  Gauge& connected_ = gauge("zkr_connected", "1 while connected");
  Counter& sessions_ = counter("zkr_sessions_total", "Sessions that began");
  Counter& reconnects_ = counter("zkr_reconnects_total", "Sessions that went on on another connection");
  Family<Counter>& disconnects_ = counters("zkr_disconnects_total", "Connections and sessions that were lost");
  Histogram& watch_lag_ =
      histograms("zkr_watch_lag_seconds", "From a notice of a change to the call of its handler").Add({}, in_seconds);
  Histogram& lease_left_ =
      histograms("zkr_lease_left_ratio", "What was left of a lease when it was renewed, in session time-outs")
          .Add({}, in_timeouts);
  Gauge& held_ = gauge("zkr_grants_held", "Locks and leaderships");
  Counter& grants_ = counter("zkr_grants_total", "Locks and leaderships that were given");
  Family<Counter>& background_errors_ = counters("zkr_background_errors_total", "Failures that no caller waits for");
  Counter& exceptions_ = counter("zkr_callback_exceptions_total", "Exceptions that left callbacks");
  Family<Counter>& log_lines_ = counters("zkr_log_lines_total", "Lines of diagnosis");

  std::mutex mutex_;
  std::map<std::string_view, Histogram*> by_operation_;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<observer> prometheus_observer(std::shared_ptr<::prometheus::Registry> registry,
                                              const std::map<std::string, std::string>& labels) {
  return std::make_shared<metrics>(std::move(registry), labels);
}

}  // namespace zkr
