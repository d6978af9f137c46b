#include "algorithms/data/users.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/core/error.h"

namespace skiff {

std::int32_t UserCollector::owner(const std::string& user) {
  const auto found = index_.find(user);
  if (found != index_.end()) return found->second;
  if (testing_) return -1;
  const auto owner = static_cast<std::int32_t>(data_.owners.size());
  index_.emplace(user, owner);
  data_.owners.push_back(user);
  return owner;
}

void UserCollector::append_owner(std::int32_t owner, std::size_t rows) {
  auto& owners = testing_ ? data_.test_owner : data_.train_owner;
  owners.insert(owners.end(), rows, owner);
}

LoadedData UserCollector::finish(const std::string& path, int classes, bool has_test) {
  if (data_.train.rows() == 0) throw DataError(path, "has no samples");
  std::int32_t greatest = 0;
  for (const auto* samples : {&data_.train, &data_.test}) {
    for (const std::int32_t label : samples->labels) greatest = std::max(greatest, label);
  }
  if (classes > 0 && greatest >= classes) {
    throw DataError(
        path, fmt::format("label {}; classes: {} allows 0..{}", greatest, classes, classes - 1));
  }
  data_.shape = classification_shape(width_, classes > 0 ? classes : std::max(2, greatest + 1));
  data_.has_test = has_test;
  return std::move(data_);
}

}  // namespace skiff
