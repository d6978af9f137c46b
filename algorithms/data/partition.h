// The registered role Partition: which client holds which samples
// (`partition: {scheme: dirichlet, alpha: 0.3}`).
//
// A pure function of (labels, natural owners, clients, stream). The lists are disjoint; a row that
// no client holds is legal only where the scheme says so. Impossible requests (more clients than
// samples, ...) are std::invalid_argument with a plain reason. The rows of a client ascend. Every
// client holds at least one row.
// Schemes: iid and shards (McMahan et al. 2017, section 3), dirichlet (Yurochkin et al. 2019, with
// the balance factor of FedMA and NIID-Bench), dirichlet-client (Hsu et al. 2019), classes and
// quantity (Li et al. 2022, NIID-Bench), natural (LEAF, Caldas et al. 2018), contiguous.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/data/dataset.h"
#include "sim/core/random.h"
#include "sim/core/registry.h"

namespace skiff {

struct PartitionTask {
  std::span<const std::int32_t> labels;  // of every training row; any integers
  std::span<const std::int32_t> owners;  // natural client of every row, -1 for nobody's; or empty
  int clients = 0;                       // wanted; natural: at most, 0 = all there are
};

struct PartitionResult {
  ShardList shards;
  std::vector<std::int32_t> owner_of_client;  // natural: which owner each client is; else empty
};

class Partition {
 public:
  static constexpr const char* kRole = "partition";
  static constexpr const char* kKey = "scheme";
  virtual ~Partition() = default;

  virtual PartitionResult split(const PartitionTask& task, Stream stream) const = 0;
  // Sizes alone, for timing-only runs: samples of each client. Schemes that look at labels refuse.
  virtual std::vector<std::int64_t> sizes(std::int64_t samples, int clients, Stream stream) const;
};

// Rows of each class at each client: clients x classes, row-major; classes are the distinct labels
// in ascending order.
struct ClassHistogram {
  std::vector<std::int32_t> labels;  // what column c counts
  std::vector<std::int64_t> counts;
  std::int64_t count(int client, int column) const {
    return counts[static_cast<std::size_t>(client) * labels.size() +
                  static_cast<std::size_t>(column)];
  }
};
ClassHistogram class_histogram(const ShardList& shards, std::span<const std::int32_t> labels);

}  // namespace skiff
