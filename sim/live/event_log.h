// The numbered events of a live page: the newest of them, for any thread.
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
    events_.push_back("id: " + std::to_string(next_++) + "\nevent: " + kind + "\ndata: " + json +
                      "\n\n");
    if (events_.size() > kMost) events_.pop_front();
  }

  // The events from number `next` on, as one piece of at most about `bytes`; moves `next` behind
  // them. Those that are gone are passed over.
  std::string since(std::uint64_t& next, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t first = next_ - events_.size();
    if (next < first || next > next_) next = first;
    std::string text;
    while (next < next_ && text.size() < bytes) text += events_[next++ - first];
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::string> events_;
  std::uint64_t next_ = 0;  // number of the event to come
};

}  // namespace skiff
