// How far a run is, while it runs: a bar with the time to go on a terminal, a line each 10 % into a
// pipe. Writes to one stream, usually stderr, and nothing else. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "sim/core/time.h"

namespace skiff {

// "round 60/60 ######## 100%  2.1 h virtual", the bar `cells` wide.
std::string progress_bar(std::uint32_t round, std::uint32_t rounds, VirtualTime time,
                         int cells = 40);

// How far it is, in words: "round 60/60" and, behind the bar, "2.1 h virtual".
struct ProgressState {
  double fraction = 0;  // 0..1
  std::string count, extent, note;
};

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Style { kNone, kLines, kBar, kColourBar };

  // In the style that suits the stream; `quiet`: says nothing.
  Progress(std::uint32_t rounds, std::FILE* stream, bool quiet);
  Progress(std::uint32_t rounds, std::FILE* stream, Style style,
           Clock::time_point now = Clock::now());
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // After a round; `note`: "accuracy 0.914". Cheap when there is nothing to show: on a terminal at
  // most five times a second.
  void update(std::uint32_t round, VirtualTime time, const std::string& note = {},
              Clock::time_point now = Clock::now());
  // The same for other things than rounds.
  void update(const ProgressState& state, Clock::time_point now = Clock::now());
  // Takes the bar from the terminal, e.g. before a message. The next update brings it back.
  void clear();

  // A bar on a terminal unless TERM=dumb, without colour if NO_COLOR is set; else lines.
  static Style style_for(std::FILE* stream);

 private:
  std::string tail(const ProgressState& state, Clock::time_point now) const;

  std::uint32_t rounds_;
  std::FILE* stream_;
  Style style_;
  Clock::time_point start_, shown_;
  int columns_ = 80;
  int tenths_ = 0;  // of the rounds that have been told
  bool on_screen_ = false;
};

}  // namespace skiff
