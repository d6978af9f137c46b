// How far a run is, while it runs: a bar with the time to go on a terminal, a line each 10 % into a
// pipe. Writes to one stream, usually stderr, and nothing else. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "sim/core/time.h"

namespace skiff {

struct ProgressState {
  std::uint32_t round = 0, rounds = 0;
  VirtualTime virtual_time;
  double fraction = -1;   // of the work; negative: round / rounds
  std::string note = {};  // "accuracy 0.914"
};

// "round 60/60 ######## 100%  2.1 h virtual", the bar `cells` wide.
std::string progress_bar(const ProgressState& state, int cells = 40);

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Style { kNone, kLines, kBar, kColourBar };

  // What suits the stream: a bar on a terminal unless TERM=dumb, without colour if NO_COLOR is set.
  static Style style_for(std::FILE* stream);

  Progress(std::FILE* stream, Style style, Clock::time_point now = Clock::now());
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap when there is nothing to show: at most five times a second on a terminal.
  void update(const ProgressState& state, Clock::time_point now = Clock::now());
  // Takes the bar from the terminal, e.g. before a message. The next update brings it back.
  void clear();

 private:
  std::string tail(const ProgressState& state, double fraction, Clock::time_point now) const;

  std::FILE* stream_;
  Style style_;
  Clock::time_point start_, shown_;
  int columns_ = 80;
  int tenths_ = 0;  // of the work that have been told
  bool on_screen_ = false;
};

}  // namespace skiff
