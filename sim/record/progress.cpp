#include "sim/record/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "sim/record/human.h"

namespace skiff {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr int kFewestCells = 10, kMostCells = 40;

double fraction_of(std::uint32_t round, std::uint32_t rounds) {
  return rounds == 0 ? 1.0 : std::min(1.0, static_cast<double>(round) / rounds);
}

int tenths_of(double fraction) { return static_cast<int>(fraction * 10 + 1e-9); }

int columns_of(std::FILE* stream) {
  winsize size{};
  return ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

ProgressState round_state(std::uint32_t round, std::uint32_t rounds, VirtualTime time,
                          const std::string& note) {
  return {fraction_of(round, rounds), fmt::format("round {}/{}", round, rounds),
          human(to_seconds(time)) + " virtual", note};
}

std::string bar_of(const ProgressState& state, int cells) {
  const int full = static_cast<int>(state.fraction * cells);
  return fmt::format("{} {:#>{}}{:.>{}} {:.0f}%{}{}", state.count, "", full, "", cells - full,
                     std::floor(100 * state.fraction), state.extent.empty() ? "" : "  ",
                     state.extent);
}

}  // namespace

std::string progress_bar(std::uint32_t round, std::uint32_t rounds, VirtualTime time, int cells) {
  return bar_of(round_state(round, rounds, time, ""), cells);
}

Progress::Style Progress::style_for(std::FILE* stream) {
  const char* term = std::getenv("TERM");
  const bool plain = term == nullptr || std::string_view(term) == "dumb";
  if (::isatty(::fileno(stream)) == 0 || plain) return Style::kLines;
  const char* no_color = std::getenv("NO_COLOR");
  return no_color != nullptr && *no_color != '\0' ? Style::kBar : Style::kColourBar;
}

Progress::Progress(std::uint32_t rounds, std::FILE* stream, Style style, Clock::time_point now)
    : rounds_(rounds), stream_(stream), style_(style), start_(now), shown_(now - kInterval) {
  if (style == Style::kBar || style == Style::kColourBar) columns_ = columns_of(stream);
}

Progress::Progress(std::uint32_t rounds, std::FILE* stream, bool quiet)
    : Progress(rounds, stream, quiet ? Style::kNone : style_for(stream)) {}

std::string Progress::tail(const ProgressState& state, Clock::time_point now) const {
  const Seconds elapsed(std::chrono::duration<double>(now - start_).count());
  const double f = state.fraction;
  std::string text = "  " + human(elapsed);
  if (f > 0 && f < 1) text += "  ETA " + human(elapsed * ((1 - f) / f));
  if (!state.note.empty()) text += "  " + state.note;
  return text;
}

void Progress::update(std::uint32_t round, VirtualTime time, const std::string& note,
                      Clock::time_point now) {
  const double fraction = fraction_of(round, rounds_);
  const bool due = style_ == Style::kLines ? tenths_of(fraction) > tenths_
                                           : now - shown_ >= kInterval || fraction == 1;
  if (due) update(round_state(round, rounds_, time, note), now);
}

void Progress::update(const ProgressState& state, Clock::time_point now) {
  if (style_ == Style::kNone) return;
  if (style_ == Style::kLines) {
    const int tenths = tenths_of(state.fraction);
    if (tenths <= tenths_) return;
    tenths_ = tenths;
    fmt::print(stream_, "{} {}%{}{}{}\n", state.count, 10 * tenths,
               state.extent.empty() ? "" : "  ", state.extent, tail(state, now));
    std::fflush(stream_);
    return;
  }
  if (now - shown_ < kInterval && state.fraction < 1) return;
  shown_ = now;
  const std::string end = tail(state, now);
  const int rest = static_cast<int>(bar_of(state, 0).size() + end.size());
  const int cells = std::clamp(columns_ - 1 - rest, kFewestCells, kMostCells);
  std::string line = bar_of(state, cells) + end;
  line.resize(std::min(line.size(), static_cast<std::size_t>(columns_ - 1)));
  if (style_ == Style::kColourBar) {  // the full part in green
    const auto first = line.find('#');
    const auto last = line.find_first_not_of('#', first);
    if (first != std::string::npos && last != std::string::npos) {
      line.insert(last, "\033[0m").insert(first, "\033[32m");
    }
  }
  fmt::print(stream_, "\r{}\033[K", line);
  std::fflush(stream_);
  on_screen_ = true;
}

void Progress::clear() {
  if (!on_screen_) return;
  fmt::print(stream_, "\r\033[K");
  std::fflush(stream_);
  on_screen_ = false;
}

}  // namespace skiff
