// A 4-ary min-heap of (key, sequence) that can remove any entry: a table that the caller holds says
// where the entry of each slot stands. Ties go to the lower sequence.
// push, pop, remove: O(log n). Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace skiff {

template <class Key>
class IndexedHeap {
 public:
  struct Entry {
    Key key;
    std::uint64_t sequence;
    std::uint32_t slot;
    bool operator<(const Entry& o) const {
      return key != o.key ? key < o.key : sequence < o.sequence;
    }
  };

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const Entry& top() const { return entries_.front(); }

  // position[slot] is kept up to date for every entry in the heap.
  void push(Entry entry, std::vector<std::uint32_t>& position) {
    entries_.push_back(entry);
    sift_up(entries_.size() - 1, entry, position);
  }
  void remove(std::uint32_t slot, std::vector<std::uint32_t>& position) {
    const std::size_t hole = position[slot];
    const Entry last = entries_.back();
    entries_.pop_back();
    if (hole == entries_.size()) return;
    if (hole > 0 && last < entries_[(hole - 1) / 4]) {
      sift_up(hole, last, position);
    } else {
      sift_down(hole, last, position);
    }
  }

 private:
  void place(std::size_t at, const Entry& entry, std::vector<std::uint32_t>& position) {
    entries_[at] = entry;
    position[entry.slot] = static_cast<std::uint32_t>(at);
  }
  void sift_up(std::size_t hole, Entry entry, std::vector<std::uint32_t>& position) {
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 4;
      if (!(entry < entries_[parent])) break;
      place(hole, entries_[parent], position);
      hole = parent;
    }
    place(hole, entry, position);
  }
  void sift_down(std::size_t hole, Entry entry, std::vector<std::uint32_t>& position) {
    for (std::size_t child; (child = 4 * hole + 1) < entries_.size();) {
      const std::size_t end = child + 4 < entries_.size() ? child + 4 : entries_.size();
      std::size_t least = child;
      while (++child < end) {
        if (entries_[child] < entries_[least]) least = child;
      }
      if (!(entries_[least] < entry)) break;
      place(hole, entries_[least], position);
      hole = least;
    }
    place(hole, entry, position);
  }

  std::vector<Entry> entries_;
};

}  // namespace skiff
