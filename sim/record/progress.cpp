#include "sim/record/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "sim/record/human.h"

namespace skiff {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr int kFewestCells = 10, kMostCells = 40;

double fraction_of(const ProgressState& s) {
  if (s.fraction >= 0) return std::min(1.0, s.fraction);
  return s.rounds == 0 ? 1.0 : std::min(1.0, static_cast<double>(s.round) / s.rounds);
}

int columns_of(std::FILE* stream) {
  winsize size{};
  return ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

Seconds seconds(Progress::Clock::duration d) {
  return Seconds(std::chrono::duration<double>(d).count());
}

}  // namespace

std::string progress_bar(const ProgressState& state, int cells) {
  const double fraction = fraction_of(state);
  const int full = static_cast<int>(fraction * cells);
  return fmt::format("round {}/{} {:#>{}}{:.>{}} {:.0f}%  {} virtual", state.round, state.rounds,
                     "", full, "", cells - full, 100 * fraction,
                     human_time(to_seconds(state.virtual_time)));
}

Progress::Style Progress::style_for(std::FILE* stream) {
  const char* term = std::getenv("TERM");
  const bool plain = term == nullptr || std::string_view(term) == "dumb";
  if (::isatty(::fileno(stream)) == 0 || plain) return Style::kLines;
  const char* no_color = std::getenv("NO_COLOR");
  return no_color != nullptr && *no_color != '\0' ? Style::kBar : Style::kColourBar;
}

Progress::Progress(std::FILE* stream, Style style, Clock::time_point now)
    : stream_(stream), style_(style), start_(now), shown_(now - kInterval) {
  if (style == Style::kBar || style == Style::kColourBar) columns_ = columns_of(stream);
}

std::string Progress::tail(const ProgressState& state, double fraction,
                           Clock::time_point now) const {
  const Seconds elapsed = seconds(now - start_);
  std::string text = "  " + human_time(elapsed);
  if (fraction > 0 && fraction < 1) {
    text += "  ETA " + human_time(elapsed * ((1 - fraction) / fraction));
  }
  if (!state.note.empty()) text += "  " + state.note;
  return text;
}

void Progress::update(const ProgressState& state, Clock::time_point now) {
  if (style_ == Style::kNone) return;
  const double fraction = fraction_of(state);
  if (style_ == Style::kLines) {
    const int tenths = static_cast<int>(fraction * 10 + 1e-9);
    if (tenths <= tenths_) return;
    tenths_ = tenths;
    fmt::print(stream_, "round {}/{} {}%  {} virtual{}\n", state.round, state.rounds, 10 * tenths,
               human_time(to_seconds(state.virtual_time)), tail(state, fraction, now));
    std::fflush(stream_);
    return;
  }
  if (now - shown_ < kInterval && fraction < 1) return;
  shown_ = now;
  const std::string end = tail(state, fraction, now);
  const int rest = static_cast<int>(progress_bar(state, 0).size() + end.size()) + 1;
  const int cells = std::clamp(columns_ - rest, kFewestCells, kMostCells);
  std::string line = progress_bar(state, cells) + end;
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
