#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "testing/exploration/words.hpp"

namespace zkr::testing {
namespace {

using kind = history_entry::kind;

constexpr double left = 40;
constexpr double width = 1000;
constexpr double top = 50;
constexpr double lane = 64;

/// Draws onto a time axis that ends with the history.
class canvas {
 public:
  explicit canvas(const exploration_run& of)
      : of_(of), end_(of.history.empty() ? duration(1) : std::max(duration(1), of.history.back().at)) {}

  [[nodiscard]] std::string draw() {
    const bool servers = of_.schedule.world.servers > 1;  // have a lane of their own, below the others
    const double height = top + lane * static_cast<double>(of_.schedule.contenders + (servers ? 1 : 0)) + 30;
    text_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"sans-serif\" font-size=\"11\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        "<text x=\"{2}\" y=\"16\" font-size=\"13\">seed {3}, {4} of the assumptions{5}</text>\n",
        left + width + 20, height, left, of_.schedule.world.seed,
        of_.schedule.where == regime::inside ? "inside" : "outside",
        of_.violated ? fmt::format(": {}: {}", of_.violated->invariant, of_.violated->text) : std::string());
    axis(height - 22);
    for (std::size_t i = 0; i < of_.schedule.contenders; ++i) {
      const auto y = lane_of(i) + 26;
      text_ += fmt::format("<text x=\"12\" y=\"{:.0f}\" font-size=\"15\">{}</text>\n", y + 5, name_of(i));
      text_ += fmt::format("<line x1=\"{}\" y1=\"{:.0f}\" x2=\"{}\" y2=\"{:.0f}\" stroke=\"#ccc\"/>\n", left, y,
                           left + width, y);
    }
    if (servers)
      text_ += fmt::format("<text x=\"2\" y=\"{:.0f}\">servers</text>\n", lane_of(history_entry::nobody) + 31);
    bars();
    marks(height);
    return text_ + "</svg>\n";
  }

 private:
  [[nodiscard]] double x(duration at) const {
    return left + width * static_cast<double>(at.count()) / static_cast<double>(end_.count());
  }
  [[nodiscard]] double lane_of(std::size_t whom) const {
    return top + lane * static_cast<double>(std::min(whom, of_.schedule.contenders));
  }

  void axis(double y) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(end_);
    for (std::chrono::seconds at{0}; at <= whole; ++at) {
      text_ += fmt::format("<line x1=\"{0:.1f}\" y1=\"28\" x2=\"{0:.1f}\" y2=\"{1:.0f}\" stroke=\"#eee\"/>", x(at), y);
      text_ +=
          fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" fill=\"#666\">{} s</text>\n", x(at) - 6, y + 14, at.count());
    }
  }

  /// A rectangle with words that appear when it is pointed at.
  void bar(std::size_t whom, duration from, duration until, double offset, double height, std::string_view colour,
           const std::string& words) {
    text_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{:.0f}\" fill=\"{}\"><title>{}</title></rect>\n",
        x(from), lane_of(whom) + offset, std::max(1.0, x(until) - x(from)), height, colour, words);
  }

  /// What lasts: grants (green), acquisitions (a thin grey line below), sessions that are not connected (orange), and
  /// faults with a span (red, above).
  void bars() {
    struct open_bar {
      duration from;
      std::string words;
    };
    std::map<std::size_t, open_bar> grants;
    std::map<std::size_t, open_bar> waits;
    std::map<std::size_t, open_bar> sessions;
    const auto close = [&](std::map<std::size_t, open_bar>& of, std::size_t whom, duration at, double offset,
                           double height, std::string_view colour) {
      const auto found = of.find(whom);
      if (found == of.end()) return;
      bar(whom, found->second.from, at, offset, height, colour, found->second.words);
      of.erase(found);
    };
    const auto end_grant = [&](std::size_t whom, duration at) { close(grants, whom, at, 19, 14, "#3a9d5d"); };
    const auto end_wait = [&](std::size_t whom, duration at) { close(waits, whom, at, 36, 4, "#999"); };
    const auto end_session = [&](std::size_t whom, duration at) { close(sessions, whom, at, 43, 4, "#e8a33d"); };
    for (const auto& one : of_.history) {
      switch (one.what) {
        case kind::acquired:
          end_wait(one.whom, one.at);
          grants[one.whom] = {one.at, fmt::format("grant, token {}", one.value)};
          break;
        case kind::released:
        case kind::ended: end_grant(one.whom, one.at); break;
        case kind::began: waits[one.whom] = {one.at, fmt::format("acquisition {}", one.number)}; break;
        case kind::refused: end_wait(one.whom, one.at); break;
        case kind::session: {
          const auto state = static_cast<session_state>(one.number);
          end_session(one.whom, one.at);
          if (state != session_state::connected) {
            sessions[one.whom] = {one.at, fmt::format("session {}", to_string(state))};
          }
          break;
        }
        case kind::step: {
          const auto& what = of_.schedule.steps.at(static_cast<std::size_t>(one.number));
          if (what.kind == step_kind::crash) {
            end_grant(one.whom, one.at);
            end_wait(one.whom, one.at);
            end_session(one.whom, one.at);
          }
          if (lasts(what.kind))
            bar(one.whom, one.at, std::min(end_, one.at + what.span), 11, 4, "#d9534f", describe(what));
          break;
        }
        default: break;
      }
    }
    for (std::size_t i = 0; i < of_.schedule.contenders; ++i) {
      end_grant(i, end_);
      end_wait(i, end_);
      end_session(i, end_);
    }
  }

  /// What happens at a moment: steps by their first letters above the lane, the end of all faults, violations.
  void marks(double height) {
    for (const auto& one : of_.history) {
      if (one.what == kind::calm || one.what == kind::violated) {
        const std::string_view colour = one.what == kind::calm ? "#3b6fb6" : "#d9534f";
        text_ += fmt::format(
            "<line x1=\"{0:.1f}\" y1=\"24\" x2=\"{0:.1f}\" y2=\"{1:.0f}\" stroke=\"{2}\" stroke-dasharray=\"4\"/>"
            "<text x=\"{0:.1f}\" y=\"32\" fill=\"{2}\" text-anchor=\"end\">{3}</text>\n",
            x(one.at), height - 22, colour, one.what == kind::calm ? "no more faults" : "violated");
      }
      if (one.what != kind::step) continue;
      const auto& what = of_.schedule.steps.at(static_cast<std::size_t>(one.number));
      text_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" font-size=\"8\" fill=\"{}\">{}<title>{}</title></text>\n",
                           x(one.at), lane_of(one.whom) + 9, is_fault(what.kind) ? "#d9534f" : "#666",
                           to_string(what.kind), describe(what));
    }
  }

  const exploration_run& of_;
  const duration end_;
  std::string text_;
};

}  // namespace

std::string picture(const exploration_run& of) { return canvas(of).draw(); }

}  // namespace zkr::testing
