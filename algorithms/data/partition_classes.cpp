// Label skew by number of classes (Li et al. 2022, NIID-Bench): client k holds class k mod C and
// classes - 1 others drawn at random; the samples of each class are split evenly between its
// holders. Classes that nobody drew stay with nobody (fewer clients than classes).
#include <fmt/format.h>

#include <numeric>
#include <stdexcept>

#include "algorithms/data/assignment.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct ClassesParams {
  int classes = 2;
};
}  // namespace

template <>
Schema<ClassesParams> schema() {
  Schema<ClassesParams> s;
  s.field("classes", &ClassesParams::classes, "classes that each client holds")
      .required("by classes; 1 to 3 are usual")
      .in(1, 1e6);
  return s;
}

namespace {

class Classes final : public Partition {
 public:
  explicit Classes(const ClassesParams& params) : params_(params) {}

  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    require_clients(static_cast<std::int64_t>(task.labels.size()), task.clients);
    ClassRows classes = rows_by_class(task.labels);
    if (params_.classes > classes.classes()) {
      throw std::invalid_argument(fmt::format("{} classes for each client, but the data has {}",
                                              params_.classes, classes.classes()));
    }
    std::vector<std::vector<std::int32_t>> holders(classes.rows.size());
    for (int k = 0; k < task.clients; ++k) {
      for (const std::size_t c : classes_of(k, classes.rows.size(), stream))
        holders[c].push_back(k);
    }
    std::vector<std::int32_t> client_of_row(task.labels.size(), -1);
    for (std::size_t c = 0; c < holders.size(); ++c) {
      if (holders[c].empty()) continue;
      if (holders[c].size() > classes.rows[c].size()) {
        throw std::invalid_argument(
            fmt::format("class {} has {} samples for {} clients that hold it; take fewer clients",
                        classes.labels[c], classes.rows[c].size(), holders[c].size()));
      }
      Stream order = stream.child("class", c);
      shuffle(order, std::span(classes.rows[c]));
      const auto sizes = equal_sizes(static_cast<std::int64_t>(classes.rows[c].size()),
                                     static_cast<int>(holders[c].size()));
      std::size_t next = 0;
      for (std::size_t h = 0; h < sizes.size(); ++h) {
        for (std::int64_t i = 0; i < sizes[h]; ++i) {
          client_of_row[classes.rows[c][next++]] = holders[c][h];
        }
      }
    }
    return {shards_by_client(client_of_row, task.clients), {}};
  }

 private:
  std::vector<std::size_t> classes_of(int client, std::size_t classes, const Stream& stream) const {
    const std::size_t own = static_cast<std::size_t>(client) % classes;
    std::vector<std::size_t> others;
    for (std::size_t c = 0; c < classes; ++c) {
      if (c != own) others.push_back(c);
    }
    Stream draw = stream.child("client", static_cast<std::uint64_t>(client));
    shuffle(draw, std::span(others));
    others.resize(static_cast<std::size_t>(params_.classes) - 1);
    others.push_back(own);
    return others;
  }

  ClassesParams params_;
};

SKIFF_REGISTER(Partition, Classes, ClassesParams,
               {.name = "classes",
                .summary = "each client holds a fixed number of classes",
                .paper = "Li et al. 2022 (NIID-Bench), arXiv:2102.02079, section IV",
                .verified = "classes of each client, even split between holders, disjoint"});

}  // namespace
}  // namespace skiff
