// Ranks by adapted layer that the server chooses as it learns: what it chose, and from which space
// on.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace skiff {

class ChosenRanks {
 public:
  // Of a space; empty: the scenario's rank everywhere.
  std::span<const std::uint16_t> at(std::int64_t space) const {
    for (auto it = since_.rbegin(); it != since_.rend(); ++it) {
      if (it->first <= space) return it->second;
    }
    return {};
  }
  // From this space on, later than all before.
  void choose(std::int64_t space, std::vector<std::uint16_t> ranks) {
    since_.emplace_back(space, std::move(ranks));
  }

 private:
  std::vector<std::pair<std::int64_t, std::vector<std::uint16_t>>> since_;
};

}  // namespace skiff
