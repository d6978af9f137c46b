// The numbered events of a live page: the first of all, which says who runs, and the newest, for
// any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace skiff {

class EventLog {
 public:
  static constexpr std::size_t kMost = 20'000;

  void append(const std::string& kind, const std::string& json) {
    const std::lock_guard lock(mutex_);
    std::string event =
        "id: " + std::to_string(next_) + "\nevent: " + kind + "\ndata: " + json + "\n\n";
    if (next_++ == 0) first_ = event;
    events_.push_back(std::move(event));
    if (events_.size() > kMost) events_.pop_front();
  }

  // The events from number `next` on, as one piece of at most about `bytes`; moves `next` behind
  // them. Those that are gone are passed over, but for the first, without which a page that comes
  // late would not know what it shows.
  std::string since(std::uint64_t& next, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t oldest = next_ - events_.size();
    std::string text;
    if (next > next_) next = 0;  // of another run, which this server never saw
    if (next == 0 && oldest > 0) text = first_;
    if (next < oldest) next = oldest;
    while (next < next_ && text.size() < bytes) text += events_[next++ - oldest];
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::string first_;
  std::deque<std::string> events_;
  std::uint64_t next_ = 0;  // number of the event to come
};

}  // namespace skiff
